import type { Log, LogLevel } from '../log/log.ts';
import { printable } from '../log/log.ts';
import { createRate } from './rate.ts';

/** One line a plugin wrote. */
interface GuestLine {
  at: number;
  level: string;
  message: string;
}

/** A plugin's own log: into the one pipeline, and the last lines kept for people. */
export interface GuestLog {
  /** Bounded in length and rate; lines over the rate are counted and the count is written when the flood ends. */
  write(level: LogLevel, message: string, perMinute: number): void;
  lines(): GuestLine[];
}

const keptLines = 200;
const maxLength = 4096;

/** Makes the log of one plugin; `log` is already under its scope. */
export function createGuestLog(log: Log, scrub: (text: string) => string): GuestLog {
  const kept: GuestLine[] = [];
  const rate = createRate();
  let dropped = 0;
  const keep = (level: LogLevel, message: string) => {
    kept.push({ at: Date.now(), level, message });
    if (kept.length > keptLines) kept.shift();
    log[level](message);
  };
  return {
    write(level, message, perMinute) {
      if (!rate.take(perMinute)) {
        dropped++;
        return;
      }
      if (dropped > 0) {
        const count = dropped;
        dropped = 0;
        keep('warn', `${count} lines were dropped: more than ${perMinute} a minute`);
      }
      const clean = printable(scrub(message));
      keep(level, clean.length > maxLength ? `${clean.slice(0, maxLength)}… (${clean.length} characters)` : clean);
    },
    lines: () => [...kept],
  };
}
