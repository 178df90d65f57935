import type { Io } from './io.ts';

/** How far long work has come. */
export interface Progress {
  done: number;
  /** Left out: not known. */
  total?: number;
  /** What is counted: `notes`, `MB`. */
  unit: string;
}

const width = 24;
const everyMs = 150;

/** `indexing  ███████████▌             46%  4,600 of 10,000 notes`; without a total `indexing  4,600 notes`. */
export function progressLine(what: string, { done, total, unit }: Progress): string {
  const count = (n: number) => Math.round(n).toLocaleString('en-US');
  if (total === undefined || total <= 0) return `${what}  ${count(done)} ${unit}`;
  const part = Math.min(1, done / total);
  const halves = Math.floor(part * width * 2);
  const bar = `${'█'.repeat(halves >> 1)}${halves & 1 ? '▌' : ''}`.padEnd(width);
  return `${what}  ${bar}${`${Math.floor(part * 100)}%`.padStart(5)}  ${count(done)} of ${count(total)} ${unit}`;
}

/**
 * Does long work, and shows a person at a terminal how far it has come. `look` is asked a few times a second; what it fails with is not shown.
 */
export async function withProgress<T>(
  io: Io,
  what: string | (() => string),
  work: Promise<T>,
  look: () => Progress | undefined | Promise<Progress | undefined>,
): Promise<T> {
  let over = false;
  const settled = work.then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  const begun = Date.now();
  while (io.watched && !over) {
    await Promise.race([settled, Bun.sleep(everyMs)]);
    if (over) break;
    const seen = await Promise.resolve(look()).catch(() => undefined);
    const doing = typeof what === 'string' ? what : what();
    if (!over) io.progress(seen ? progressLine(doing, seen) : `${doing}  ${Math.round((Date.now() - begun) / 1000)} s`);
  }
  io.progress('');
  return work;
}
