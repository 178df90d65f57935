import type { SearchHit } from '../wire/wire.ts';
import type { IndexDb, Match, MatchFilter } from './index-db.ts';
import { dayOf } from './journal-folder.ts';
import type { SearchOptions } from './memory.ts';
import { plainPath } from './note-path.ts';
import { isStopWord, parseQuestion, type Question, wordsOf } from './query.ts';
import { lookAgain, looked } from './rank.ts';
import { snippetOf } from './snippet.ts';
import { periodOf, periodsIn, spellings } from './when.ts';

/** A transcript says a thing in passing, a note says it on purpose. */
const transcriptWeight = 0.5;

/** How much more a passage counts that was written just now, as a part of what it counts anyway, and after how many days half of that is left. */
const recent = { most: 0.05, halfDays: 90 };

/** About how many passages are ranked at most for one search. */
const mostRanked = 1000;

/** Days after this are not told apart, in ms since the epoch. */
const lastDay = 253_370_000_000_000;

/** How many passages of one file are shown. */
const perFile = 3;

/** In so much of a question so many times are understood. */
const mostTimes = { characters: 1000, named: 3 };

/** Searches the index. Never throws: odd queries find nothing. */
export function searchIndex(db: IndexDb, query: string, options: SearchOptions = {}): SearchHit[] {
  const question = parseQuestion(query);
  if (!question) return [];
  const limit = Math.min(100, Math.max(1, Math.trunc(options.limit ?? 10) || 10));
  let matches: Match[];
  try {
    const filter = filterOf(options);
    if (!filter) return [];
    matches = db.asking(() => found(db, question, timesOf(db, query), Math.max(looked, limit * perFile + 10), filter));
  } catch {
    return [];
  }
  const asked = new Set(question.words);
  const shown = new Map<string, { from: number; to: number }[]>();
  const hits: SearchHit[] = [];
  for (const match of matches) {
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

/** The passages that match, best first. */
function found(db: IndexDb, question: Question, times: Times, limit: number, filter: MatchFilter): Match[] {
  const words = question.words.filter((word) => !times.said.has(word));
  const terms = question.terms.filter((term) => !times.said.has(term.replaceAll('"', '')));
  const asked = counts(db, terms);
  const counted = [...asked, ...times.terms].sort((a, b) => a.passages - b.passages);
  let sum = 0;
  const rare = counted.filter(({ passages }) => {
    sum += passages;
    return sum <= mostRanked;
  });
  const common = counted.slice(rare.length);
  const matches = rare.length === 0 ? [] : db.match(rare.map((one) => one.term).join(' OR '), limit, filter);
  if (common.length > 0 && matches.length < limit) addLatest(db, common, matches, limit, filter);
  const all = db.passages;
  const tells = new Map<string, number>();
  for (const { term, passages } of asked)
    for (const word of wordsOf(/"([^"]*)"/.exec(term)?.[1] ?? '')) tells.set(word, Math.log(1 + all / passages));
  return lookAgain(matches, {
    words,
    names: question.names,
    tells,
    common: common.map((one) => one.term),
    idf: Math.log(1 + all / mostRanked),
    weight: (match) => (isTranscript(match.path) ? transcriptWeight : 1),
    recency,
  });
}

/** An FTS5 expression with the passages it matches, as far as they were counted. */
interface Counted {
  term: string;
  passages: number;
}

/** Those of these terms that stand anywhere. */
const counts = (db: IndexDb, terms: string[]): Counted[] =>
  terms.map((term) => ({ term, passages: db.count(term, mostRanked + 1) })).filter((one) => one.passages > 0);

/** The times a question names. */
interface Times {
  /** How notes write them, and transcripts and daily notes are called, as far as there are any. */
  terms: Counted[];
  /** Words that name these times seen from today: in a note they mean another day. */
  said: Set<string>;
}

/** Passages of a day that a question names are preferred, not demanded. Without any, its words are words like others. */
function timesOf(db: IndexDb, query: string): Times {
  const times: Times = { terms: [], said: new Set() };
  for (const { period, relative } of periodsIn(query.slice(0, mostTimes.characters)).slice(0, mostTimes.named)) {
    const terms = counts(
      db,
      spellings(period).map((one) => `"${one}"`),
    );
    times.terms.push(...terms);
    if (relative && terms.length > 0) for (const word of wordsOf(relative)) times.said.add(word);
  }
  return times;
}

/** Words that stand everywhere tell little and cost most: of the passages that have the rarest of them together, the latest. */
function addLatest(
  db: IndexDb,
  common: { term: string }[],
  matches: Match[],
  limit: number,
  filter: MatchFilter,
): void {
  const seen = new Set(matches.map((one) => one.id));
  for (let count = Math.min(3, common.length); count > 0 && matches.length < limit; count--) {
    const all = common.slice(0, count).map((one) => one.term);
    for (const match of db.latest(all.join(' AND '), limit, filter)) {
      if (!seen.has(match.id)) matches.push(match);
      seen.add(match.id);
    }
  }
}

/** The filters as the index takes them; undefined when nothing can pass them. */
function filterOf({ under, when, speaker, tag }: SearchOptions): MatchFilter | undefined {
  const period = when === undefined ? undefined : periodOf(when);
  if (when !== undefined && !period) return undefined;
  const said = speaker?.trim();
  const marked = tag?.trim().replace(/^#/, '');
  if (marked && !/^[\p{L}\p{N}_/-]+$/u.test(marked)) return undefined;
  return {
    under: under === undefined ? '' : plainPath(under),
    ...(period ? { from: dayOf(Math.max(0, period.from)), to: dayOf(Math.min(period.to - 1, lastDay)) } : {}),
    ...(said ? { holds: `${said}:` } : {}),
    ...(marked ? { tag: marked.toLowerCase() } : {}),
  };
}

/** 1 for what is old, up to `1 + recent.most` for what is new: by the day in a file's name, else by when it was changed. */
function recency({ path, stamp }: Match): number {
  const [, day] = /(\d{4}-\d\d-\d\d)\.md$/i.exec(path) ?? [];
  const at = (day === undefined ? Number.NaN : Date.parse(`${day}T12:00`)) || Number.parseFloat(stamp) || 0;
  // Whole days: what was written on one day is ranked by its words alone.
  const days = Math.max(0, Math.floor((Date.now() - at) / 86_400_000));
  return 1 + recent.most * 0.5 ** (days / recent.halfDays);
}

const isTranscript = (path: string): boolean => path.startsWith('journal/');

/** Words of asking, beside the stop words. */
const asking = new Set('say said tell told ask asked find search'.split(' '));

/** True for the question itself, found in the transcript, and for a question nobody answered: they answer nothing. */
function saysOnlyWhatWasAsked(match: Match, asked: Set<string>): boolean {
  if (/^[^\n]*\?\s*$/.test(match.body)) return true;
  const own = new Set(wordsOf(match.heading));
  return wordsOf(match.body).every((word) => asked.has(word) || own.has(word) || asking.has(word) || isStopWord(word));
}
