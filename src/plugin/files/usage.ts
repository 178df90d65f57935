import { readdir } from 'node:fs/promises';
import { type Dir, enter, look, orFail } from './walk.ts';

/** What a folder holds that plugins may see: files and folders together, and bytes of files. */
export interface Usage {
  files: number;
  bytes: number;
}

/** Counts what is below a folder, without following a link; no further than one more than `most` files. */
export async function measure(dir: Dir, most: number, home: string): Promise<Usage> {
  const usage = { files: 0, bytes: 0 };
  await count(dir, most, home, usage);
  return usage;
}

async function count(dir: Dir, most: number, home: string, usage: Usage): Promise<void> {
  const names = await orFail(readdir(`/proc/self/fd/${dir.fd}`), 'the folder');
  for (const name of names) {
    if (name.startsWith('.')) continue;
    if (usage.files > most) return;
    const found = await look(dir, name);
    if (!found) continue;
    usage.files++;
    if (found.isFile()) usage.bytes += found.size;
    if (!found.isDirectory()) continue;
    // One that is gone by now, may not be entered or became a link holds nothing.
    const inner = await enter(dir, name, false, home).catch(() => undefined);
    try {
      if (inner) await count(inner, most, home, usage);
    } finally {
      await inner?.close();
    }
  }
}
