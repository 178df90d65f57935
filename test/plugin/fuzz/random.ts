/** Random numbers that are the same for the same seed. */
export interface Random {
  /** A whole number below the bound. */
  below(bound: number): number;
  /** One of them. */
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** A generator (mulberry32): quick, and good enough to choose where to break a file. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (bound) => Math.floor(next() * bound),
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
  };
}
