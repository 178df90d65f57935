import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readlink, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError, isBelow } from './path.ts';

/*
 * How a file below a granted folder is reached: one folder after the other is opened, each by its name within the one before, which the kernel
 * finds by its descriptor (`/proc/self/fd/N/name`, as `openat` does). A link is never followed (O_NOFOLLOW). So no name that is
 * changed between a check and its use leads anywhere else: what was opened is what was checked.
 */

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;

/** An open folder. Whoever has it closes it. */
export type Dir = FileHandle;

/** A name within an open folder, for a call that does not follow it. */
export const within = (dir: Dir, name: string): string => `/proc/self/fd/${dir.fd}/${name}`;

/** Opens a granted folder; one to be written is made when only itself is missing. Throws FileError. */
export async function openRoot(path: string, write: boolean, home: string): Promise<Dir> {
  if (process.platform !== 'linux') throw new FileError('unavailable: px can guard folders on Linux only');
  const own = await realpath(home);
  if (write && !isBelow(await realpath(dirname(path)).catch(() => own), own))
    await mkdir(path, { mode: 0o700 }).catch(() => {});
  const real = await orFail(realpath(path), path);
  const dir = await orFail(open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
  return closedOnError(dir, async () => {
    // Where it is, the kernel says; the path that led to it may have changed.
    const at = await orFail(readlink(`/proc/self/fd/${dir.fd}`), '/proc');
    if (isBelow(at, own) || isBelow(own, at))
      throw new FileError(`denied: ${path} is or holds px's own home, which no plugin reaches`, true);
    await notHome(dir, home);
  });
}

/** Opens the folder of this name in another, or makes it first. Throws FileError. */
export async function enter(dir: Dir, name: string, make: boolean, home: string): Promise<Dir> {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  const opened = await open(within(dir, name), flags).catch(async (thrown: unknown) => {
    if (!make || codeOf(thrown) !== 'ENOENT') throw failure(thrown, name);
    await mkdir(within(dir, name), { mode: 0o700 }).catch(() => {});
    return orFail(open(within(dir, name), flags), name);
  });
  return closedOnError(opened, () => notHome(opened, home));
}

/** What stands under a name in an open folder, itself if it is a link; undefined when there is nothing. */
export async function look(dir: Dir, name: string): Promise<Stats | undefined> {
  return lstat(within(dir, name)).catch((thrown: unknown) => {
    if (codeOf(thrown) === 'ENOENT') return undefined;
    throw failure(thrown, name);
  });
}

/** Refuses what is no plain file of this one name: links, pipes, devices, and files with a second name that may be anywhere. */
export function plainFile(found: Stats | undefined, name: string): Stats {
  if (!found) throw new FileError(`not-found: ${name}`);
  if (found.isSymbolicLink()) throw new FileError(`denied: ${name} is a link, and links are not followed`, true);
  if (found.isDirectory()) throw new FileError(`invalid: ${name} is a folder`);
  if (!found.isFile()) throw new FileError(`denied: ${name} is a pipe, socket or device`, true);
  if (found.nlink > 1) throw new FileError(`denied: ${name} has other names (hard links) and is left alone`, true);
  return found;
}

/** Opens a plain file to be read. It never waits, as opening a pipe would. Throws FileError. */
export async function openFile(dir: Dir, name: string): Promise<FileHandle> {
  plainFile(await look(dir, name), name);
  const file = await orFail(open(within(dir, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), name);
  return closedOnError(file, async () => void plainFile(await file.stat(), name));
}

/** A folder that is px's home is never entered, wherever it was mounted or moved to. */
async function notHome(dir: Dir, home: string): Promise<void> {
  const [here, own] = await Promise.all([dir.stat(), stat(home)]);
  if (own.dev === here.dev && own.ino === here.ino)
    throw new FileError("denied: px's own home, which no plugin reaches", true);
}

async function closedOnError(handle: FileHandle, check: () => Promise<void>): Promise<FileHandle> {
  try {
    await check();
    return handle;
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

/** Does work of the file system; what it fails with is told in words. */
export async function orFail<T>(work: Promise<T>, name: string): Promise<T> {
  return work.catch((thrown: unknown) => {
    throw failure(thrown, name);
  });
}

const codeOf = (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '');

/** What an error of the file system means, in words. */
function failure(thrown: unknown, name: string): FileError {
  if (thrown instanceof FileError) return thrown;
  const code = codeOf(thrown);
  if (code === 'ENOENT') return new FileError(`not-found: ${name}`);
  if (code === 'ELOOP' || code === 'ENOTDIR')
    return new FileError(`denied: ${name} is a link or no folder, and links are not followed`, true);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new FileError(`denied: the system does not let px at ${name}`);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new FileError('too-large: the disk is full');
  if (code === 'ENOTEMPTY' || code === 'EEXIST') return new FileError(`invalid: ${name} is not empty`);
  return new FileError(`failed: ${name}: ${code || 'unknown'}`);
}
