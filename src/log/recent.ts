import type { LogEntry, LogSink } from './log.ts';

/** Keeps the latest entries in memory, for whoever connects later. `entries()` is oldest first. */
export function recentLogSink(limit: number): LogSink & { entries(): LogEntry[] } {
  const kept: LogEntry[] = [];
  let oldest = 0;
  const sink = (entry: LogEntry) => {
    if (kept.length < limit) kept.push(entry);
    else {
      kept[oldest] = entry;
      oldest = (oldest + 1) % limit;
    }
  };
  return Object.assign(sink, { entries: () => [...kept.slice(oldest), ...kept.slice(0, oldest)] });
}
