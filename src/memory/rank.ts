import type { Match } from './index-db.ts';
import { stemOf } from './snippet.ts';

/** How much it counts that all neighbours in the question stand near each other, as a part of the best passage's bm25 (docs/search.md). */
const nearbyWeight = 0.3;

/** How many words apart neighbours of the question may stand to count as near. */
const near = 4;

/** How many passages are looked at for nearness, and how many characters of each. */
const looked = { passages: 30, characters: 2000 };

/** How many times its text a heading counts, as in the index. */
const headingWeight = 4;

/** A word of a passage that was asked for. */
interface Place {
  /** Counted in words from the start of heading and text. */
  at: number;
  /** Which of the stems sought. */
  stem: number;
  heading: boolean;
}

/** What is known of the question, beside what the index ranked by. */
export interface Asked {
  /** Its words, in the order of the question. */
  words: string[];
  /** Terms that were not asked of the index, because they stand in too many passages, as FTS5 takes them. */
  common: string[];
  /** The most such a term can tell. */
  idf: number;
  /** How much a passage counts by where it stands. */
  weight: (match: Match) => number;
}

/**
 * Ranks the best passages anew. A common term a passage has counts as in bm25, for a passage of usual length. And bm25 knows which words a passage has, not whether those
 * that stand together in the question stand together in it. Returns all, best first, `rank` as bm25's: smaller is better.
 */
export function lookAgain(matches: Match[], { words, common, idf, weight }: Asked): Match[] {
  const stems = words.map(stemOf);
  const terms = common.map((term) => (/"([^"]*)"/.exec(term)?.[1] ?? '').split(' ').map(stemOf));
  const places = reader([...stems, ...terms.flat()]);
  let from = stems.length;
  const indexes = terms.map((term) => term.map(() => from++));
  const all = matches
    .map((match) => {
      const more = indexes.length === 0 ? 0 : saying(places(match), indexes) * idf;
      return { match, rank: (match.rank - more) * weight(match) };
    })
    .sort((a, b) => a.rank - b.rank);
  const best = -(all[0]?.rank ?? 0);
  if (stems.length >= 2 && best > 0)
    for (const one of all.slice(0, looked.passages))
      one.rank -= best * nearbyWeight * nearness(places(one.match), stems.length);
  return all.sort((a, b) => a.rank - b.rank).map(({ match, rank }) => ({ ...match, rank }));
}

/** Finds the places of these stems in passages; each passage is read once. */
function reader(stems: string[]): (match: Match) => Place[] {
  // Most words of a passage begin with another letter than any that is sought.
  const byLetter = new Map<number, { stem: string; index: number }[]>();
  stems.forEach((stem, index) => {
    const letter = stem.charCodeAt(0);
    byLetter.set(letter, [...(byLetter.get(letter) ?? []), { stem, index }]);
  });
  const read = new Map<Match, Place[]>();
  return (match) => {
    const before = read.get(match);
    if (before) return before;
    const places: Place[] = [];
    let at = 0;
    for (const heading of [true, false]) {
      const text = heading ? `${match.path}\n${match.heading}` : match.body.slice(0, looked.characters);
      for (const word of text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []) {
        for (const { stem, index } of byLetter.get(word.charCodeAt(0)) ?? [])
          if (word.startsWith(stem)) places.push({ at, stem: index, heading });
        at++;
      }
    }
    read.set(match, places);
    return places;
  };
}

/** What the terms of these stems tell of a passage, as bm25 adds it up; a term of several words is there as often as its rarest. */
function saying(places: Place[], terms: number[][]): number {
  const times = new Map<number, number>();
  for (const { stem, heading } of places) times.set(stem, (times.get(stem) ?? 0) + (heading ? headingWeight : 1));
  return terms.reduce((sum, term) => {
    const tf = Math.min(...term.map((stem) => times.get(stem) ?? 0));
    return sum + (tf * 2.2) / (tf + 1.2);
  }, 0);
}

/** The part of the question's neighbours that stand near each other, 0 to 1. */
function nearness(places: Place[], count: number): number {
  const last = new Map<number, number>();
  const pairs = new Set<number>();
  for (const { at, stem } of places) {
    if (stem >= count) continue;
    for (const [pair, other] of [
      [stem, stem - 1],
      [stem + 1, stem + 1],
    ] as const) {
      const before = last.get(other);
      if (before !== undefined && before !== at && at - before <= near) pairs.add(pair);
    }
    last.set(stem, at);
  }
  return pairs.size / (count - 1);
}
