import type { Line } from '../line.ts';
import type { Look } from '../look.ts';
import type { State } from '../state.ts';

/** What a pane shows: rows that stay, and rows that scroll. */
interface PaneView {
  head: Line[];
  body: Line[];
  /** Where the body rests: its newest rows are last (`end`), or first (`start`). */
  anchor: 'start' | 'end';
}

/** Draws one pane for a width. Pure: all it shows is in the state. */
export type DrawPane = (state: State, columns: number, look: Look, now: number) => PaneView;

/** `12:34:56`, in this machine's time zone. */
export function clock(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}

/** A time as a person reads it: `0.4 ms`, `35 ms`, `2.1 s`, `3 min`. */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}

/** Bytes in MB. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}

/** A count with a unit: `950`, `12.4k`, `3.1M`. */
export function count(n: number): string {
  if (n < 10_000) return String(n);
  return n < 1_000_000 ? `${(n / 1000).toFixed(1)}k` : `${(n / 1_000_000).toFixed(1)}M`;
}
