import { readdirSync, readFileSync } from 'node:fs';

/** Middle value; of an even count, the lower middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Resident memory of a process and all its descendants, in MiB (VmRSS of each, shared pages counted in each). */
export function treeRssMiB(pid: number): number {
  const parents = new Map<number, number>();
  const rss = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0));
      rss.set(Number(name), Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // The process ended between the listing and the read.
    }
  }
  const inTree = (p: number): boolean => p === pid || (parents.has(p) && p > 1 && inTree(parents.get(p) ?? 0));
  let total = 0;
  for (const [p, kib] of rss) if (inTree(p)) total += kib;
  return total / 1024;
}

/** Wall time of one run of a command, in milliseconds. */
export async function runMs(command: string[]): Promise<number> {
  const start = performance.now();
  const process = Bun.spawn(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  await process.exited;
  return performance.now() - start;
}

/** One line of the table: what, the figure, its bound, whether it holds. */
export interface Row {
  what: string;
  value: number;
  unit: string;
  bound: number | undefined;
}

/** The table as Markdown. */
export function table(rows: Row[]): string {
  const show = (n: number, unit: string) =>
    unit === 'x' ? `${n.toFixed(2)} x` : `${n.toFixed(n < 10 ? 2 : 1)} ${unit}`;
  const lines = rows.map(
    (r) =>
      `| ${r.what} | ${show(r.value, r.unit)} | ${r.bound === undefined ? '' : `≤ ${Number(r.bound.toFixed(1))} ${r.unit}`} | ${r.bound === undefined ? '' : r.value <= r.bound ? 'yes' : '**no**'} |`,
  );
  return ['| what | measured | bound | holds |', '|---|---|---|---|', ...lines].join('\n');
}

/** How many bounds hold, in one line. */
export function verdict(rows: Row[]): string {
  const bounds = rows.filter((r) => r.bound !== undefined);
  return `bench: ${bounds.filter((r) => r.value <= (r.bound ?? 0)).length} of ${bounds.length} bounds hold`;
}
