import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../log/log.ts';
import type { IndexDb } from './index-db.ts';
import { indexFile, removeFile, stampOf, type Work } from './index-file.ts';
import { Breath, isHidden, isNote, notIndexed, walk } from './walk.ts';

/** What the indexer works with. */
export interface IndexerOptions {
  db: IndexDb;
  /** Real path of memory/. */
  root: string;
  maxBytes: () => number;
  log: Log;
  /** A file's passages are in the index. */
  indexed?: (path: string) => void;
  /** Nothing else waits for this process: it works in long slices, and changes the index in large steps. */
  alone?: boolean;
  /** Does a large amount of indexing elsewhere; resolves false when it cannot. */
  elsewhere?: () => Promise<boolean>;
  /** Hears of each file that is announced, to hand it on to where the indexing is done. */
  touched?: (path: string) => void;
}

/** Walking over more files than this, or indexing more bytes, is handed to another process, so that this one's memory does not grow. */
const bulk = { files: 300, bytes: 4_000_000 };

/** How long a slice may be for a process of its own, in ms. */
const longSlice = 100;

/** More announced changes than this at once are not remembered one by one: the folder is walked instead. */
const mostTouched = 500;

/** Brings the index in line with the folder: what was announced first, then what a walk finds. One piece of work at a time, in slices. */
export class Indexer {
  readonly #options: IndexerOptions;
  readonly #work: Work;
  readonly #touched = new Set<string>();
  #scanWanted = false;
  #running: Promise<void> | undefined;
  #closed = false;
  /** How many files were indexed, and taken out. */
  changed = 0;

  constructor(options: IndexerOptions) {
    this.#options = options;
    const { db, root, maxBytes, alone } = options;
    this.#work = { db, root, maxBytes, breath: new Breath(() => db.flush(), alone ? longSlice : undefined) };
  }

  /** A path below memory/ changed. A folder's change leads to a walk. Log and ledger are not indexed: they would drown what was said. */
  touch(path: string): void {
    if (path.split('/').some(isHidden) || /^(?:log|ledger)\//.test(path)) return;
    if (!isNote(path) || this.#touched.size >= mostTouched) {
      this.#scanWanted ||= isNote(path) || this.#isFolder(path);
      if (this.#scanWanted) this.#touched.clear();
    } else this.#touched.add(path);
    if (isNote(path)) this.#options.touched?.(path);
  }

  /** The whole folder is compared with the index at the next run. */
  requestScan(): void {
    this.#scanWanted = true;
  }

  /** Works until nothing is left to do. */
  async run(): Promise<void> {
    while (!this.#closed && (this.#running || this.#scanWanted || this.#touched.size > 0)) {
      this.#running ??= this.#guardedRound().finally(() => {
        this.#running = undefined;
      });
      await this.#running;
    }
  }

  /** Stops after the file at hand. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  /** One round that never throws: what a full disk or a locked index kept from being done is found by the next walk. */
  async #guardedRound(): Promise<void> {
    try {
      await this.#round();
      this.#options.db.flush();
    } catch (error) {
      this.#touched.clear();
      this.#scanWanted = false;
      this.#options.log.warn('memory could not be indexed', { error: String(error) });
    }
  }

  async #round(): Promise<void> {
    if (this.#scanWanted) {
      this.#scanWanted = false;
      this.#touched.clear();
      await this.#scan();
    }
    await this.#touchedSoFar();
  }

  async #touchedSoFar(): Promise<void> {
    for (const path of this.#touched) {
      if (this.#closed) return;
      this.#touched.delete(path);
      await this.#one(path);
    }
  }

  async #scan(): Promise<void> {
    const { db, root, breath } = this.#work;
    if (this.#options.elsewhere && db.holdsMoreThan(bulk.files) && (await this.#options.elsewhere())) return;
    const gone = new Set(db.folders());
    // Held back until it is sure that they are few; undefined from the moment on that they are many and nobody else can do it.
    let changed: string[] | undefined = [];
    let bytes = 0;
    for await (const { path: folder, notes } of walk(root, '', notIndexed, breath)) {
      gone.delete(folder);
      const known = db.inFolder(folder);
      // Once a folder, not once a file: nobody waits in between when this is a process of its own.
      const sure = this.#options.alone && this.#isReached(folder);
      for (const { name, stats } of notes) {
        if (this.#closed) return;
        const path = folder === '' ? name : `${folder}/${name}`;
        const same = known.get(path) === stampOf(stats);
        known.delete(path);
        if (same) continue;
        if (changed === undefined) {
          await this.#one(path, sure ? stats : undefined);
          continue;
        }
        changed.push(path);
        if (stats.size <= this.#work.maxBytes()) bytes += stats.size;
        if (changed.length <= bulk.files && bytes <= bulk.bytes) continue;
        db.flush();
        if (await this.#options.elsewhere?.()) return;
        await this.#each(changed);
        changed = undefined;
      }
      await this.#each(known.keys());
    }
    if (changed) await this.#each(changed);
    for (const folder of gone) await this.#each(db.inFolder(folder).keys());
  }

  async #each(paths: Iterable<string>): Promise<void> {
    for (const path of paths) await this.#one(path);
  }

  /** Brings one file up to date, whatever became of it. */
  async #one(path: string, known?: Stats): Promise<void> {
    const { indexed, log } = this.#options;
    if (this.#closed) return;
    if (this.#work.breath.due) await this.#work.breath.pause();
    // What was saved just now does not wait for the many, whichever pause it was told in.
    if (this.#touched.size > 0) await this.#touchedSoFar();
    try {
      const stats = known ?? this.#plainFile(path);
      if (!stats) await removeFile(this.#work, path);
      else if (!(await indexFile(this.#work, path, stats))) return;
      else {
        indexed?.(path);
        if (stats.size > this.#work.maxBytes())
          log.warn(`${path} is too large to be searched: split it, or raise memory.max_file_bytes`);
      }
      this.changed++;
    } catch (error) {
      log.warn('a note could not be indexed', { path, error: error instanceof Error ? error.message : String(error) });
    }
  }

  /** The file's state when it is a plain file reached through no link. */
  #plainFile(path: string) {
    const file = join(this.#options.root, path);
    const stats = lstatSync(file, { throwIfNoEntry: false });
    return stats?.isFile() && this.#isReached(path) ? stats : undefined;
  }

  /** True for what is reached through no link. */
  #isReached(path: string): boolean {
    const file = join(this.#options.root, path);
    try {
      return realpathSync(file) === file;
    } catch {
      return false;
    }
  }

  #isFolder(path: string): boolean {
    const stats = lstatSync(join(this.#options.root, path), { throwIfNoEntry: false });
    return stats === undefined || stats.isDirectory();
  }
}
