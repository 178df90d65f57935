/** Chance from a seed: the same seed makes the same choices. */
export interface Chance {
  /** 0 up to, not including, 1. */
  next(): number;
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  /** True with this probability. */
  is(probability: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
}

/** Makes the chance of one seed (mulberry32). */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (most: number) => Math.floor(next() * most);
  return { next, below, is: (p) => next() < p, pick: (list) => list[below(list.length)] ?? list[0] };
}
