import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Config, ConfigSchema, type ConfigStore, type Environment } from '../../src/config/config.ts';
import { parsePath } from '../../src/config/path.ts';
import { createLog, type LogEntry } from '../../src/log/log.ts';
import { openPlugins, type PluginOptions, type Plugins } from '../../src/plugin/plugin.ts';
import { openSecrets, type Secrets } from '../../src/secret/secret.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { createBus, type PxEvent } from '../../src/wire/wire.ts';

/** A temporary home with an open Wasm host, and everything it said. */
export interface TestHome extends AsyncDisposable {
  root: string;
  plugins: Plugins;
  /** The configuration in force. */
  config: ConfigStore;
  secrets: Secrets;
  store: Store;
  logged: LogEntry[];
  events: PxEvent[];
  /** Writes a file into the home and gives its path. */
  file(name: string, content: string | Uint8Array): string;
  /** Replaces the configuration, as an edit of px.yaml would. */
  configure(config: v.InferInput<typeof ConfigSchema>): void;
  /** Closes the host and opens it again on the same home. */
  reopen(): Promise<void>;
}

/** Opens a home; everything goes when it is disposed. */
export async function openHome(
  config: v.InferInput<typeof ConfigSchema> = {},
  extra: Pick<PluginOptions, 'emit' | 'resolve' | 'ca'> = {},
  variables: Record<string, string> = {},
): Promise<TestHome> {
  const root = mkdtempSync(join(tmpdir(), 'px-plugin-'));
  const home = {
    root,
    config: join(root, 'px.yaml'),
    memory: join(root, 'memory'),
    plugins: join(root, 'plugins'),
    state: join(root, 'state'),
  };
  mkdirSync(home.state);
  const env: Environment = { home: undefined, userHome: root, get: (name) => variables[name] };
  let raw: unknown = config;
  let current: Config = v.parse(ConfigSchema, config);
  const listeners = new Set<(config: Config, changed: string[]) => void>();
  const configure = (next: Config) => {
    current = next;
    for (const listener of listeners) listener(current, ['plugins']);
  };
  const configStore = {
    home,
    env,
    get current() {
      return current;
    },
    async set(path: string, value: unknown) {
      raw = withValue(raw, parsePath(path), value);
      configure(v.parse(ConfigSchema, raw));
    },
    onChange(listener: (config: Config, changed: string[]) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as ConfigStore;
  const store = openStore(join(home.state, 'px.db'));
  const secrets = openSecrets(store, home, env);
  const logged: LogEntry[] = [];
  const events: PxEvent[] = [];
  const log = createLog({ level: 'debug', scrub: secrets.scrub, sinks: [(entry) => logged.push(entry)] });
  const bus = createBus();
  bus.on((event) => events.push(event));
  const open = () => openPlugins({ config: configStore, store, secrets, log, bus, ...extra });
  const test: TestHome = {
    root,
    plugins: await open(),
    config: configStore,
    secrets,
    store,
    logged,
    events,
    file(name, content) {
      const path = join(root, name);
      writeFileSync(path, content);
      return path;
    },
    configure(next) {
      raw = next;
      configure(v.parse(ConfigSchema, next));
    },
    async reopen() {
      await test.plugins.close();
      test.plugins = await open();
    },
    async [Symbol.asyncDispose]() {
      await test.plugins.close();
      store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
  return test;
}

/** A copy of nested maps with one value set, or taken away when it is undefined. */
function withValue(root: unknown, [key, ...rest]: (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  const map: Record<string, unknown> = { ...(root as Record<string, unknown> | undefined) };
  const inner = withValue(map[key], rest, value);
  if (inner === undefined) delete map[key];
  else map[key] = inner;
  return map;
}

/** The code of the PxError that work ends with; `ok` when it does not fail. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (e) {
    return e instanceof Error && 'code' in e ? String(e.code) : String(e);
  }
}

/** Processes this one started that still run. */
export function childrenOf(pid: number): number[] {
  const { stdout } = Bun.spawnSync(['ps', '--no-headers', '-o', 'pid,args', '--ppid', String(pid)]);
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line.includes('__p'))
    .map((line) => Number.parseInt(line, 10));
}
