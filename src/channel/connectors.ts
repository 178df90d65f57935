import type { Config } from '../config/config.ts';
import type { Log } from '../log/log.ts';
import type { Json, PluginSummary } from '../wire/wire.ts';
import { localChannels } from './access.ts';
import type { Batch } from './batch.ts';
import type { ChannelState } from './channel.ts';
import type { ChannelOptions } from './channels.ts';
import { type Connector, startConnector } from './connector.ts';
import type { Outbox } from './outbox.ts';
import type { Timing } from './timing.ts';

/** What the set of connectors works with. */
export interface ConnectorsOptions extends Omit<ChannelOptions, 'timing'> {
  log: Log;
  outbox: Outbox;
  batch: Batch;
  timing: Timing;
  /** Where a file of an outgoing message is on disk. */
  fileOf(path: string): string;
  /** Stores a channel's messages; how many were new. */
  take(channel: string, messages: Json): number;
}

/** One connector a channel of px.yaml, kept in step with it. */
export interface Connectors {
  start(): void;
  restart(channel?: string): void;
  kick(channel: string): void;
  typing(channel: string, chat: string): void;
  states(): ChannelState[];
  /** The connector of a channel, while it has one. */
  of(channel: string): Connector | undefined;
  /** The channel a plugin serves. */
  channelOf(plugin: string): string | undefined;
  close(): Promise<void>;
}

interface Slot {
  plugin: string;
  /** What the connector was started with: another value means start it again. */
  key: string;
  connector: Connector | undefined;
  idle: Pick<ChannelState, 'state' | 'detail'>;
  /** Starts and stops of this channel, one after the other. */
  changes: Promise<void>;
}

/** Makes the set; nothing runs before `start`. */
export function createConnectors(options: ConnectorsOptions): Connectors {
  const { config, plugins, secrets, bus, log } = options;
  const slots = new Map<string, Slot>();
  const stops: (() => void)[] = [];
  let started = false;

  const run = (id: string, plugin: string) =>
    startConnector({
      ...options,
      channel: id,
      plugin,
      log: log.scope(`channel/${id}`),
      take: (messages) => options.take(id, messages),
      durable: options.store.synced,
      webhook: () => config.current.channels[id]?.webhook,
      commands: options.commands ?? (() => []),
      nothingNew: options.nothingNew ?? (() => {}),
      missingSecrets: (declared) => secretsOf(config.current, plugin, declared).filter((name) => !secrets.has(name)),
      circumstances: (declared) =>
        JSON.stringify([
          standing(plugins.list().find((p) => p.name === plugin)?.state),
          ...secretsOf(config.current, plugin, declared).map((name) => Bun.hash(secrets.get(name) ?? '').toString()),
        ]),
    });

  const change = (id: string, slot: Slot, wanted: boolean) => {
    slot.changes = slot.changes.then(async () => {
      await slot.connector?.stop();
      slot.connector = wanted && started && slots.get(id) === slot ? run(id, slot.plugin) : undefined;
    });
  };

  const follow = (force?: (id: string, slot: Slot) => boolean) => {
    if (!started) return;
    const channels = config.current.channels;
    for (const [id, slot] of slots) {
      if (channels[id]) continue;
      slots.delete(id);
      change(id, slot, false);
    }
    for (const [id, channel] of Object.entries(channels)) {
      const plugin = channel.plugin ?? id;
      const idle = idleReason(config.current, id, plugin);
      const settings = config.current.plugins[plugin];
      const key = JSON.stringify([plugin, idle, settings, channel.webhook]);
      const slot = slots.get(id) ?? {
        plugin,
        key: '',
        connector: undefined,
        changes: Promise.resolve(),
        idle: starting,
      };
      slots.set(id, slot);
      if (slot.key === key && !force?.(id, slot)) continue;
      Object.assign(slot, { plugin, key, idle: idle ?? starting });
      change(id, slot, idle === undefined);
    }
  };

  return {
    start() {
      if (started) return;
      started = true;
      stops.push(
        config.onChange(() => follow()),
        bus.on((event) => {
          if (event.type === 'plugin.changed') follow((_, slot) => slot.plugin === event.plugin);
        }),
      );
      follow();
    },
    restart: (channel) => follow((id) => channel === undefined || id === channel),
    kick: (channel) => slots.get(channel)?.connector?.kick(),
    typing: (channel, chat) => slots.get(channel)?.connector?.typing(chat),
    states: () =>
      Object.entries(config.current.channels).map(([id, channel]) => {
        const slot = slots.get(id);
        const shown = slot?.connector?.state() ?? slot?.idle ?? { state: 'off' as const, detail: 'not started' };
        return { id, plugin: channel.plugin ?? id, state: shown.state, detail: shown.detail };
      }),
    of: (channel) => slots.get(channel)?.connector,
    channelOf: (plugin) =>
      Object.entries(config.current.channels).find(
        ([id, c]) => (c.plugin ?? id) === plugin && idleReason(config.current, id, plugin) === undefined,
      )?.[0],
    async close() {
      started = false;
      for (const stop of stops.splice(0)) stop();
      for (const [id, slot] of slots) change(id, slot, false);
      await Promise.all([...slots.values()].map((slot) => slot.changes));
    },
  };
}

/** What of a plugin's state decides whether trying again can help; that it works or idles does not. */
function standing(state: PluginSummary['state'] | undefined): string {
  return state === 'working' || state === 'idle' ? 'ready' : (state ?? 'missing');
}

const starting: Slot['idle'] = { state: 'waiting', detail: 'starting' };

/** Why a channel of px.yaml has no connector; undefined when it is to have one. */
function idleReason(config: Config, id: string, plugin: string): Slot['idle'] | undefined {
  if (localChannels.has(id)) return { state: 'off', detail: `${id} is built in and needs no plugin` };
  if (config.channels[id]?.enabled !== true) return { state: 'off', detail: 'switched off in px.yaml' };
  if (config.plugins[plugin]?.enabled === false)
    return {
      state: 'waiting',
      detail: `plugin ${plugin} is switched off: px config set plugins.${plugin}.enabled true`,
    };
  const first = Object.entries(config.channels).find(
    ([name, c]) => c.enabled && !localChannels.has(name) && (c.plugin ?? name) === plugin,
  )?.[0];
  if (first !== undefined && first !== id)
    return { state: 'waiting', detail: `plugin ${plugin} serves the channel ${first} already` };
  return undefined;
}

/** The secrets a plugin uses: named in its grants, in its settings, or declared by itself. */
function secretsOf(config: Config, plugin: string, declared: string[]): string[] {
  const entry = config.plugins[plugin];
  const named = JSON.stringify(entry?.settings ?? {}).matchAll(/secret:([A-Za-z0-9_.-]+)/g);
  return [...new Set([...Object.keys(entry?.grants.secrets ?? {}), ...[...named].map((m) => m[1] ?? ''), ...declared])];
}
