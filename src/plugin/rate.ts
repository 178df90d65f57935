/** Counts events over a sliding minute in two buckets: no list of times is kept. */
export interface Rate {
  /** Counts one event; false when the limit is passed. */
  take(limit: number): boolean;
}

const windowMs = 60_000;

/** Makes a rate limit per minute. */
export function createRate(now: () => number = () => performance.now()): Rate {
  let start = now();
  let before = 0;
  let count = 0;
  return {
    take(limit) {
      const elapsed = now() - start;
      if (elapsed >= windowMs) {
        before = elapsed < windowMs * 2 ? count : 0;
        count = 0;
        start = now();
      }
      const share = 1 - Math.min(1, (now() - start) / windowMs);
      if (before * share + count >= limit) return false;
      count++;
      return true;
    },
  };
}
