import { readFileSync } from 'node:fs';
import type { Subprocess } from 'bun';
import { PxError } from '../error/error.ts';
import { FrameCutter, FrameError } from './frame.ts';
import { openPipes, type Pipes, sockets } from './pipes.ts';
import { childEnvironment } from './self.ts';

/** Whether plugins may run where the kernel cannot lock them. */
export type SandboxMode = 'required' | 'best-effort';

/** A locked child and its pipe. Frames come in order, one at a time: the next is read when the last was handled. */
export interface Child {
  readonly pid: number;
  /** Sends bytes (frames). Never throws: a child that is gone shows in `exited`. */
  send(bytes: Uint8Array): void;
  /**
   * Stands still, and the daemon with it, until `done` or for so many ms, and handles what the child says meanwhile: an answer that comes
   * sooner than that is not worth the event loop's way. Ends at a frame whose handling takes time. Does nothing where px cannot wait so.
   */
  hear(done: () => boolean, ms: number): void;
  /** SIGKILL. */
  kill(): void;
  /** Resolves as soon as the process is gone. */
  readonly died: Promise<unknown>;
  /** Resolves when the process is gone and all it said was handled, with a word on how it ended. */
  readonly exited: Promise<string>;
  /** Resident bytes, or undefined when the system does not say. */
  rss(): number | undefined;
  /** Processor time used so far by all threads, in ms, or undefined. */
  cpu(): number | undefined;
}

/** How a child is started. */
export interface ChildOptions {
  command: string[];
  /** Longest frame taken from it, in bytes. */
  maxFrame: number;
  /** Called with each payload; the next one waits for it. A throw kills the child. */
  onFrame(payload: Uint8Array): void | Promise<void>;
  /** Called once when the child broke a rule of the pipe, before the kill. */
  onBroken(error: FrameError): void;
}

/** Starts a child with a clean environment, in `/`, with two pipes and nothing else. */
export function startChild(options: ChildOptions): Child {
  let child: Subprocess;
  let pipes: Pipes;
  try {
    [child, pipes] = spawn(options.command);
  } catch (cause) {
    throw new PxError('sandbox.unavailable', `a plugin's process cannot be started: ${options.command[0]}`, { cause });
  }
  const kill = () => child.kill('SIGKILL');
  const cutter = new FrameCutter(options.maxFrame);
  /** A frame is being handled, and others wait for it. */
  let busy: Promise<void> | undefined;
  let broken = false;
  const onBroken = (e: unknown) => {
    broken = true;
    options.onBroken(e instanceof FrameError ? e : new FrameError(e instanceof Error ? e.message : String(e)));
    kill();
  };
  /** Handles the frames that are whole. Most are done with at once; a needless wait here is felt in every call. */
  const handle = (): void | Promise<void> => {
    for (let frame = cutter.next(); frame && !broken; frame = cutter.next()) {
      const handled = options.onFrame(frame);
      if (handled) return handled.then(handle);
    }
  };
  const take = (bytes: Uint8Array): void => {
    try {
      cutter.add(bytes);
      const handled = handle();
      if (!handled) return;
      busy = handled.catch(onBroken).finally(() => {
        busy = undefined;
      });
    } catch (e) {
      onBroken(e);
    }
  };
  const pump = async (): Promise<void> => {
    for (;;) {
      const bytes = await pipes.read();
      if (busy) await busy;
      if (!bytes || broken) return;
      take(bytes);
    }
  };
  // What the child said before it ended is heard before its end is told.
  const exited = Promise.all([child.exited, pump().catch(onBroken)]).then(([code]) => {
    pipes.close();
    return String(child.signalCode ?? `exit code ${code}`);
  });
  return {
    pid: child.pid,
    send: pipes.write,
    hear(done, ms) {
      const until = performance.now() + ms;
      for (let left = ms; left > 0 && !busy && !broken && !done(); left = until - performance.now()) {
        const bytes = pipes.readNow(Math.ceil(left));
        if (!bytes) return;
        take(bytes);
      }
    },
    kill,
    died: child.exited,
    exited,
    // Not `statm`: it counts pages, and a Pi's pages may be 16 KiB.
    rss: () => readProc(child.pid, 'status', (text) => Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) * 1024),
    cpu: () =>
      readProc(child.pid, 'stat', (text) => {
        // Fields after the name, which may itself hold spaces and brackets: utime and stime are the 12th and 13th.
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
        return (Number(fields[11]) + Number(fields[12])) * tickMs;
      }),
  };
}

/** USER_HZ is 100 on every Linux px is built for. */
const tickMs = 10;

function readProc(pid: number, file: 'stat' | 'status', parse: (text: string) => number): number | undefined {
  try {
    const value = parse(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Starts it with nothing but two pipes. */
function spawn(command: string[]): [Subprocess, Pipes] {
  const rest = { stderr: 'ignore', env: childEnvironment, cwd: '/' } as const;
  if (process.platform !== 'linux') {
    const child = Bun.spawn(command, { ...rest, stdin: 'pipe', stdout: 'pipe' });
    return [child, sockets(child)];
  }
  const pipes = openPipes();
  try {
    return [Bun.spawn(command, { ...rest, ...pipes.child }), pipes];
  } catch (e) {
    pipes.close();
    throw e;
  } finally {
    pipes.started();
  }
}

/** Throws PxError `sandbox.unavailable` when a layer is missing and the mode does not accept that. */
export function checkLayers(layers: Record<string, string>, mode: SandboxMode): void {
  if (mode === 'best-effort') return;
  const missing = ['seccomp', 'no_new_privs', 'rlimits', 'descriptors'].filter((layer) => layers[layer] !== 'active');
  if (missing.length === 0) return;
  const said = missing.map((layer) => `${layer}: ${layers[layer] ?? 'absent'}`).join('; ');
  throw new PxError('sandbox.unavailable', `a plugin's process cannot be locked here (${said})`, {
    hint: 'Set sandbox.mode to best-effort in px.yaml to run plugins with WebAssembly, caps and limits only.',
  });
}
