import type { Match } from './index-db.ts';
import { wordsOf } from './query.ts';

/** How much it counts that all neighbours in the question stand near each other, as a part of the best passage's bm25 (docs/search.md). */
const nearbyWeight = 0.3;

/** How many words apart neighbours of the question may stand to count as near. */
const near = 4;

/** How many passages are looked at again, and how many characters of each. */
const looked = { passages: 30, characters: 2000 };

/**
 * Ranks the best passages anew: bm25 knows which words a passage has, not whether those that stand together in the question stand together in it. Returns all, best
 * first, `rank` as bm25's: smaller is better.
 */
export function byNearness(matches: Match[], stems: string[]): Match[] {
  const best = -(matches[0]?.rank ?? 0);
  if (stems.length < 2 || best <= 0) return matches;
  const again = matches.slice(0, looked.passages).map((match) => {
    const words = wordsOf(`${match.heading}\n${match.body}`.slice(0, looked.characters));
    return { ...match, rank: match.rank - best * nearbyWeight * nearness(words, stems) };
  });
  return [...again, ...matches.slice(looked.passages)].sort((a, b) => a.rank - b.rank);
}

/** The part of the question's neighbours that stand near each other, 0 to 1. */
function nearness(words: string[], stems: string[]): number {
  const last = new Map<number, number>();
  const pairs = new Set<number>();
  words.forEach((word, at) => {
    stems.forEach((stem, index) => {
      if (!word.startsWith(stem)) return;
      for (const [pair, other] of [
        [index, index - 1],
        [index + 1, index + 1],
      ] as const) {
        const before = last.get(other);
        if (before !== undefined && before !== at && at - before <= near) pairs.add(pair);
      }
      last.set(index, at);
    });
  });
  return pairs.size / (stems.length - 1);
}
