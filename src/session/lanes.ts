/** Work in lanes: one piece at a time and in order within a lane, lanes side by side. */
export interface Lanes {
  /** Runs `work` after everything queued before it in this lane. A failure is the caller's and does not stop the lane. */
  run<T>(lane: string, work: () => Promise<T>): Promise<T>;
  /** Lanes that have work, running or queued. */
  busy(): string[];
  /** Resolves when no lane has work. */
  idle(): Promise<void>;
}

/** Makes lanes. A lane takes no memory once it is empty. */
export function createLanes(): Lanes {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(lane, work) {
      const before = tails.get(lane) ?? Promise.resolve();
      const mine = before.then(work);
      const tail = mine
        .catch(() => {})
        .then(() => {
          if (tails.get(lane) === tail) tails.delete(lane);
        });
      tails.set(lane, tail);
      return mine;
    },
    busy: () => [...tails.keys()],
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}
