import { Chunker, type Passage } from './chunk.ts';
import { bodyStart, entriesIn } from './journal-parse.ts';
import type { JournalEntry } from './memory.ts';

/** The mark of the journal's note of what was recalled for a turn. */
export const recalledMark = 'px:recalled';

/** A passage of a transcript is closed at this length, in characters; a longer single entry is cut like any note. */
const enough = 1000;

/**
 * Cuts a journal into passages of what was said: a question and its answer stay together. Thoughts and tool traffic are left out: a search would else
 * find the results of earlier searches. `from` says where in the file these bytes start. Yields undefined between passages, so that the caller can pause.
 */
export function* journalPassages(
  bytes: Buffer,
  from: { offset: number; line: number },
): Generator<Passage | undefined> {
  let open: Passage | undefined;
  let at = 0;
  let line = from.line;
  for (const { entry, closer } of entriesIn(bytes, () => undefined)) {
    yield undefined;
    const said = spoken(entry);
    if (said === undefined) continue;
    let start = from.offset + closer.start === 0 ? bodyStart(bytes) : closer.start;
    while (bytes[start] === 10 || bytes[start] === 13) start++;
    for (; at < start; at++) if (bytes[at] === 10) line++;
    // A question begins a passage of its own, so that a citation leads to it.
    if (open && (entry.kind === 'user' || open.body.length + said.text.length > enough)) {
      yield* cut(open);
      open = undefined;
    }
    if (open) open.body += `\n\n${said.text}`;
    else open = { line, offset: from.offset + closer.start, heading: said.heading, body: said.text };
  }
  if (open) yield* cut(open);
}

/** What of an entry is found by a search. */
function spoken(entry: JournalEntry): { heading: string; text: string } | undefined {
  switch (entry.kind) {
    case 'user':
      return { heading: entry.sender.name, text: `${entry.sender.name}: ${entry.text}` };
    case 'assistant':
      // The built-in model only repeats what stands elsewhere: its answers would bury their sources.
      return entry.model.startsWith('offline/') ? undefined : { heading: 'px', text: `px: ${entry.text}` };
    case 'note':
      return isRecollection(entry.data) ? undefined : { heading: 'note', text: entry.text };
    default:
      return undefined;
  }
}

/** True for the note of what was recalled for a turn: it only names what stands elsewhere. */
const isRecollection = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && Reflect.get(data, 'mark') === recalledMark;

function* cut(passage: Passage): Generator<Passage> {
  if (passage.body.length <= 2 * enough) return yield passage;
  const chunker = new Chunker();
  for (const line of passage.body.split('\n')) {
    for (const { body } of chunker.feed(line)) yield { ...passage, body };
  }
  for (const { body } of chunker.end()) yield { ...passage, body };
}
