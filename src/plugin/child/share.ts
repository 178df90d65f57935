import { PxError } from '../../error/error.ts';

/** A linear memory (in pages of 64 KiB) or a table (in entries) that a core module defines. */
export interface Extent {
  min: number;
  max: number | undefined;
}

/** Most entries all tables of a plugin together may have. */
const tableCap = 100_000;
/** Most core instances of a plugin; the largest known guest has 14. */
const maxInstances = 128;
const pagesPerMib = 16;

/**
 * How often each core module is instantiated, by file name: each time it gets memories and tables of its own. Read from the generated
 * JavaScript, where no name can hide one (names have no quotes) and a false one only makes the shares smaller.
 * Throws PxError `plugin.memory`.
 */
export function instancesOf(files: [string, Uint8Array][]): Map<string, number> {
  const code = new TextDecoder().decode(files.find(([name]) => name === 'plugin.js')?.[1]);
  const names = new Map<string, string>();
  for (const [, variable = '', name = ''] of code.matchAll(/\b(module\d+)\s*=\s*getCoreModule\(['"]([\w.-]+)['"]\)/g))
    names.set(variable, name);
  const times = new Map<string, number>();
  let all = 0;
  for (const [, variable = ''] of code.matchAll(/\binstantiateCore\((module\d+)\b/g)) {
    const name = names.get(variable) ?? '';
    times.set(name, (times.get(name) ?? 0) + 1);
    if (++all > maxInstances)
      throw new PxError('plugin.memory', `it is made of more than ${maxInstances} core instances`);
  }
  return times;
}

/**
 * How far each memory may grow so that all together never pass the cap, in pages. What is left above the minimums is shared
 * in proportion to them: the one that holds the program gets nearly all of it. Throws PxError `plugin.memory`.
 */
export function shareMemory(memories: Extent[], memoryMb: number): number[] {
  const cap = memoryMb * pagesPerMib;
  const least = memories.reduce((sum, m) => sum + m.min, 0);
  if (least > cap)
    throw new PxError(
      'plugin.memory',
      `it needs ${Math.ceil(least / pagesPerMib)} MiB to start, ${memoryMb} are allowed`,
      {
        hint: 'Raise limits.memory_mb of the plugin in px.yaml.',
      },
    );
  const caps = memories.map((m) => m.min);
  let left = cap - least;
  const open = new Set(memories.keys());
  // Those with a maximum of their own may leave some of their share to the others.
  for (const bounded of [true, false]) {
    const weight = [...open].reduce((sum, i) => sum + (memories[i]?.min ?? 0) + 1, 0);
    const budget = left;
    for (const i of [...open]) {
      const memory = memories[i];
      if (!memory) continue;
      const share = Math.floor((budget * (memory.min + 1)) / weight);
      const room = memory.max === undefined ? Number.POSITIVE_INFINITY : Math.max(0, memory.max - memory.min);
      if (bounded && room > share) continue;
      const given = Math.min(share, room, left);
      caps[i] = memory.min + given;
      left -= given;
      open.delete(i);
    }
  }
  return caps;
}

/** How far each table may grow so that all together stay within a bound, in entries. Throws PxError `plugin.memory`. */
export function shareTables(tables: Extent[]): number[] {
  const least = tables.reduce((sum, table) => sum + table.min, 0);
  if (least > tableCap)
    throw new PxError('plugin.memory', `its tables begin with ${least} entries, ${tableCap} are allowed`);
  const each = Math.floor((tableCap - least) / tables.length);
  return tables.map(({ min, max }) => Math.min(max ?? tableCap, min + each));
}
