import { lstatSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How long one slice of background work may hold the event loop, in ms. */
const patient = 3;

/** Lets other work run when the current slice is used up. */
export class Breath {
  readonly #before: () => void;
  readonly #slice: number;
  #since = performance.now();

  /** `before` runs before each pause; a slice is short enough for other work to go on, or as long as given, in ms. */
  constructor(before: () => void = () => {}, slice: number = patient) {
    this.#before = before;
    this.#slice = slice;
  }

  /** True when it is time for a pause. */
  get due(): boolean {
    return performance.now() - this.#since >= this.#slice;
  }

  /** Lets the event loop have its turn. */
  async pause(): Promise<void> {
    this.#before();
    await new Promise<void>((resume) => setImmediate(resume));
    this.#since = performance.now();
  }
}

/** True for a path that is never a note: hidden files and folders, px's temporary files. */
export const isHidden = (name: string): boolean => name.startsWith('.');

/** Folders below memory/ whose words are not indexed: they would drown what was said. */
export const notIndexed = ['log', 'ledger'];

/** What one folder holds: its notes and folders. Links are not followed. */
export interface Folder {
  /** Path below memory/, `''` for memory/ itself. */
  path: string;
  notes: { name: string; stats: Stats }[];
}

/** Walks memory/ folder by folder, a slice at a time. `only` limits it to a folder. */
export async function* walk(
  root: string,
  only = '',
  skip: string[] = [],
  breath = new Breath(),
): AsyncGenerator<Folder> {
  const open = [only];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const names = await readdir(join(root, path)).catch(() => []);
    const notes: Folder['notes'] = [];
    for (const name of names) {
      if (isHidden(name)) continue;
      if (breath.due) await breath.pause();
      const below = path === '' ? name : `${path}/${name}`;
      const stats = lstatSync(join(root, below), { throwIfNoEntry: false });
      if (stats?.isDirectory()) {
        if (!skip.includes(below)) open.push(below);
      } else if (stats?.isFile() && isNote(name)) notes.push({ name, stats });
    }
    yield { path, notes };
  }
}

/** True for the name of a Markdown file. */
export const isNote = (name: string): boolean => /\.md$/i.test(name);
