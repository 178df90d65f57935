import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Client, createClient, openEvents } from '../../src/client/client.ts';
import type { Json, PxEvent } from '../../src/wire/wire.ts';
import { Px, until } from '../../test/e2e/px.ts';

const root = resolve(import.meta.dir, '../..');

/** The common example in one language. */
export interface Guest {
  language: string;
  /** Name it is installed under. */
  name: string;
  path: string;
}

const files: [language: string, name: string, file: string][] = [
  ['C', 'c', 'example-c.wasm'],
  ['AssemblyScript', 'as', 'example-as.wasm'],
  ['Rust', 'rust', 'example-rust.wasm'],
  ['Rust with WASI', 'rust-wasi', 'example-rust-wasi.wasm'],
  ['TypeScript, a script', 'ts', 'example-ts-script.js'],
  ['TypeScript, componentize-qjs', 'ts-qjs', 'example-ts-component.wasm'],
  ['Go', 'go', 'example-go.wasm'],
  ['Python', 'python', 'example-python.wasm'],
];

/** The examples that are built. */
export const guests: Guest[] = files
  .map(([language, name, file]) => ({ language, name, path: join(root, 'build/plugins', file) }))
  .filter(({ path }) => existsSync(path));

/** Size of a plugin's file in bytes. */
export const sizeOf = (guest: Guest) => statSync(guest.path).size;

/** A daemon whose plugins are measured by the events it tells itself. */
export interface Bench extends AsyncDisposable {
  px: Px;
  /** Installs a guest; how long that took, in ms. */
  add(guest: Guest, name?: string): Promise<number>;
  /** Calls a function; milliseconds from call to result as px counts them, with the start of the process when none ran. */
  call(name: string, fn: string, ...args: Json[]): Promise<{ ms: number; ok: boolean }>;
  /** The process of a plugin, while one runs. */
  pid(name: string): number | undefined;
  /** Resolves when no plugin's process runs. */
  resting(): Promise<void>;
}

/** Starts `px serve` of an executable in a home of its own. */
export async function startBench(binary: string, limits: Record<string, object> = {}): Promise<Bench> {
  const plugins = Object.fromEntries(Object.entries(limits).map(([name, own]) => [name, { limits: own }]));
  const px = new Px({ command: [binary], config: { model: { default: 'offline/px' }, plugins } });
  await px.serve();
  await px.installed();
  const address = { url: px.url, token: px.token };
  const client: Client = createClient(address);
  const pids = new Map<string, number>();
  let told: ((event: Extract<PxEvent, { type: 'plugin.call' }>) => void) | undefined;
  const { promise: open, resolve: opened } = Promise.withResolvers<void>();
  const events = openEvents(address, {
    ready: () => opened(),
    closed: () => {},
    event(event) {
      if (event.type === 'plugin.started') pids.set(event.plugin, event.pid);
      if (event.type === 'plugin.stopped') pids.delete(event.plugin);
      if (event.type === 'plugin.call') told?.(event);
    },
  });
  await open;
  return {
    px,
    async add(guest, name = guest.name) {
      const begun = performance.now();
      const { code, stderr } = await px.run('plugin', 'add', guest.path, '--name', name);
      if (code !== 0) throw new Error(`${guest.path}: ${stderr}`);
      return performance.now() - begun;
    },
    async call(name, fn, ...args) {
      const event = new Promise<{ ms: number; ok: boolean }>((done) => {
        told = ({ plugin, ms, ok }) => plugin === name && done({ ms, ok });
      });
      await client.callPlugin(name, fn, args).catch(() => {});
      return event;
    },
    pid: (name) => pids.get(name),
    async resting() {
      await until('all plugins to rest', () => pids.size === 0 && px.children().length === 0, 60_000);
    },
    async [Symbol.asyncDispose]() {
      events.close();
      await px[Symbol.asyncDispose]();
    },
  };
}

/**
 * Memory that is a process's alone, in MiB: pages it wrote to. Clean pages of the executable are the system's cache of that file, and shared
 * with the daemon as soon as that looks at them.
 */
export function ownMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Private_Dirty:\s+(\d+)/m.exec(text)?.[1]) / 1024;
}

/** The value that so many percent of the values do not pass. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
