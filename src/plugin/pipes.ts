import { dlopen } from 'bun:ffi';
import type { Subprocess } from 'bun';
import { libcName } from './child/libc.ts';

/*
 * Bun gives a child sockets and keeps their descriptors to itself. Plain pipes wake a sleeping process sooner, and can be waited for: the
 * event loop's way to an answer that is there after 0.1 ms takes as long again.
 */

/** The daemon's ends of what a child reads and writes. */
export interface Pipes {
  /** Sends bytes, in order. Never throws: that the child is gone shows in what it says. */
  write(bytes: Uint8Array): void;
  /** What comes next; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Stands still until something comes, for at most so many ms; undefined when nothing came. */
  readNow(ms: number): Uint8Array | undefined;
  /** Closes them. */
  close(): void;
}

/** Two pipes, the child's ends with them. */
interface OpenPipes extends Pipes {
  /** What becomes the child's standard input and output. */
  readonly child: { stdin: number; stdout: number };
  /** Lets go of the child's ends: it has them by now, or never will. */
  started(): void;
}

/** Of Linux, the same on each processor. */
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const setFlags = 4;
const readable = 1;

/** What one read takes at most: a call's answer of usual size comes at once. */
const atOnce = 16_384;

/** Opens two pipes; Linux only. Throws Error when the process may open no more. */
export function openPipes(): OpenPipes {
  libc ??= openLibc();
  const { pipe2, fcntl, close, poll, read, write } = libc;
  const ends = new Int32Array(4);
  if (pipe2(ends, closeOnExec) !== 0) throw new Error('no pipe can be opened');
  const [childStdin = -1, toChild = -1] = ends;
  if (pipe2(ends.subarray(2), closeOnExec) !== 0) {
    close(childStdin);
    close(toChild);
    throw new Error('no second pipe can be opened');
  }
  const [, , fromChild = -1, childStdout = -1] = ends;
  // A child waits at its ends, the daemon never does at its own.
  for (const fd of [toChild, fromChild]) fcntl(fd, setFlags, nonBlocking);
  // Both have copies of the descriptors.
  const sink = Bun.file(toChild).writer();
  const reader = Bun.file(fromChild).stream().getReader();
  const wanted = new Int32Array([fromChild, readable]);
  const bytes = new Uint8Array(atOnce);
  let open = true;
  /** Writes that the sink has taken and not yet done. */
  let queued = 0;
  const done = () => {
    queued--;
  };
  return {
    child: { stdin: childStdin, stdout: childStdout },
    started() {
      close(childStdin);
      close(childStdout);
    },
    write(frame) {
      if (!open) return;
      const taken = queued === 0 ? Math.max(0, write(toChild, frame, frame.length)) : 0;
      if (taken === frame.length) return;
      try {
        sink.write(frame.subarray(taken));
        queued++;
        void Promise.resolve(sink.flush()).then(done, done);
      } catch {
        // It is gone.
      }
    },
    read: async () => (await reader.read()).value,
    readNow(ms) {
      if (!open || poll(wanted, 1, ms) <= 0) return undefined;
      const count = read(fromChild, bytes, atOnce);
      return count > 0 ? bytes.slice(0, count) : undefined;
    },
    close() {
      if (!open) return;
      open = false;
      close(toChild);
      close(fromChild);
      void reader.cancel().catch(() => {});
      void Promise.resolve(sink.end()).catch(() => {});
    },
  };
}

/** The sockets that Bun made: they cannot be waited for. */
export function sockets(child: Subprocess<'pipe', 'pipe', 'ignore'>): Pipes {
  const reader = child.stdout.getReader();
  return {
    write(frame) {
      try {
        child.stdin.write(frame);
        void Promise.resolve(child.stdin.flush()).catch(() => {});
      } catch {
        // It is gone.
      }
    },
    read: async () => (await reader.read()).value,
    readNow: () => undefined,
    close() {},
  };
}

let libc: ReturnType<typeof openLibc> | undefined;

function openLibc() {
  return dlopen(libcName(), {
    pipe2: { args: ['ptr', 'i32'], returns: 'i32' },
    fcntl: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    close: { args: ['i32'], returns: 'i32' },
    poll: { args: ['ptr', 'u64', 'i32'], returns: 'i32' },
    read: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
    write: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  } as const).symbols;
}
