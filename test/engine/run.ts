import { bundleScript, engineModules } from '../../src/plugin/engine/engine.ts';
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

const engine = engineModules().then(async ({ growing, fixed }) => {
  const { instantiate } = await import('#engine');
  const modules = new Map([...growing, ...fixed].map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]));
  const getModule = (name: string) => {
    const found = modules.get(name);
    if (!found) throw new Error(`the engine has no module ${name}`);
    return found;
  };
  return (imports: Record<string, unknown>) => instantiate(getModule, imports) as Instance;
});

/** What the engine exports. */
interface Instance {
  load(): string;
  invoke(name: string, args: string): string;
}

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
  const api = {
    kvSet: (key: string, value: Uint8Array) => void host.kv.set(key, value.slice()),
    kvGet: (key: string) => {
      const value = host.kv.get(key);
      if (!value) throw 'not-found';
      return value;
    },
    kvDelete: (key: string) => void host.kv.delete(key),
    kvList: (prefix: string) => [...host.kv.keys()].filter((k) => k.startsWith(prefix)).sort(),
    log: (level: string, message: string) => void host.logs.push(`${level} ${message}`),
    now: () => BigInt(host.now()),
    randomBytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)),
    configGet: (key: string) => (key in host.settings ? JSON.stringify(host.settings[key]) : undefined),
    secretExists: (name: string) => name === 'THERE',
    httpRequest: (request: Asked) => {
      host.asked.push(request);
      const { status, headers = [], body } = host.http(request);
      return { status, headers, body: new TextEncoder().encode(body) };
    },
    fileList: () => [],
    fileStat: (path: string) => ({ name: path, kind: 'file', size: 0n, modified: 0n }),
    fileRead: () => new Uint8Array(),
    fileWrite: () => {},
    fileDelete: () => {},
    emitMessage: (message: unknown) => void host.logs.push(`emit ${JSON.stringify(message)}`),
  };
  const body = bundleScript(source, filename);
  const script = { source: () => body };
  const instance = (await engine)({ 'project-x:core/host-api': api, 'project-x:core/plugin-source': script });
  return {
    host,
    load: () => JSON.parse(instance.load()),
    call: (name, ...args) => JSON.parse(instance.invoke(name, JSON.stringify(args))),
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
