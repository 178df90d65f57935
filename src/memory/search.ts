import type { SearchHit } from '../wire/wire.ts';
import type { IndexDb, Match } from './index-db.ts';
import type { SearchOptions } from './memory.ts';
import { plainPath } from './note-path.ts';
import { isStopWord, parseQuestion, wordsOf } from './query.ts';
import { snippetOf } from './snippet.ts';

/** A transcript says a thing in passing, a note says it on purpose. */
const transcriptWeight = 0.5;

/** About how many passages are ranked at most for one search. */
const mostRanked = 4000;

/** How many passages of one file are shown. */
const perFile = 3;

/** Searches the index. Never throws: odd queries find nothing. */
export function searchIndex(db: IndexDb, query: string, options: SearchOptions = {}): SearchHit[] {
  const question = parseQuestion(query);
  if (!question) return [];
  const limit = Math.min(100, Math.max(1, Math.trunc(options.limit ?? 10) || 10));
  let matches: Match[];
  try {
    const under = options.under === undefined ? '' : plainPath(options.under);
    const expression = telling(db, question.terms).join(' OR ');
    if (expression === '') return [];
    matches = db.match(expression, limit * 3 + 20, under);
  } catch {
    return [];
  }
  const asked = new Set(question.words);
  const shown = new Map<string, { from: number; to: number }[]>();
  const hits: SearchHit[] = [];
  for (const match of matches.map(weighed).sort((a, b) => a.rank - b.rank)) {
    if (hits.length === limit) break;
    const transcript = isTranscript(match.path);
    if (transcript && saysOnlyWhatWasAsked(match, asked)) continue;
    const regions = shown.get(match.path) ?? [];
    const region = { from: match.line, to: match.line + match.body.split('\n').length };
    if (regions.length >= perFile || regions.some((one) => region.from < one.to && one.from < region.to)) continue;
    shown.set(match.path, [...regions, region]);
    const { text, lineOffset } = snippetOf(match.body, question.words);
    hits.push({
      path: match.path,
      line: match.line + (transcript ? 0 : lineOffset),
      heading: match.heading,
      snippet: text,
      score: Math.round(-match.rank * 1000) / 1000,
    });
  }
  return hits;
}

/** The rarest terms, as many as can be ranked in bounded time: a word that stands everywhere tells little and costs most. */
function telling(db: IndexDb, terms: string[]): string[] {
  if (terms.length < 2) return terms;
  const counted = terms
    .map((term) => ({ term, passages: db.count(term, mostRanked) }))
    .sort((a, b) => a.passages - b.passages);
  let sum = 0;
  const kept = counted.filter(({ passages }) => {
    sum += passages;
    return sum <= mostRanked;
  });
  return (kept.some((one) => one.passages > 0) ? kept : counted.filter((one) => one.passages > 0).slice(0, 2)).map(
    (one) => one.term,
  );
}

const isTranscript = (path: string): boolean => path.startsWith('journal/');

const weighed = (match: Match): Match =>
  isTranscript(match.path) ? { ...match, rank: match.rank * transcriptWeight } : match;

/** Words of asking, beside the stop words. */
const asking = new Set('say said tell told ask asked find search'.split(' '));

/** True for the question itself, found in the transcript, and for a question nobody answered: they answer nothing. */
function saysOnlyWhatWasAsked(match: Match, asked: Set<string>): boolean {
  if (/^[^\n]*\?\s*$/.test(match.body)) return true;
  const own = new Set(wordsOf(match.heading));
  return wordsOf(match.body).every((word) => asked.has(word) || own.has(word) || asking.has(word) || isStopWord(word));
}
