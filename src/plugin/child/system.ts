import { dlopen, read as memory, ptr } from 'bun:ffi';
import { libcName } from './libc.ts';

/*
 * The few system calls a plugin's process makes by itself, through the C library: `node:fs` takes longer to load than all else that comes
 * before the lock.
 */

const darwin = process.platform === 'darwin';
const again = new Set([4, darwin ? 35 : 11]);

const { symbols: libc } = dlopen(libcName(), {
  // No call of these takes 2 GiB: as i64 each result would be a bigint.
  read: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  write: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  open: { args: ['ptr', 'i32'], returns: 'i32' },
  close: { args: ['i32'], returns: 'i32' },
  readlink: { args: ['ptr', 'ptr', 'u64'], returns: 'i64' },
});
const place = { args: [], returns: 'ptr' } as const;
const errnoAt = darwin
  ? dlopen(libcName(), { __error: place }).symbols.__error
  : dlopen(libcName(), { __errno_location: place }).symbols.__errno_location;

function errno(): number {
  const at = errnoAt();
  return at === null ? 0 : memory.i32(at);
}

/** Reads into the rest of an array; blocks. Gives how many bytes came, 0 at the end. Throws Error. */
export function readInto(fd: number, into: Uint8Array, at = 0): number {
  return whole('read', () => libc.read(fd, ptr(into, at), into.length - at));
}

/** Writes the rest of an array; blocks. Gives how many bytes were taken. Throws Error. */
export function writeFrom(fd: number, bytes: Uint8Array, at = 0): number {
  return whole('write', () => libc.write(fd, ptr(bytes, at), bytes.length - at));
}

/** Does a call again that was disturbed, or that found its pipe in non-blocking mode. */
function whole(what: string, call: () => number): number {
  for (;;) {
    const done = call();
    if (done >= 0) return done;
    const why = errno();
    if (!again.has(why)) throw new Error(`${what}: error ${why}`);
    Bun.sleepSync(1);
  }
}

const pathOf = (path: string) => new TextEncoder().encode(`${path}\0`);

/** Opens a file or folder for reading. Throws Error. */
export function openPath(path: string): number {
  return whole(`open ${path}`, () => libc.open(ptr(pathOf(path)), 0));
}

/** Closes a descriptor; whether that was one. */
export function closeFd(fd: number): boolean {
  return libc.close(fd) === 0;
}

/** Where a link leads; undefined when it is none or gone. */
export function linkOf(path: string): string | undefined {
  const target = new Uint8Array(256);
  const length = Number(libc.readlink(ptr(pathOf(path)), ptr(target), target.length));
  return length < 0 ? undefined : new TextDecoder().decode(target.subarray(0, length));
}

/** The text of a small file, like those below `/proc`. Throws Error. */
export function textOf(path: string, max = 16_384): string {
  const fd = openPath(path);
  const bytes = new Uint8Array(max);
  let length = 0;
  try {
    for (let some = 1; some > 0 && length < max; length += some) some = readInto(fd, bytes, length);
  } finally {
    closeFd(fd);
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}
