import { encodeJson, frameLength, parseFrame } from '../frame.ts';
import { readInto, writeFrom } from './system.ts';

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
  fill();
  const length = frameLength(ahead, from);
  // Nearly every call came whole.
  if (until - from < 4 + length) return parseFrame(readBlob()) as T;
  const payload = ahead.subarray(from + 4, from + 4 + length);
  from += 4 + length;
  return parseFrame(payload) as T;
}

/** What was read ahead: a frame of usual size costs one system call. What is larger is read straight to where it belongs. */
const ahead = new Uint8Array(16_384);
let from = 0;
let until = 0;

function readBytes(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  let at = 0;
  while (at < count) {
    if (count - at < ahead.length) fill();
    if (from === until) {
      at += read(bytes, at);
      continue;
    }
    const some = Math.min(count - at, until - from);
    bytes.set(ahead.subarray(from, from + some), at);
    from += some;
    at += some;
  }
  return bytes;
}

/** Reads ahead when nothing is left of what was. */
function fill(): void {
  if (from < until) return;
  until = read(ahead, 0);
  from = 0;
}

/** Reads into the rest of an array; ends the process at end of input. */
function read(into: Uint8Array, at: number): number {
  const got = readInto(stdin, into, at);
  if (got === 0) process.exit(0);
  return got;
}

/** Sends a frame, and blobs after it. */
export function writeFrame(value: unknown, blobs: Uint8Array[] = []): void {
  writeJson(JSON.stringify(value), blobs);
}

/** Sends a frame whose JSON is made already. */
export function writeJson(json: string, blobs: Uint8Array[] = []): void {
  const bytes = encodeJson(json, blobs);
  let at = 0;
  while (at < bytes.length) at += writeFrom(stdout, bytes, at);
}
