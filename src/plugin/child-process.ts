import { readFileSync } from 'node:fs';
import type { Subprocess } from 'bun';
import { PxError } from '../error/error.ts';
import { FrameCutter, FrameError } from './frame.ts';
import { childEnvironment } from './self.ts';

/** Whether plugins may run where the kernel cannot lock them. */
export type SandboxMode = 'required' | 'best-effort';

/** A locked child and its pipe. Frames come in order, one at a time: the next is read when the last was handled. */
export interface Child {
  readonly pid: number;
  /** Sends bytes (frames). Never throws: a child that is gone shows in `exited`. */
  send(bytes: Uint8Array): void;
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
  let child: Subprocess<'pipe', 'pipe', 'ignore'>;
  try {
    child = Bun.spawn(options.command, {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'ignore',
      env: childEnvironment,
      cwd: '/',
    });
  } catch (cause) {
    throw new PxError('sandbox.unavailable', `a plugin's process cannot be started: ${options.command[0]}`, { cause });
  }
  const kill = () => child.kill('SIGKILL');
  const pumped = pump(child, options).catch((e: unknown) => {
    options.onBroken(e instanceof FrameError ? e : new FrameError(e instanceof Error ? e.message : String(e)));
    kill();
  });
  // What the child said before it ended is heard before its end is told.
  const exited = Promise.all([child.exited, pumped]).then(([code]) => String(child.signalCode ?? `exit code ${code}`));
  return {
    pid: child.pid,
    send(bytes) {
      try {
        child.stdin.write(bytes);
        void Promise.resolve(child.stdin.flush()).catch(() => {});
      } catch {
        // It is gone; `exited` tells.
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

async function pump(child: Subprocess<'pipe', 'pipe', 'ignore'>, options: ChildOptions): Promise<void> {
  const cutter = new FrameCutter(options.maxFrame);
  const reader = child.stdout.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    for (const payload of cutter.push(value)) {
      const handled = options.onFrame(payload);
      // Most frames are done with at once; a needless wait here is felt in every call.
      if (handled) await handled;
    }
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
