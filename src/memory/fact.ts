import type { Memory } from './memory.ts';
import { isStopWord, wordsOf } from './query.ts';
import { stemOf } from './snippet.ts';

/** A line longer than this is no fact that is compared, in characters. */
const longest = 1000;

/**
 * Where one of these notes says a fact already, as `file#line`: in the same telling words in the same order, whatever their endings, marks and case. A note that is
 * not there says nothing.
 */
export async function findFact(
  memory: Pick<Memory, 'get'>,
  fact: string,
  paths: Iterable<string>,
): Promise<string | undefined> {
  const sought = gist(fact);
  if (sought === '') return undefined;
  for (const path of new Set(paths)) {
    const note = await memory.get(path).catch(() => undefined);
    const at = note?.text.split('\n').findIndex((line) => gist(line) === sought) ?? -1;
    if (at >= 0) return `${path}#${at + 1}`;
  }
  return undefined;
}

const gist = (line: string): string =>
  line.length > longest
    ? ''
    : wordsOf(line.normalize('NFC'))
        .filter((word) => !isStopWord(word))
        .map(stemOf)
        .join(' ');
