/**
 * The candidate a person most likely meant, or undefined when none is close: for "did you mean". Letters swapped, missing,
 * doubled or wrong count one each; small and capital letters, `-` and `_` are the same.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = fold(word);
  if (plain === '') return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.min(3, Math.floor(plain.length / 3))) + 1;
  for (const candidate of candidates) {
    const other = fold(candidate);
    // `port` for `gateway_port`, `timeout` for `timeout_seconds`: an abbreviation is as good as one typing mistake.
    const short = plain.length >= 3 && (other.startsWith(plain) || (other.length >= 3 && plain.startsWith(other)));
    const distance = short && plain !== other ? 1 : editDistance(plain, other, bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}

/** Edits from one word to the other (insert, delete, replace, swap neighbours); gives up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 100) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(previous, j) + 1, at(row, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(before, j - 2) + 1);
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: number[], i: number): number {
  return row[i] ?? Number.POSITIVE_INFINITY;
}
