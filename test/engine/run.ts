import { Script } from '../../src/plugin/child/quickjs.ts';
import { bundleScript, engineFiles } from '../../src/plugin/engine/engine.ts';
import type { Json } from '../../src/wire/wire.ts';

/** A request as the engine hands it to the host. */
export interface Asked {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array | undefined;
  timeoutMs: number | undefined;
}
/** What the pretended host answers to a request; a thrown value is the error arm. */
export type Answer = { status: number; headers?: [string, string][]; body: string };
export interface Host {
  kv: Map<string, Uint8Array>;
  logs: string[];
  asked: Asked[];
  settings: Record<string, Json>;
  http: (request: Asked) => Answer;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** A script running in the engine that px carries, in this process, with a pretended host. */
export interface Running {
  host: Host;
  load(): { functions: string[]; tools: Json[]; manifest: Json };
  call(name: string, ...args: Json[]): Json;
}

const engine = engineFiles(64).then(async ({ wasm, picture, anchors }) => ({
  module: new WebAssembly.Module(wasm),
  picture: await picture(),
  anchors,
}));

/** Starts a script. */
export async function runScript(source: string, filename = 'plugin.ts', given: Partial<Host> = {}): Promise<Running> {
  const host: Host = {
    kv: new Map(),
    logs: [],
    asked: [],
    settings: {},
    http: () => ({ status: 200, body: '{}' }),
    now: () => 1_790_000_000_123,
    ...given,
  };
  const body = bundleScript(source, filename);
  // biome-ignore lint/suspicious/noExplicitAny: what the engine says of each function
  const api: Record<string, (...args: any[]) => unknown> = {
    source: () => body,
    'kv-set': (key: string, value: string) => void host.kv.set(key, Uint8Array.fromBase64(value)),
    'kv-get': (key: string) => {
      const value = host.kv.get(key);
      if (!value) throw { payload: 'not-found' };
      return value.toBase64();
    },
    'kv-delete': (key: string) => void host.kv.delete(key),
    'kv-list': (prefix: string) => [...host.kv.keys()].filter((k) => k.startsWith(prefix)).sort(),
    log: (level: string, message: string) => void host.logs.push(`${level} ${message}`),
    'random-bytes': (count: number) => crypto.getRandomValues(new Uint8Array(count)).toBase64(),
    'config-get': (key: string) => (key in host.settings ? JSON.stringify(host.settings[key]) : null),
    'secret-exists': (name: string) => name === 'THERE',
    'http-request': ({ timeout_ms, body, ...request }) => {
      const asked = { ...request, body: body === null ? undefined : Uint8Array.fromBase64(body) };
      host.asked.push({ ...asked, timeoutMs: timeout_ms ?? undefined });
      const { status, headers = [], body: answer } = host.http({ ...asked, timeoutMs: timeout_ms ?? undefined });
      return { status, headers, body: new TextEncoder().encode(answer).toBase64() };
    },
    'emit-message': (message: unknown) => void host.logs.push(`emit ${JSON.stringify(message)}`),
  };
  const { module, picture, anchors } = await engine;
  const script = new Script(module, {
    host(fn, args) {
      try {
        return JSON.stringify({ ok: api[fn]?.(...JSON.parse(args)) ?? null });
      } catch (e) {
        const { payload, tag, val } = e as { payload?: unknown; tag?: string; val?: unknown };
        return JSON.stringify({ err: payload ?? (val === undefined ? tag : { [`${tag}`]: val }) });
      }
    },
    now: host.now,
    random: () => {},
  });
  script.resume(picture, anchors);
  return {
    host,
    load: () => JSON.parse(script.load()),
    call: (name, ...args) => JSON.parse(script.invoke(name, JSON.stringify(args))),
  };
}

/** What a guest's error says. */
export function guestError(run: () => unknown): string {
  try {
    run();
  } catch (e) {
    return String(typeof e === 'object' && e !== null && 'payload' in e ? e.payload : e);
  }
  return 'no error';
}
