import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { type ChannelOptions, type Channels, openChannels, type Timing } from '../../src/channel/channel.ts';
import { type Config, ConfigSchema } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { createLog, type LogEntry } from '../../src/log/log.ts';
import type { HeldFiles, HeldSocket, PluginInfo } from '../../src/plugin/plugin.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { type Bus, createBus, type Inbound, type Json, type PxEvent } from '../../src/wire/wire.ts';

/** Pauses short enough for tests. */
export const quick: Partial<Timing> = {
  waitPause: [1, 20],
  pollPause: [1, 20],
  socketPause: [1, 20],
  failPause: [1, 20],
  sendPause: [1, 20],
  historyAfter: 1,
  lookAgain: 5,
  closeWait: 200,
};

const cleanups: (() => unknown)[] = [];
/** Ends what the test started. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'px-channel-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Waits until something holds; fails after half a minute. */
export async function until(what: () => unknown): Promise<void> {
  const end = Date.now() + 30_000;
  while (!what()) {
    if (Date.now() > end) throw new Error(`never true: ${what}`);
    await Bun.sleep(1);
  }
}

/** A message as a guest returns it. */
export const guestMessage = (id: string, text: string, sender = 'ada', metadata: Json = null) => ({
  id,
  sender: { id: sender, display_name: sender.toUpperCase() },
  text,
  metadata: metadata === null ? null : JSON.stringify(metadata),
});

export const inbound = (channel: string, id: string, text = 'hello'): Inbound => ({
  conversation: `${channel}/ada`,
  channel,
  chat: 'ada',
  id,
  sender: { id: 'ada', name: 'ADA' },
  text,
  at: Date.now(),
});

/** The plugin as the list of plugins shows it. */
const summary = {
  name: 'chat',
  version: '1',
  kind: 'messaging',
  description: '',
  sha256: '',
  bytes: 1,
  source: '',
  state: 'idle',
  detail: '',
} as const;

/** A messaging platform and the connector plugin for it, scripted by the test. */
export class Platform {
  /** What people see. */
  readonly visible: { chat: string; text: string }[] = [];
  /** Every call of the plugin: its function names, in order. */
  readonly calls: string[] = [];
  readonly typed: string[] = [];
  /** Messages the next `poll-events` or `on-wait` returns. */
  waiting: Json[] = [];
  exports = ['post-message', 'poll-events'];
  installed = true;
  maxText = 4096;
  holds = 0;
  /** How often the host was told that the plugin is not needed for now. */
  rests = 0;
  /** Answers of held requests; the default says 200 with what waits. */
  onHold: (signal: AbortSignal, request: Json, files?: HeldFiles) => Json | Promise<Json> = () => ({
    ok: { status: 200, headers: [['Date', String(Math.random())]], body: btoa(JSON.stringify(this.waiting.length)) },
  });
  onPost: (chat: string, text: string) => string | Promise<string> = () => `p${this.visible.length}`;
  /** Throws or waits before any call goes through. */
  before: (fn: string) => void | Promise<void> = () => {};
  after: (fn: string) => void | Promise<void> = () => {};
  request: () => Json = () => ({ method: 'GET', url: 'https://chat.example/updates', headers: [], body: null });

  readonly host: ChannelOptions['plugins'] = {
    list: () => (this.installed ? [summary] : []),
    inspect: async () => this.info(),
    rest: () => {
      this.rests += 1;
    },
    hold: async (_name, request, signal, files) => {
      this.holds += 1;
      await this.before('hold');
      return this.onHold(signal, request, files);
    },
    socket: (_name, wanted, signal) => this.onSocket(wanted, signal),
    call: async (_name, fn, args) => {
      this.calls.push(fn);
      await this.before(fn);
      const answer = await this.run(fn, args);
      await this.after(fn);
      return answer;
    },
  };

  /** Exports beyond those every test has. */
  readonly more: { [fn: string]: (args: Json[]) => Json | Promise<Json> } = {};

  /** Opens what `next-socket` wants. */
  onSocket: (wanted: Json, signal: AbortSignal) => Promise<HeldSocket> = async () => {
    throw new PxError('plugin.guest', 'no socket');
  };

  private async run(fn: string, args: Json[]): Promise<Json> {
    const own = this.more[fn];
    if (own) return own(args);
    const [chat, text] = args.map(String);
    switch (fn) {
      case 'post-message': {
        const id = await this.onPost(chat ?? '', text ?? '');
        this.visible.push({ chat: chat ?? '', text: text ?? '' });
        return id;
      }
      case 'poll-events':
      case 'on-wait':
        return this.waiting.splice(0);
      case 'next-wait':
        return this.request();
      case 'describe':
        return { platform: 'chat', max_text: this.maxText };
      case 'set-typing':
        this.typed.push(chat ?? '');
        return null;
      default:
        throw new PxError('plugin.function', fn);
    }
  }

  private info(): PluginInfo {
    return {
      ...summary,
      functions: this.exports.map((name) => ({ name, params: [], result: null, docs: '', notCallable: '' })),
      imports: [],
      manifest: {
        name: 'chat',
        version: '1',
        description: '',
        egress: [],
        private_hosts: [],
        secrets: { CHAT_TOKEN: [] },
        files: {},
        schedule: {},
        limits: {},
        setup: '',
        sealed: false,
      },
      asks: [],
      signedBy: '',
      tools: [],
    };
  }
}

/** One life of px around a platform. */
export interface Life {
  channels: Channels;
  bus: Bus;
  events: PxEvent[];
  log: LogEntry[];
  store: Store;
  secrets: Map<string, string>;
  /** Texts that people sent and px has to answer, in order. */
  asked: string[];
  /** Changes px.yaml while running. */
  configure(config: unknown): void;
  of<T extends PxEvent['type']>(type: T): Extract<PxEvent, { type: T }>[];
}

export interface LifeOptions {
  platform?: Platform;
  folder?: string;
  config?: unknown;
  timing?: Partial<Timing>;
  /** Answers with this; by default nobody answers. */
  answer?: (text: string) => string;
  start?: boolean;
  /** The folder memory/. */
  memory?: string;
}

/** Opens channels over a real database and starts them. */
export async function live(options: LifeOptions = {}): Promise<Life> {
  const store = openStore(join(options.folder ?? tempFolder(), 'px.db'));
  const bus = createBus();
  const events: PxEvent[] = [];
  bus.on((event) => events.push(event));
  const log: LogEntry[] = [];
  const secrets = new Map([['CHAT_TOKEN', 'x']]);
  const listeners = new Set<(config: Config, changed: string[]) => void>();
  const config = {
    current: v.parse(ConfigSchema, options.config ?? { channels: { chat: { access: 'open' } } }),
    onChange(listener: (config: Config, changed: string[]) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const channels = await openChannels({
    config,
    store,
    bus,
    plugins: (options.platform ?? new Platform()).host,
    secrets: { get: (name) => secrets.get(name), has: (name) => secrets.has(name) },
    log: createLog({ level: 'debug', sinks: [(entry) => log.push(entry)] }),
    timing: { ...quick, ...options.timing },
    ...(options.memory === undefined ? {} : { memory: options.memory }),
  });
  cleanups.push(async () => {
    await channels.close();
    store.close();
  });
  const asked: string[] = [];
  channels.onPending((item) => {
    asked.push(item.inbound.text);
    const { answer } = options;
    if (answer) queueMicrotask(() => channels.reply(item, answer(item.inbound.text)));
  });
  if (options.start !== false) channels.start();
  return {
    channels,
    bus,
    events,
    log,
    store,
    secrets,
    asked,
    configure(next) {
      config.current = v.parse(ConfigSchema, next);
      for (const listener of listeners) listener(config.current, []);
    },
    of: <T extends PxEvent['type']>(type: T) =>
      events.filter((e): e is Extract<PxEvent, { type: T }> => e.type === type),
  };
}
