import type { Match } from './index-db.ts';
import { isStopWord } from './query.ts';
import { firstLetters, type Read, reader, wordAt } from './read.ts';
import { stemOf } from './snippet.ts';

/**
 * How much more than its bm25 counts, as parts of the best passage's (docs/search.md): that all neighbours in the question stand near each other, that the note as a whole
 * holds all words of the question, that a passage holds the words the best ones share, and that it holds the names in the question.
 */
const counts = { near: 0.3, note: 0.4, shared: 0.1, names: 0.5 };

/** How many words apart neighbours of the question may stand to count as near. */
const near = 4;

/** How many passages are looked at again. */
export const looked = 40;

/** The best passages that say which other words belong to the question, and how many of these words count. */
const shared = { passages: 5, words: 12 };

/** What is known of the question, beside what the index ranked by. */
export interface Asked {
  /** Its words, in the order of the question. */
  words: string[];
  /** Those of them that are names. */
  names: string[];
  /** What each word tells: the rarer, the more. Words of unspaced scripts are not among them. */
  tells: Map<string, number>;
  /** Terms that were not asked of the index, because they stand in too many passages, as FTS5 takes them. */
  common: string[];
  /** The most such a term can tell. */
  idf: number;
  /** How much a passage counts by where it stands. */
  weight: (match: Match) => number;
  /** How much more what was found counts for being new: 1 for nothing. */
  recency: (match: Match) => number;
}

/**
 * Ranks the best passages anew. A common term a passage has counts as in bm25, for a passage of usual length. And bm25 does not know whether words that stand together in
 * the question stand together in a passage, what the rest of its note says, nor which other words go with those asked for. Returns all, best first, `rank` as bm25's:
 * smaller is better.
 */
export function lookAgain(matches: Match[], asked: Asked): Match[] {
  const { words, common, idf, weight } = asked;
  const stems = words.map(stemOf);
  const terms = common.map((term) => (/"([^"]*)"/.exec(term)?.[1] ?? '').split(' ').map(stemOf));
  const read = reader([...stems, ...terms.flat()]);
  let from = stems.length;
  const indexes = terms.map((term) => term.map(() => from++));
  const all = matches
    .map((match) => {
      const more = indexes.length === 0 ? 0 : saying(read(match), indexes) * idf;
      return { match, rank: (match.rank - more) * weight(match) };
    })
    .sort((a, b) => a.rank - b.rank);
  const best = -(all[0]?.rank ?? 0);
  if (stems.length >= 2 && best > 0) {
    const top = all.slice(0, looked);
    const reads = top.map((one) => read(one.match));
    const whole = ofNotes(
      top.map((one) => one.match.path),
      reads,
      words.map((word) => asked.tells.get(word) ?? 0),
    );
    const others = ofSharedWords(
      top.map((one) => -one.rank / best),
      reads,
      stems,
    );
    const names = new Set(asked.names.map((name) => words.indexOf(name)));
    for (const [n, one] of top.entries()) {
      const places = reads[n]?.places ?? [];
      const more =
        counts.near * nearness(places, stems.length) +
        counts.note * (whole[n] ?? 0) +
        counts.shared * (others[n] ?? 0) +
        counts.names * partOf(names, places);
      one.rank -= best * more * weight(one.match);
    }
  }
  return all
    .map(({ match, rank }) => ({ ...match, rank: rank * asked.recency(match) }))
    .sort((a, b) => a.rank - b.rank);
}

/** What a word tells by standing somewhere so often, as bm25 has it for a text of usual length, 0 to 2.2. */
const saturated = (times: number): number => (times * 2.2) / (times + 1.2);

/** What the terms of these stems tell of a passage, as bm25 adds it up; a term of several words is there as often as its rarest. */
function saying({ times }: Read, terms: number[][]): number {
  return terms.reduce((sum, term) => sum + saturated(Math.min(...term.map((stem) => times[stem] ?? 0))), 0);
}

/** For each passage, what its note holds of the question in all of its passages together, 0 to 1. */
function ofNotes(paths: string[], reads: Read[], tells: number[]): number[] {
  const notes = new Map<string, number[]>();
  for (const [n, { times }] of reads.entries()) {
    const most = notes.get(paths[n] ?? '');
    notes.set(
      paths[n] ?? '',
      tells.map((_, stem) => Math.max(most?.[stem] ?? 0, times[stem] ?? 0)),
    );
  }
  const scores = new Map<string, number>();
  for (const [path, most] of notes)
    scores.set(
      path,
      most.reduce((sum, times, stem) => sum + saturated(times) * (tells[stem] ?? 0), 0),
    );
  const best = Math.max(...scores.values()) || 1;
  return paths.map((path) => (scores.get(path) ?? 0) / best);
}

/** For each passage, how much it holds of the words that the best passages share and the others do not, 0 to 1. */
function ofSharedWords(ranks: number[], reads: Read[], stems: string[]): number[] {
  const numbers = new Map<number, number>();
  const words: string[] = [];
  for (const { text, starts, keys, heading } of reads.slice(0, shared.passages))
    for (let at = heading; at < keys.length; at++) {
      const key = keys[at] ?? 0;
      if (numbers.has(key)) continue;
      const word = wordAt(text, starts[at] ?? 0);
      if (word.length < 3 || isStopWord(word)) continue;
      numbers.set(key, words.length);
      words.push(firstLetters(word));
    }
  const holders = new Uint16Array(words.length);
  const strength = new Float64Array(words.length);
  const held = reads.map(({ keys, heading }, n) => {
    const times = new Uint16Array(words.length);
    for (let at = heading; at < keys.length; at++) {
      const number = numbers.get(keys[at] ?? 0);
      if (number === undefined) continue;
      const before = times[number] ?? 0;
      times[number] = before + 1;
      if (before === 0) holders[number] = (holders[number] ?? 0) + 1;
    }
    if (n < shared.passages)
      for (const [number, here] of times.entries())
        strength[number] = (strength[number] ?? 0) + (here / (here + 1.2)) * (ranks[n] ?? 0);
    return times;
  });
  const isAsked = (word: string) => stems.some((stem) => word.startsWith(stem) || stem.startsWith(word));
  const chosen = [...words.keys()]
    .filter((number) => !isAsked(words[number] ?? ''))
    .map((number) => ({
      number,
      tells: (strength[number] ?? 0) * Math.log(1 + reads.length / (holders[number] ?? 1)),
    }))
    .sort((a, b) => b.tells - a.tells)
    .slice(0, shared.words);
  const scores = held.map((times) =>
    chosen.reduce((sum, { number, tells }) => sum + saturated(times[number] ?? 0) * tells, 0),
  );
  const best = Math.max(...scores) || 1;
  return scores.map((score) => score / best);
}

/** The part of these stems that a passage holds, 0 to 1. */
function partOf(sought: Set<number>, places: Read['places']): number {
  const held = new Set(places.flatMap(({ stem }) => (sought.has(stem) ? [stem] : [])));
  return held.size / Math.max(1, sought.size);
}

/** The part of the question's neighbours that stand near each other, 0 to 1. */
function nearness(places: Read['places'], count: number): number {
  const last = new Map<number, number>();
  const pairs = new Set<number>();
  for (const { at, stem } of places) {
    if (stem >= count) continue;
    const isNear = (other: number) => {
      const before = last.get(other) ?? at;
      return before !== at && at - before <= near;
    };
    if (isNear(stem - 1)) pairs.add(stem);
    if (isNear(stem + 1)) pairs.add(stem + 1);
    last.set(stem, at);
  }
  return pairs.size / (count - 1);
}
