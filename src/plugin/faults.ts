/** Faults that quarantine a plugin, and the time they must fall into, in ms. */
const limit = { faults: 5, windowMs: 600_000 };
/** Pause before a start, in ms, by the number of recent faults. */
const pauses = [0, 0, 250, 500, 1000];

/** A plugin's recent faults: each makes the next start later, and too many stop the plugin. */
export interface Faults {
  add(message: string): void;
  /** Why the plugin is stopped, in words; undefined while it may run. */
  quarantine(): string | undefined;
  /** How long to wait before the next start, in ms. */
  pause(): number;
  clear(): void;
}

/**
 * Makes the count of one plugin. `stopped` is why it was stopped before px was started; `keep` is told when it is stopped and when
 * that ends.
 */
export function createFaults(
  now: () => number = Date.now,
  stopped?: string,
  keep: (reason: string | undefined) => void = () => {},
): Faults {
  let times: number[] = [];
  let reason = stopped;
  return {
    add(message) {
      times = [...times.filter((at) => now() - at < limit.windowMs), now()];
      if (times.length < limit.faults) return;
      reason = `stopped after ${times.length} faults in ${limit.windowMs / 60_000} minutes; the last: ${message}`;
      keep(reason);
    },
    quarantine: () => reason,
    pause() {
      const recent = times.filter((at) => now() - at < limit.windowMs);
      const wanted = pauses[Math.min(recent.length, pauses.length - 1)] ?? 0;
      return Math.max(0, wanted - (now() - (recent.at(-1) ?? 0)));
    },
    clear() {
      times = [];
      if (reason !== undefined) keep(undefined);
      reason = undefined;
    },
  };
}
