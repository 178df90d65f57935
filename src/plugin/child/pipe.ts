import { readSync, writeSync } from 'node:fs';
import { encodeFrame, frameLength, parseFrame } from '../frame.ts';

/*
 * The child's side of the pipe: plain blocking reads and writes on descriptors 0 and 1. The guest's imports are synchronous, so a
 * host call blocks here until the daemon answered. End of input means that the daemon is gone, and so does the child.
 */

const stdin = 0;
const stdout = 1;

/** The next payload as bytes; ends the process at end of input. */
export function readBlob(): Uint8Array<ArrayBuffer> {
  return readBytes(frameLength(readBytes(4)));
}

/** The next payload as JSON from the daemon, which is trusted. */
export function readFrame<T>(): T {
  return parseFrame(readBlob()) as T;
}

function readBytes(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  let at = 0;
  while (at < count) {
    const got = retry(() => readSync(stdin, bytes, at, count - at, null));
    if (got === 0) process.exit(0);
    at += got;
  }
  return bytes;
}

/** Sends a frame, and blobs after it. */
export function writeFrame(value: unknown, blobs: Uint8Array[] = []): void {
  const bytes = encodeFrame(value, blobs);
  let at = 0;
  while (at < bytes.length) at += retry(() => writeSync(stdout, bytes, at));
}

/** A call that may find its pipe in non-blocking mode. */
function retry(work: () => number): number {
  for (;;) {
    try {
      return work();
    } catch (e) {
      if (!(e instanceof Error && 'code' in e && e.code === 'EAGAIN')) throw e;
      Bun.sleepSync(1);
    }
  }
}
