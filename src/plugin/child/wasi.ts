import { type Interface, unreachable } from './unreachable.ts';

/** WASI 0.2 interfaces that reach nothing and may therefore be imported; any other WASI import is refused at `add`. */
const inert =
  /^wasi:(cli\/(environment|exit|stdin|stdout|stderr|terminal-(input|output|stdin|stdout|stderr))|clocks\/(wall|monotonic)-clock|filesystem\/(types|preopens)|io\/(error|poll|streams)|random\/(random|insecure|insecure-seed)|sockets\/(network|instance-network|(udp|tcp)(-create-socket)?|ip-name-lookup))(@0\.2\.\d+)?$/;

/** Whether an import is WASI px answers with {@link inertWasi} or `inertSockets`. */
export function isInertWasi(name: string): boolean {
  return inert.test(name);
}

/** Ends lines that a guest has begun on its standard streams; there is one guest in a process. */
let finish = () => {};
/** After a call: what was printed without a line end is a line of the log, too. */
export const endLines = (): void => finish();

/** How a program ended itself, when that is what was thrown: `exit(0)` is good. */
export const exitOf = (thrown: unknown): 'good' | 'bad' | undefined =>
  thrown instanceof Exit ? (thrown.good ? 'good' : 'bad') : undefined;
class Exit extends Error {
  readonly good: boolean;
  constructor(good: boolean, status: string) {
    super(`the guest called exit: ${status}`);
    this.good = good;
  }
}

/**
 * The part of WASI 0.2 that reaches nothing: clocks, randomness, standard output as log lines, an empty environment, no
 * folders, no socket that could be had. Ordinary toolchains link it even for code that never uses it.
 */
export function inertWasi(
  log: (level: 'info' | 'warn', line: string) => void,
  time: () => number = Date.now,
): Record<string, Interface> {
  class IoError {
    toDebugString(): string {
      return 'closed';
    }
  }
  /** Ready from a time on, in ms of `performance.now`; waiting for it is sleep, which no other thing can end. */
  class Pollable {
    readonly at: number;
    constructor(at = 0) {
      this.at = at;
    }
    ready(): boolean {
      return performance.now() >= this.at;
    }
    block(): void {
      for (let left = this.at - performance.now(); left > 0; left = this.at - performance.now()) Bun.sleepSync(left);
    }
  }
  const closed = () => {
    throw { payload: { tag: 'closed' } };
  };
  class InputStream {
    read = closed;
    blockingRead = closed;
    skip = closed;
    blockingSkip = closed;
    subscribe(): Pollable {
      return new Pollable();
    }
  }
  class OutputStream {
    #level: 'info' | 'warn' | undefined;
    #line = '';
    #text = new TextDecoder();
    constructor(level?: 'info' | 'warn') {
      this.#level = level;
    }
    checkWrite(): bigint {
      return 65_536n;
    }
    write(bytes: Uint8Array): void {
      if (!this.#level) return;
      const lines = (this.#line + this.#text.decode(bytes, { stream: true })).split('\n');
      this.#line = (lines.pop() ?? '').slice(-4096);
      for (const line of lines) log(this.#level, line);
    }
    finish(): void {
      if (this.#level && this.#line !== '') log(this.#level, this.#line);
      this.#line = '';
    }
    blockingWriteAndFlush(bytes: Uint8Array): void {
      this.write(bytes);
    }
    flush(): void {}
    blockingFlush(): void {}
    writeZeroes(): void {}
    blockingWriteZeroesAndFlush(): void {}
    splice = closed;
    blockingSplice = closed;
    subscribe(): Pollable {
      return new Pollable();
    }
  }
  const Descriptor = unreachable(
    'Descriptor',
    'readViaStream writeViaStream appendViaStream advise syncData getFlags getType setSize setTimes read write readDirectory sync createDirectoryAt stat statAt setTimesAt linkAt openAt readlinkAt removeDirectoryAt renameAt symlinkAt unlinkFileAt isSameObject metadataHash metadataHashAt',
  );
  const DirectoryEntryStream = unreachable('DirectoryEntryStream', 'readDirectoryEntry');
  const random = (count: bigint): Uint8Array => {
    if (count > 1_048_576n) throw new Error('too many random bytes at once');
    const bytes = new Uint8Array(Number(count));
    for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    return bytes;
  };
  const randomU64 = (): bigint => new BigUint64Array(random(8n).buffer)[0] ?? 0n;
  const now = () => BigInt(Math.round(performance.now() * 1e6));
  const wall = () => {
    const ms = time();
    return { seconds: BigInt(Math.floor(ms / 1000)), nanoseconds: (ms % 1000) * 1_000_000 };
  };
  const out = new OutputStream('info');
  const err = new OutputStream('warn');
  finish = () => {
    out.finish();
    err.finish();
  };
  return {
    'wasi:cli/environment': { getEnvironment: () => [], getArguments: () => [], initialCwd: () => undefined },
    'wasi:cli/exit': {
      exit: (status: { tag: string }) => {
        throw new Exit(status.tag === 'ok', status.tag);
      },
      exitWithCode: (code: number) => {
        throw new Exit(code === 0, String(code));
      },
    },
    'wasi:cli/stdin': { InputStream, getStdin: () => new InputStream() },
    'wasi:cli/stdout': { OutputStream, getStdout: () => out },
    'wasi:cli/stderr': { OutputStream, getStderr: () => err },
    'wasi:cli/terminal-input': { TerminalInput: class {} },
    'wasi:cli/terminal-output': { TerminalOutput: class {} },
    'wasi:cli/terminal-stdin': { getTerminalStdin: () => undefined },
    'wasi:cli/terminal-stdout': { getTerminalStdout: () => undefined },
    'wasi:cli/terminal-stderr': { getTerminalStderr: () => undefined },
    'wasi:clocks/wall-clock': { now: wall, resolution: () => ({ seconds: 0n, nanoseconds: 1_000_000 }) },
    'wasi:clocks/monotonic-clock': {
      now,
      resolution: () => 1000n,
      subscribeInstant: (when: bigint) => new Pollable(Number(when) / 1e6),
      subscribeDuration: (span: bigint) => new Pollable(performance.now() + Number(span) / 1e6),
    },
    'wasi:filesystem/preopens': { Descriptor, getDirectories: () => [] },
    'wasi:filesystem/types': { Descriptor, DirectoryEntryStream, filesystemErrorCode: () => undefined },
    'wasi:io/error': { Error: IoError },
    'wasi:io/poll': {
      Pollable,
      poll: (list: Pollable[]) => {
        if (list.length === 0) throw new Error('poll has nothing to wait for');
        list.reduce((first, one) => (one.at < first.at ? one : first)).block();
        return Uint32Array.from([...list.keys()].filter((i) => list[i]?.ready()));
      },
    },
    'wasi:io/streams': { InputStream, OutputStream },
    'wasi:random/random': { getRandomBytes: random, getRandomU64: randomU64 },
    'wasi:random/insecure': { getInsecureRandomBytes: random, getInsecureRandomU64: randomU64 },
    'wasi:random/insecure-seed': { insecureSeed: () => [randomU64(), randomU64()] },
  };
}
