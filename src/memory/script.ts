/** A run of characters of a script written without spaces (or, as Korean, with endings glued on), which FTS5 would take for one word. */
const run =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々〆]+/gu;

/** The runs of such scripts in a text. */
export function unspacedRuns(text: string): string[] {
  return text.normalize('NFKC').match(run) ?? [];
}

/** True when a word holds such characters. */
export const isUnspaced = (word: string): boolean => word.search(run) >= 0;

/** Pairs of neighbouring characters: 東京都 → 東京, 京都; and the last character alone, so that each can be found as the start of a pair. */
export function pairs(text: string): string[] {
  const chars = [...text];
  return chars.length < 2 ? chars : chars.slice(1).map((char, at) => (chars[at] ?? '') + char);
}

/** What the index stores beside a text so that unspaced scripts are found: empty for most. */
export function pairsOf(text: string): string {
  if (!/[\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\uffdc\u{20000}-\u{3ffff}]/u.test(text)) return '';
  return unspacedRuns(text)
    .map((one) => [...pairs(one), ...[...one].slice(-1)].join(' '))
    .join(' ');
}
