import { ReadBuffer, serializeMessage } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Subprocess } from 'bun';

/** How a program is started. */
export interface StdioOptions {
  command: string[];
  /** The whole of its environment. */
  env: Record<string, string>;
  cwd: string;
  /** A line of its stderr. */
  say(line: string): void;
}

/** A program that speaks MCP over its stdin and stdout. */
export interface StdioTransport extends Transport {
  pid(): number | null;
  /** In words: how it ended, and the last it wrote to stderr. */
  ending(): string;
}

/** Largest message, in bytes. */
const MOST_BYTES = 8 * 1024 * 1024;
/** What is kept of stderr, in characters. */
const KEPT = 1_000;
/** How long a program may take to end once its stdin is closed, and once it was asked with SIGTERM, in ms. */
const GRACE_MS = 500;

/**
 * The SDK's own transport gives a program HOME, SHELL, USER and more of px's environment and ends only the program, not what it
 * started (`npx`). This one gives what it is told and ends the whole process group.
 */
export function stdioTransport(options: StdioOptions): StdioTransport {
  const buffer = new ReadBuffer({ maxBufferSize: MOST_BYTES });
  let child: Subprocess<'pipe', 'pipe', 'pipe'> | undefined;
  let stderr = '';
  let closing = false;

  const kill = (signal: 'SIGTERM' | 'SIGKILL') => {
    if (!child) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone.
    }
  };
  const read = async (from: ReadableStream<Uint8Array>) => {
    for await (const chunk of from) {
      buffer.append(Buffer.from(chunk));
      for (;;) {
        let message: JSONRPCMessage | null;
        try {
          message = buffer.readMessage();
        } catch (thrown) {
          // A line that is no message: some programs greet on stdout.
          transport.onerror?.(thrown instanceof Error ? thrown : new Error(String(thrown)));
          continue;
        }
        if (message === null) break;
        transport.onmessage?.(message);
      }
    }
  };
  const listen = async (from: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of from) {
      const text = decoder.decode(chunk, { stream: true });
      stderr = (stderr + text).slice(-KEPT);
      for (const line of text.slice(0, 4 * KEPT).split('\n')) if (line.trim() !== '') options.say(line.trim());
    }
  };

  const transport: StdioTransport = {
    async start() {
      child = Bun.spawn(options.command, {
        stdin: 'pipe',
        stdout: 'pipe',
        stderr: 'pipe',
        env: options.env,
        cwd: options.cwd,
        detached: true,
      });
      const { exited } = child;
      const heard = listen(child.stderr).catch(() => {});
      read(child.stdout)
        // More than a message may hold, or a broken pipe: nothing sensible can follow.
        .catch((thrown: unknown) => {
          stderr = (thrown instanceof Error ? thrown.message : String(thrown)).slice(-KEPT);
          kill('SIGKILL');
        });
      void exited.then(async () => {
        await Promise.race([heard, Bun.sleep(100)]);
        // What it started must not outlive it.
        kill('SIGKILL');
        buffer.clear();
        transport.onclose?.();
      });
    },
    async send(message) {
      if (!child || child.exitCode !== null || closing) throw new Error('the program is not running');
      child.stdin.write(serializeMessage(message));
      await child.stdin.flush();
    },
    async close() {
      if (!child || closing) return;
      closing = true;
      const { exited } = child;
      try {
        await Promise.race([child.stdin.end(), Bun.sleep(GRACE_MS)]);
      } catch {
        // It is gone.
      }
      if (await ended(exited)) return;
      kill('SIGTERM');
      if (await ended(exited)) return;
      kill('SIGKILL');
      await exited;
    },
    pid: () => child?.pid ?? null,
    ending() {
      const last = stderr.trim().split('\n').slice(-3).join(' | ');
      const how =
        child === undefined
          ? 'it could not be started'
          : child.exitCode !== null
            ? `it ended with exit code ${child.exitCode}`
            : child.signalCode !== null
              ? `it was ended by ${child.signalCode}`
              : 'it runs';
      return last === '' ? how : `${how}; its last words: ${last}`;
    },
  };
  return transport;
}

/** True when it ended within the time it is given. */
function ended(exited: Promise<number>): Promise<boolean> {
  return Promise.race([exited.then(() => true), Bun.sleep(GRACE_MS).then(() => false)]);
}
