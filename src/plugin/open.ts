import { defaultPlugin, type PluginConfig } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import { asksOf } from '../policy/policy.ts';
import type { Json, PluginSummary } from '../wire/wire.ts';
import { type Broker, createBroker, settingsOf } from './broker.ts';
import { openCache } from './cache.ts';
import { createClock } from './clock.ts';
import type { Told } from './download.ts';
import { describeFunction, findFunction } from './functions.ts';
import { createGuestLog, type GuestLog } from './guest-log.ts';
import { systemResolve } from './http/address.ts';
import { componentImage, scriptImage } from './image.ts';
import type { Seen } from './install.ts';
import { openKv } from './kv.ts';
import { readLayers } from './layers.ts';
import type { LearnOptions } from './learn.ts';
import { lookLimits, runLimits } from './limits.ts';
import type { AddOptions, PluginInfo, PluginOptions, Plugins, PluginTool } from './plugin.ts';
import { createRate, type Rate } from './rate.ts';
import { type Entry, openRegistry, resting, unknownPlugin } from './registry.ts';
import { type CallOptions, createRunner, type Runner } from './runner.ts';
import { scrubJson } from './scrub.ts';
import { selfCommand } from './self.ts';
import { checkSigner, nameOf } from './signature.ts';
import { type ToolPlugins, toolsOf } from './tools.ts';

/** Longest a request may be held open for a connector, in ms. */
const longestHold = 600_000;

/** One installed plugin at run time. */
interface Live {
  runner: Runner;
  broker: Broker;
  log: GuestLog;
  /** The settings it was last started under, as text. */
  settings: string;
  /** Counts the calls of a minute. */
  calls: Rate;
  /** Digest of the file that was started last. */
  running: string;
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
  let clock: ReturnType<typeof createClock> | undefined;

  let defaults: PluginConfig | undefined;
  const configOf = (name: string): PluginConfig => {
    const given = config.current.plugins[name];
    if (given) return given;
    defaults ??= defaultPlugin();
    return defaults;
  };
  /** What `tools()` gave last, and under which configuration. */
  let tools: { of: unknown; list: PluginTool[] } | undefined;
  const changed = (plugin: string, change: 'added' | 'updated' | 'removed') => {
    tools = undefined;
    bus.emit({ type: 'plugin.changed', plugin, change });
  };
  const limitsOf = (name: string) => runLimits(configOf(name).limits);
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
      connector: () => entryOf(name).functions.some((fn) => fn.name === 'post-message'),
      sealed: () => entryOf(name).manifest.sealed,
      kv,
      secrets,
      log,
      bus,
      resolve: options.resolve ?? systemResolve,
      ca: options.ca,
      send: options.outside?.send,
      folders: { home: home.root, userHome: env.userHome, root: options.outside?.files },
      emit: options.emit,
    });
    const runner = createRunner({
      name,
      command,
      mode,
      bus,
      log: options.log.scope(`plugin/${name}`),
      scrub: secrets.scrub,
      host: broker.answer,
      settings: () => (entryOf(name).manifest.sealed ? [] : settingsOf(configOf(name))),
      sealed: () => entryOf(name).manifest.sealed,
      ...(options.outside === undefined ? {} : { clock: options.outside.clock }),
      limits: () => limitsOf(name),
      engine: () => entryOf(name).kind === 'script',
      quarantined: entryOf(name).quarantine,
      onQuarantine: (quarantine) => registry.get(name) && registry.note(name, { quarantine }),
      onFault: (fault) => failed(name, fault),
      onAnswer: () => proven(name),
      async image() {
        const entry = entryOf(name);
        made.running = entry.sha256;
        registry.verify(name);
        if (!entry.source.startsWith('px:')) checkSigner(entry.signer, config.current.trust);
        const source = { sha256: entry.sha256, read: () => registry.read(name), filename: entry.file };
        const limits = limitsOf(name);
        return entry.kind === 'script'
          ? scriptImage(source, { command, limits }, cache, prepare())
          : componentImage(source, entry, limits.memoryMb, cache, prepare());
      },
    });
    const made: Live = {
      runner,
      broker,
      log,
      settings: JSON.stringify(configOf(name)),
      calls: createRate(),
      running: '',
    };
    live.set(name, made);
    return made;
  }

  /** A version that failed before it answered once gives way to the one before. */
  function failed(name: string, fault: PxError): void {
    const entry = registry.get(name);
    const plugin = live.get(name);
    if (!entry?.previous || plugin?.running !== entry.sha256) return;
    const { version } = entry.previous.manifest;
    const why = `${entry.manifest.version} failed at its first call (${fault.message}); ${version} runs instead`;
    const asked = asksOf(entry.manifest, configOf(name)).map((ask) => ask.rule);
    registry.fallBack(name, why, [...(entry.former ?? []), ...asked]);
    plugin.runner.resume();
    plugin.runner.renew();
    options.log.scope(`plugin/${name}`).error(why);
    changed(name, 'updated');
  }

  /** A version that answered stays: the one before is no longer needed. */
  function proven(name: string): void {
    const entry = registry.get(name);
    if (!entry?.previous || live.get(name)?.running !== entry.sha256) return;
    const old = entry.previous.sha256;
    registry.note(name, { previous: undefined });
    if (!registry.all().some(([, other]) => other.sha256 === old)) cache.drop(old);
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

  async function call(
    name: string,
    wanted: string,
    args: Json[],
    how: Pick<CallOptions, 'signal' | 'still'> = {},
  ): Promise<Json> {
    const { entry, plugin } = enabled(name);
    const fn = findFunction(name, entry, wanted);
    const perMinute = configOf(name).limits.calls_per_minute;
    if (!plugin.calls.take(perMinute))
      throw new PxError('plugin.rate', `${name} was called more than ${perMinute} times in a minute`, {
        retryable: true,
        hint: 'See limits.calls_per_minute of the plugin in px.yaml.',
      });
    const isScript = entry.kind === 'script';
    if (!isScript && args.length > fn.params.length)
      throw new PxError(
        'plugin.function',
        `${fn.name} takes ${fn.params.length} argument${fn.params.length === 1 ? '' : 's'}, not ${args.length}`,
      );
    const answer = isScript
      ? await plugin.runner.call('invoke', [fn.name, JSON.stringify(args)], { ...how, shown: fn.name })
      : await plugin.runner.call(fn.name, args, how);
    await kv.durable();
    if (!isScript) return answer;
    try {
      return JSON.parse(String(answer)) as Json;
    } catch (cause) {
      throw new PxError('plugin.invalid', `${fn.name} did not return JSON`, { cause });
    }
  }
  const forTools: ToolPlugins = {
    call: (name, fn, args, signal) => call(name, fn, args, { signal, still: true }),
    soon(name) {
      if (!closed && registry.get(name) && configOf(name).enabled) liveOf(name).runner.soon();
    },
  };

  function summary(name: string, entry: Entry): PluginSummary {
    const shown = live.get(name)?.runner.state() ?? resting(entry);
    return {
      name,
      version: entry.manifest.version,
      kind: entry.kind,
      description: entry.manifest.description,
      sha256: entry.sha256,
      bytes: entry.bytes,
      source: entry.source,
      ...(configOf(name).enabled
        ? { ...shown, detail: shown.detail || (entry.notice ?? '') }
        : { state: 'disabled' as const, detail: 'plugins.enabled is false in px.yaml' }),
    };
  }

  function info(name: string, entry: Entry): PluginInfo {
    return {
      ...summary(name, entry),
      functions: entry.functions.map(describeFunction),
      imports: entry.imports,
      manifest: entry.manifest,
      asks: asksOf(entry.manifest, configOf(name)),
      signedBy: entry.signer === undefined ? '' : nameOf(entry.signer, config.current.trust.keys),
      tools: toolsOf([[name, entry]], forTools),
    };
  }

  /** Looks at a plugin under the limits it asks for: whether it gets them is decided later. */
  const learning = (name: string, asked: Record<string, number>): LearnOptions => ({
    prepare: prepare(),
    command,
    cache,
    limits: lookLimits(limitsOf(name), asked),
  });
  const told: Told = (host, done, total) =>
    bus.emit({ type: 'plugin.download', host, done, ...(total === undefined ? {} : { total }) });
  const look = async (source: string, name: string | undefined, only: 'to look' | 'to install' = 'to install') =>
    (await import('./install.ts')).look(source, name, config, learning, only, secrets.resolve, told);

  /** Puts a plugin that was looked at in place. A version before runs on until its call has ended. */
  async function install(seen: Seen, given: AddOptions): Promise<PluginInfo> {
    const { settle } = await import('./install.ts');
    const { entry, bytes } = seen;
    const { name } = entry.manifest;
    const old = registry.get(name);
    if (old && !given.replace)
      throw new PxError('conflict', `a plugin ${name} is installed already, from ${old.source}`, {
        hint: 'Replace it with --replace, or give another name with --name.',
      });
    const settled = await settle(entry, old, config, () => configOf(name), given);
    // Of several versions that have not answered yet, the last one that did is kept.
    const previous = old?.previous ?? old;
    const kept = previous && previous.sha256 !== entry.sha256 ? { previous } : {};
    registry.put(name, { ...entry, ...kept, ...settled }, bytes);
    const { version } = entry.manifest;
    options.log
      .scope(`plugin/${name}`)
      .info(`${version} installed`, { from: entry.source, sha256: entry.sha256, granted: settled.granted });
    live.get(name)?.runner.resume();
    live.get(name)?.runner.renew();
    changed(name, old ? 'updated' : 'added');
    return info(name, entry);
  }

  /** Installs and removals happen one after the other. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = changes.then(work);
    changes = done.catch(() => {});
    return done;
  }

  async function forget(name: string, reason: 'removed'): Promise<void> {
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
    add: (source, given = {}) => inTurn(async () => install(await look(source, given.name), given)),
    update: (name, given = {}) =>
      inTurn(async () => {
        const old = entryOf(name);
        const seen = await look(old.source, name).catch((thrown: unknown) => {
          const { code, message, hint, retryable } = toPxError(thrown);
          throw new PxError(code, `${old.manifest.version} of ${name} stays: ${message}`, {
            cause: thrown,
            retryable,
            ...(hint === undefined ? {} : { hint }),
          });
        });
        // What it asks for may stand in a plugin.yaml beside it.
        if (seen.entry.sha256 === old.sha256 && Bun.deepEquals(seen.entry.manifest, old.manifest))
          return { updated: false, plugin: info(name, old) };
        return { updated: true, plugin: await install(seen, { ...given, replace: true }) };
      }),
    grant: (name, choice) =>
      inTurn(async () => {
        const { grantedOf, writeGrants } = await import('./install.ts');
        const entry = entryOf(name);
        await writeGrants(entry, config, () => configOf(name), choice);
        const granted = grantedOf(entry, configOf(name));
        registry.note(name, { granted });
        options.log.scope(`plugin/${name}`).info('grants changed', { granted });
        bus.emit({ type: 'plugin.changed', plugin: name, change: 'updated' });
        return info(name, entry);
      }),
    list: () => registry.all().map(([name, entry]) => summary(name, entry)),
    get: (name) => info(name, entryOf(name)),
    async inspect(nameOrFile, name) {
      const entry = registry.get(nameOrFile);
      if (entry && name === undefined) return info(nameOrFile, entry);
      const seen = (await look(nameOrFile, name, 'to look')).entry;
      return { ...info(seen.manifest.name, seen), tools: toolsOf([[seen.manifest.name, seen]], forTools) };
    },
    remove: (name) =>
      inTurn(async () => {
        const entry = entryOf(name);
        const { takeAllBack } = await import('./install.ts');
        await takeAllBack(entry, config, () => configOf(name));
        await forget(name, 'removed');
        registry.remove(name);
        cache.drop(entry.sha256);
        kv.clear(name);
        changed(name, 'removed');
      }),
    call: async (name, fn, args, { signal } = {}) => scrubJson(await call(name, fn, args, { signal }), secrets.scrub),
    rest: (name) => live.get(name)?.runner.rest(),
    tools() {
      const of = config.current.plugins;
      if (tools?.of === of) return tools.list;
      const enabled = registry.all().filter(([name]) => configOf(name).enabled);
      tools = { of, list: toolsOf(enabled, forTools) };
      return tools.list;
    },
    async hold(name, request, signal, files) {
      const { broker } = enabled(name).plugin;
      return { ...(await broker.request(request, signal, longestHold, files)) };
    },
    async socket(name, socket, signal) {
      return enabled(name).plugin.broker.socket(socket, signal);
    },
    logs(name) {
      entryOf(name);
      return live.get(name)?.log.lines() ?? [];
    },
    check: (name) => void registry.read(name),
    resume(name) {
      registry.note(name, { quarantine: undefined, notice: undefined });
      live.get(name)?.runner.resume();
      bus.emit({ type: 'plugin.changed', plugin: name, change: 'updated' });
    },
    startClock() {
      clock ??= createClock({
        config,
        ready: (name) => registry.get(name) !== undefined && configOf(name).enabled,
        call: (name, fn) => call(name, fn, []),
        log: options.log,
      });
    },
    layers() {
      layers ??= readLayers(command);
      return layers;
    },
    async close() {
      closed = true;
      clock?.close();
      unsubscribe();
      await Promise.all([...live.values()].map(({ runner }) => runner.stop('closed')));
      await changes;
    },
  };
}
