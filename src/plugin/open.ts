import * as v from 'valibot';
import { ConfigSchema, type PluginConfig } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Json, PluginSummary } from '../wire/wire.ts';
import { type Broker, createBroker, settingsOf } from './broker.ts';
import { openCache } from './cache.ts';
import { describeFunction, findFunction } from './functions.ts';
import { createGuestLog, type GuestLog } from './guest-log.ts';
import { systemResolve } from './http/address.ts';
import { componentImage, scriptImage } from './image.ts';
import { openKv } from './kv.ts';
import { readLayers } from './layers.ts';
import type { PluginInfo, PluginOptions, Plugins, PluginTool } from './plugin.ts';
import { type Entry, openRegistry, unknownPlugin } from './registry.ts';
import { createRunner, type Runner } from './runner.ts';
import { selfCommand } from './self.ts';
import { type CallFunction, toolsOf } from './tools.ts';

/** Longest a request may be held open for a connector, in ms. */
const longestHold = 600_000;

/** One installed plugin at run time. */
interface Live {
  runner: Runner;
  broker: Broker;
  log: GuestLog;
  /** The settings it was last started under, as text. */
  settings: string;
}

/** Opens the Wasm host: see `openPlugins` of the surface. */
export async function openPlugins(options: PluginOptions): Promise<Plugins> {
  const { config, store, secrets, bus } = options;
  const { home, env } = config;
  const registry = openRegistry(home.plugins);
  const cache = openCache(home.state);
  const kv = openKv(store, secrets);
  const live = new Map<string, Live>();
  const command = selfCommand(env, '__plugin', []);
  const prepareCommand = selfCommand(env, '__prepare', []);
  const mode = () => config.current.sandbox.mode;
  const prepare = () => ({ command: prepareCommand, mode: mode() });
  let changes: Promise<unknown> = Promise.resolve();
  let layers: Promise<Record<string, string>> | undefined;
  let closed = false;

  let defaults: PluginConfig | undefined;
  const configOf = (name: string): PluginConfig => {
    const given = config.current.plugins[name];
    if (given) return given;
    defaults ??= v.parse(ConfigSchema, { plugins: { any: {} } }).plugins['any'];
    if (!defaults) throw new PxError('internal', 'the config schema has no plugin defaults');
    return defaults;
  };
  /** What `tools()` gave last, and under which configuration. */
  let tools: { of: unknown; list: PluginTool[] } | undefined;
  const changed = (plugin: string, change: 'added' | 'updated' | 'removed') => {
    tools = undefined;
    bus.emit({ type: 'plugin.changed', plugin, change });
  };
  const limitsOf = (name: string) => {
    const limits = configOf(name).limits;
    return {
      memoryMb: limits.memory_mb,
      cpuMs: limits.cpu_ms,
      wallMs: limits.wall_ms,
      idleMs: limits.idle_ms,
      outputBytes: limits.output_bytes,
      bodyBytes: Math.max(limits.http_bytes, limits.kv_bytes),
    };
  };
  const entryOf = (name: string): Entry => {
    const entry = registry.get(name);
    if (!entry) throw unknownPlugin(name);
    return entry;
  };

  function liveOf(name: string): Live {
    const known = live.get(name);
    if (known) return known;
    const log = createGuestLog(options.log.scope(`plugin/${name}`), secrets.scrub);
    const broker = createBroker({
      name,
      config: () => configOf(name),
      kv,
      secrets,
      log,
      bus,
      resolve: options.resolve ?? systemResolve,
      ca: options.ca,
      emit: options.emit,
    });
    const runner = createRunner({
      name,
      command,
      mode,
      bus,
      log: options.log.scope(`plugin/${name}`),
      host: broker.answer,
      settings: () => settingsOf(configOf(name)),
      limits: () => limitsOf(name),
      engine: () => entryOf(name).kind === 'script',
      async image() {
        const entry = entryOf(name);
        const source = { sha256: entry.sha256, read: () => registry.read(name), filename: entry.file };
        const { memoryMb } = limitsOf(name);
        return entry.kind === 'script'
          ? scriptImage(source, memoryMb, cache, prepare())
          : componentImage(source, entry, memoryMb, cache, prepare());
      },
    });
    const made = { runner, broker, log, settings: JSON.stringify(configOf(name)) };
    live.set(name, made);
    return made;
  }

  /** A plugin that may run, by name. Throws PxError. */
  function enabled(name: string): { entry: Entry; plugin: Live } {
    if (closed) throw new PxError('interrupted', 'px is closing');
    const entry = entryOf(name);
    if (!configOf(name).enabled)
      throw new PxError('plugin.disabled', `the plugin ${name} is switched off`, {
        hint: `Switch it on: px config set plugins.${name}.enabled true`,
      });
    return { entry, plugin: liveOf(name) };
  }

  async function call(name: string, wanted: string, args: Json[], signal?: AbortSignal): Promise<Json> {
    const { entry, plugin } = enabled(name);
    const fn = findFunction(name, entry, wanted);
    if (entry.kind !== 'script') {
      if (args.length > fn.params.length)
        throw new PxError('plugin.function', `${fn.name} takes ${fn.params.length} arguments, not ${args.length}`);
      return plugin.runner.call(fn.name, args, signal);
    }
    const answer = await plugin.runner.call('invoke', [fn.name, JSON.stringify(args)], signal, fn.name);
    try {
      return JSON.parse(String(answer)) as Json;
    } catch (cause) {
      throw new PxError('plugin.invalid', `${fn.name} did not return JSON`, { cause });
    }
  }
  const callTool: CallFunction = (name, fn, args, signal) => call(name, fn, args, signal);

  function summary(name: string, entry: Entry): PluginSummary {
    const shown = live.get(name)?.runner.state() ?? { state: 'idle' as const, detail: '' };
    return {
      name,
      version: entry.manifest.version,
      kind: entry.kind,
      sha256: entry.sha256,
      bytes: entry.bytes,
      source: entry.source,
      ...(configOf(name).enabled
        ? shown
        : { state: 'disabled' as const, detail: 'plugins.enabled is false in px.yaml' }),
    };
  }

  function info(name: string, entry: Entry): PluginInfo {
    return {
      ...summary(name, entry),
      functions: entry.functions.map(describeFunction),
      imports: entry.imports,
      manifest: entry.manifest,
      tools: toolsOf([[name, entry]], callTool),
    };
  }

  async function look(source: string, name: string | undefined) {
    const [{ readSource }, { learn }] = await Promise.all([import('./source.ts'), import('./learn.ts')]);
    const file = await readSource(source);
    const limits = limitsOf(name ?? file.manifest.name ?? 'new');
    return { file, entry: await learn(file, name, { prepare: prepare(), command, cache, limits }) };
  }

  /** Installs and removals happen one after the other. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = changes.then(work);
    changes = done.catch(() => {});
    return done;
  }

  async function forget(name: string, reason: 'replaced' | 'removed'): Promise<void> {
    const old = live.get(name);
    live.delete(name);
    await old?.runner.stop(reason);
  }

  const unsubscribe = config.onChange(() => {
    for (const [name, plugin] of live) {
      const settings = JSON.stringify(configOf(name));
      if (settings === plugin.settings) continue;
      plugin.settings = settings;
      plugin.runner.renew();
    }
  });

  return {
    add: (source, { name, replace = false } = {}) =>
      inTurn(async () => {
        const { file, entry } = await look(source, name);
        const called = entry.manifest.name;
        const old = registry.get(called);
        if (old && !replace)
          throw new PxError('conflict', `a plugin ${called} is installed already`, {
            hint: `Replace it with --replace, or give another name with --name.`,
          });
        await forget(called, 'replaced');
        registry.put(called, entry, file.bytes);
        if (old && old.sha256 !== entry.sha256) cache.drop(old.sha256);
        changed(called, old ? 'updated' : 'added');
        return info(called, entry);
      }),
    list: () => registry.all().map(([name, entry]) => summary(name, entry)),
    async inspect(nameOrFile) {
      const entry = registry.get(nameOrFile);
      if (entry) return info(nameOrFile, entry);
      const seen = (await look(nameOrFile, undefined)).entry;
      return { ...info(seen.manifest.name, seen), tools: toolsOf([[seen.manifest.name, seen]], callTool) };
    },
    remove: (name) =>
      inTurn(async () => {
        const entry = entryOf(name);
        await forget(name, 'removed');
        registry.remove(name);
        cache.drop(entry.sha256);
        kv.clear(name);
        changed(name, 'removed');
      }),
    call: (name, fn, args, { signal } = {}) => call(name, fn, args, signal),
    rest: (name) => live.get(name)?.runner.rest(),
    tools() {
      const of = config.current.plugins;
      if (tools?.of === of) return tools.list;
      const enabled = registry.all().filter(([name]) => configOf(name).enabled);
      tools = { of, list: toolsOf(enabled, callTool) };
      return tools.list;
    },
    async hold(name, request, signal) {
      const { broker } = enabled(name).plugin;
      return { ...(await broker.request(request, signal, longestHold)) };
    },
    logs(name) {
      entryOf(name);
      return live.get(name)?.log.lines() ?? [];
    },
    resume(name) {
      entryOf(name);
      live.get(name)?.runner.resume();
    },
    layers() {
      layers ??= readLayers(command);
      return layers;
    },
    async close() {
      closed = true;
      unsubscribe();
      await Promise.all([...live.values()].map(({ runner }) => runner.stop('closed')));
      await changes;
    },
  };
}
