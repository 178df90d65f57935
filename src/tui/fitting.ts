/**
 * The choices that hold all words of a query, in any order, best first: a word that is the end of a name (`mini` of `gpt-5-mini`), then a part of
 * it, then the beginning of a part, and last a word anywhere (`mini` in `gemini`). Equally good ones keep their order.
 */
export function fitting(choices: readonly string[], query: string): string[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return choices
    .map((choice) => ({ choice, rank: Math.max(0, ...words.map((word) => rankOf(choice.toLowerCase(), word))) }))
    .filter(({ rank }) => rank < none)
    .sort((a, b) => a.rank - b.rank)
    .map(({ choice }) => choice);
}

const none = 4;

/** How well a word fits a name: 0 best, {@link none} not at all. */
function rankOf(name: string, word: string): number {
  let best = none;
  for (let at = name.indexOf(word); at >= 0; at = name.indexOf(word, at + 1)) {
    const end = at + word.length;
    const rank = !breaks(name[at - 1]) ? 3 : end === name.length ? 0 : breaks(name[end]) ? 1 : 2;
    best = Math.min(best, rank);
  }
  return best;
}

/** True where a part of a name begins or ends. */
const breaks = (char: string | undefined): boolean => char === undefined || !/[\p{L}\p{N}]/u.test(char);
