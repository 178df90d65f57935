import { closeSync, fstatSync, fsync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Replaces a file in one step: a new file beside it is written, synced and moved over it, so a crash leaves the old or the new, never half.
 * `last` is asked right before the move; false leaves the old file, and is answered.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  last: () => boolean = () => true,
): Promise<boolean> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  );
  const temporary = join(dirname(path), `.px-${crypto.getRandomValues(new Uint8Array(6)).toHex()}.tmp`);
  const file = await open(temporary, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
    await file.close();
    if (!last()) {
      await unlink(temporary);
      return false;
    }
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/**
 * Appends to a file in one write and one fsync. When the disk refuses midway, what was written is taken back. Only the disk is waited for elsewhere: to hand
 * the other calls to another thread takes several times as long as they do.
 */
export async function appendFile(path: string, bytes: Uint8Array): Promise<void> {
  const file = openSync(path, 'a', 0o600);
  try {
    const { size } = fstatSync(file);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
      await new Promise<void>((resolve, reject) => fsync(file, (error) => (error ? reject(error) : resolve())));
    } catch (error) {
      takeBack(file, size);
      throw error;
    }
    if (size === 0) await syncFolder(dirname(path));
  } finally {
    closeSync(file);
  }
}

function takeBack(file: number, size: number): void {
  try {
    ftruncateSync(file, size);
  } catch {
    // The next append finds the torn end.
  }
}

/** Makes a folder and those above it, private to this user. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first !== undefined) await syncFolder(dirname(first));
}

/** Makes a new name in a folder survive a power loss; some file systems refuse, which is no failure. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // Not every file system lets a folder be synced.
  }
}

/** One piece of work at a time for each key, in the order asked. */
export class Lanes {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => {});
    this.#last.set(key, settled);
    settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return mine;
  }

  /** Resolves when all work asked for until now is done. */
  async idle(): Promise<void> {
    await Promise.all([...this.#last.values()]);
  }
}
