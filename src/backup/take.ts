import { createHash } from 'node:crypto';
import {
  closeSync,
  createWriteStream,
  existsSync,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  type Stats,
  type WriteStream,
} from 'node:fs';
import { link, readdir, realpath, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { asOwner } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import { settledLength } from '../memory/memory.ts';
import { snapshotDatabase } from '../store/store.ts';
import type { BackedUp, BackupOptions } from './backup.ts';
import { manifestName } from './format.ts';
import { type Lean, stayLean } from './lean.ts';
import { sealStream } from './seal.ts';
import { padding, tarEnd, tarHeader } from './tar.ts';

/** What is made again by itself, or is of this process only: databases apart from px.db, the lock, the address, compiled plugins. */
const passing = /^(?:index\.db.*|px\.db[-.].*|px\.lock.*|px\.pid|gateway\.json|cache|uploads|backup-.*|.*\.tmp)$/;
/** The parts of `state/` that must be as old as the journal or older: the journal is what counts, and runs ahead of them after a crash, too. */
const first = ['heads', 'px.db'];

/**
 * Writes one compressed tar of a whole home, also while px runs: `px.db` as of one moment, each journal up to an append that was completed, ends of
 * journals and `px.db` before the journals, as a crash would leave them. The file is readable by its owner only and there whole or not at all.
 * Typed by root for the home of somebody else, the file is root's, and all in the home is read as its owner.
 * Throws PxError `conflict`, `not-found`, `backup.failed`, `store.*`.
 */
export async function backUpHome(options: BackupOptions): Promise<BackedUp> {
  const { home, passphrase } = options;
  const file = resolve(options.file);
  if (!existsSync(home.state) && !existsSync(home.memory))
    throw new PxError('not-found', `There is no home at ${home.root}.`, { hint: 'Name another: px backup --home DIR' });
  if (existsSync(file)) throw new PxError('conflict', `${file} is there already.`, { hint: 'Name another file.' });
  const partial = `${file}.${process.pid}.partial`;
  try {
    const out = createWriteStream(partial, { fd: openSync(partial, 'wx', 0o600), flush: true });
    const archive = await writeArchive(options, out, [file, partial]);
    const { size } = await stat(partial);
    // Never over a file that came meanwhile.
    await link(partial, file);
    return {
      file,
      files: archive.files,
      bytes: size,
      sealed: passphrase !== undefined,
      withKey: options.key ?? true,
      leftOut: archive.leftOut,
    };
  } catch (thrown) {
    if (thrown instanceof PxError) throw thrown;
    throw new PxError('backup.failed', `The backup could not be written: ${message(thrown)}`, { cause: thrown });
  } finally {
    await rm(partial, { force: true });
  }
}

/** Writes the archive of a home into what is open, which is closed at the end. `own`: files that are of this backup. */
async function writeArchive(options: BackupOptions, out: WriteStream, own: string[]): Promise<Archive> {
  const { home, passphrase, counted = { done: 0, total: 0 } } = options;
  using _ = asOwner(home);
  const leftOver = existsSync(home.state) ? readdirSync(home.state).filter((name) => name.startsWith('backup-')) : [];
  for (const name of leftOver) rmSync(join(home.state, name), { recursive: true, force: true });
  const work = existsSync(home.state) ? mkdtempSync(join(home.state, 'backup-')) : undefined;
  try {
    const archive = new Archive(options, work, own, await stayLean());
    counted.total = await archive.measure();
    const packed = createZstdCompress();
    const written = pipeline(passphrase === undefined ? packed : Readable.from(sealStream(packed, passphrase)), out);
    // Told below: what cannot be written fails the next piece, too.
    written.catch(() => {});
    await archive.writeTo(packed, counted).catch((thrown: Error) => packed.destroy(thrown));
    await written;
    return archive;
  } finally {
    if (work) rmSync(work, { recursive: true, force: true });
  }
}

const message = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));

/** Hands bytes on in pieces of one buffer, which is used again once a piece was taken: nothing is left behind for the collector of garbage. */
class Pieces {
  readonly #to: Writable;
  readonly #buffer = Buffer.allocUnsafeSlow(128 * 1024);
  #filled = 0;

  constructor(to: Writable) {
    this.#to = to;
  }

  /** Has the rest of the buffer filled by `read`, which says how many bytes it wrote there. These bytes, as long as nothing else is put. */
  async fill(read: (room: Buffer) => number): Promise<Buffer> {
    if (this.#filled === this.#buffer.length) await this.#flush();
    const from = this.#filled;
    this.#filled += read(this.#buffer.subarray(from));
    return this.#buffer.subarray(from, this.#filled);
  }

  async put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const put = await this.fill((room) => {
        const piece = bytes.subarray(at, at + room.length);
        room.set(piece);
        return piece.length;
      });
      at += put.length;
    }
  }

  async end(): Promise<void> {
    await this.#flush();
    this.#to.end();
  }

  async #flush(): Promise<void> {
    const piece = this.#buffer.subarray(0, this.#filled);
    // Called once the piece was packed, or when that failed.
    await new Promise<void>((resolve, reject) => {
      this.#to.write(piece, (thrown) => (thrown ? reject(thrown) : resolve()));
    });
    this.#filled = 0;
  }
}

/** One archive that is being written. */
class Archive {
  readonly #options: BackupOptions;
  /** Where `px.db` is copied to; undefined without one. */
  readonly #work: string | undefined;
  readonly #own: string[];
  readonly #lean: Lean;
  readonly leftOut: string[] = [];
  readonly #sums: Record<string, string> = {};

  constructor(options: BackupOptions, work: string | undefined, own: string[], lean: Lean) {
    this.#options = options;
    this.#work = work;
    this.#own = own;
    this.#lean = lean;
  }

  get files(): number {
    return Object.keys(this.#sums).length;
  }

  /** About how many bytes there are. */
  async measure(): Promise<number> {
    let total = 0;
    for await (const found of this.#walk()) total += found.stats.size;
    this.leftOut.length = 0;
    return total;
  }

  /** Writes the tar, and ends what it is written to. */
  async writeTo(packed: Writable, counted: { done: number }): Promise<void> {
    const out = new Pieces(packed);
    for await (const found of this.#walk()) {
      const { path, stats } = found;
      if (stats.isDirectory()) {
        await out.put(tarHeader({ path, kind: 'folder', size: 0, mode: stats.mode & 0o777, at: stats.mtimeMs }));
        continue;
      }
      let from = found.from;
      if (path === 'state/px.db' && this.#work) {
        from = join(this.#work, 'px.db');
        snapshotDatabase(found.from, from);
      }
      await this.#file(path, from, out, counted);
    }
    this.#lean.rest();
    const { version, key = true } = this.#options;
    const manifest = { format: 1, px: version, at: Date.now(), key, files: this.#sums };
    const bytes = new TextEncoder().encode(`${JSON.stringify(manifest)}\n`);
    await out.put(tarHeader({ path: manifestName, kind: 'file', size: bytes.length, mode: 0o600, at: manifest.at }));
    await out.put(bytes);
    await out.put(padding(bytes.length));
    await out.put(tarEnd());
    await out.end();
  }

  /** A file as long as it is now; a journal as far as it was completed. */
  async #file(path: string, from: string, out: Pieces, counted: { done: number }): Promise<void> {
    let file: number;
    try {
      file = openSync(from, 'r');
    } catch (thrown) {
      // Gone since it was listed: a note that was removed, a file that is made anew.
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return;
      throw thrown;
    }
    try {
      const stats = fstatSync(file);
      const settled = /^memory\/journal\/[^/]+\/[^/]+\.md$/.test(path) ? await settledLength(from) : stats.size;
      const size = Math.min(stats.size, settled);
      await out.put(tarHeader({ path, kind: 'file', size, mode: stats.mode & 0o777, at: stats.mtimeMs }));
      const hash = createHash('sha256');
      for (let at = 0; at < size; ) {
        const bytes = await out.fill((room) => readSync(file, room, 0, Math.min(room.length, size - at), at));
        if (bytes.length === 0)
          throw new PxError('backup.failed', `${from} became shorter while it was read.`, { retryable: true });
        hash.update(bytes);
        at += bytes.length;
        counted.done += bytes.length;
        this.#lean.worked(bytes.length);
      }
      await out.put(padding(size));
      this.#sums[path] = hash.digest('hex');
    } finally {
      closeSync(file);
    }
  }

  /** All that belongs into the archive, in the order it is read. */
  async *#walk(): AsyncGenerator<Found> {
    const { home, key = true } = this.#options;
    const state = existsSync(home.state) ? await readdir(home.state) : [];
    const rest = state.filter((name) => !passing.test(name) && !first.includes(name) && (key || name !== 'master.key'));
    if (state.length > 0)
      yield* this.#below('state', home.state, [...first.filter((name) => state.includes(name)), ...rest]);
    // A person may have put the folder elsewhere and linked it.
    for (const [name, path] of [
      ['memory', home.memory],
      ['plugins', home.plugins],
    ] as const)
      if (existsSync(path)) yield* this.#below(name, await realpath(path));
    if (existsSync(home.config)) yield { path: 'px.yaml', from: home.config, stats: await stat(home.config) };
  }

  async *#below(path: string, from: string, only?: string[]): AsyncGenerator<Found> {
    yield { path, from, stats: await stat(from) };
    const names = only ?? (await readdir(from)).filter((name) => !/^\.px-.*\.tmp$/.test(name));
    // A journal's pictures are written before what refers to them: read after it, none is missing.
    const later = path.startsWith('memory/journal/') && only === undefined;
    const inOrder = later ? names.filter((name) => name.endsWith('.md')) : names;
    yield* this.#each(path, from, inOrder);
    if (later)
      yield* this.#each(
        path,
        from,
        (await readdir(from)).filter((name) => !name.endsWith('.md')),
      );
  }

  async *#each(path: string, from: string, names: string[]): AsyncGenerator<Found> {
    for (const name of names) {
      const [inside, file] = [`${path}/${name}`, join(from, name)];
      this.#lean.file();
      const stats = lstatSync(file, { throwIfNoEntry: false });
      if (!stats || this.#own.includes(file)) continue;
      if (stats.isDirectory()) yield* this.#below(inside, file);
      else if (stats.isFile()) yield { path: inside, from: file, stats };
      else this.leftOut.push(inside);
    }
  }
}

interface Found {
  /** Path in the archive. */
  path: string;
  /** Where it stands. */
  from: string;
  stats: Stats;
}

/** The name of a backup taken now, where none is given: `px-backup-2026-05-27-1403.tar.zst`. */
export function backupName(now: Date, sealed: boolean): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `px-backup-${day}-${two(now.getHours())}${two(now.getMinutes())}.tar.zst${sealed ? '.sealed' : ''}`;
}
