import * as v from 'valibot';
import { PxError, toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Plugins } from '../plugin/plugin.ts';
import type { Bus, Json } from '../wire/wire.ts';
import type { Batch } from './batch.ts';
import type { ChannelState } from './channel.ts';
import { createCondition } from './condition.ts';
import { type CourierRoute, createCourier } from './courier.ts';
import { explainFailure, retryAfter } from './failure.ts';
import { Abilities, Description } from './guest.ts';
import { createLoose } from './loose.ts';
import type { Outbox } from './outbox.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import {
  errorOf,
  hookReceiver,
  pollReceiver,
  type Receiver,
  type ReceiverTools,
  refuseBad,
  waitReceiver,
} from './receiver.ts';
import { reconciler } from './reconcile.ts';
import { createSender, type Sender } from './sender.ts';
import { backOff, createSleeper, type Timing } from './timing.ts';
import {
  isPath,
  makeWebhook,
  readWebhookAnswer,
  requestJson,
  type Webhook,
  type WebhookAnswer,
  type WebhookRequest,
} from './webhook.ts';

/** Longest text when a connector does not describe itself, in UTF-16 units. */
const usualMaxText = 4096;

/** So long after a send the plugin's process is taken to be there still, in ms. */
const warmFor = 1_000;

/** Chats a connector that gives its requests away is sent to at the same time. */
const chatsAtOnce = 16;

/** The part of the Wasm host that channels use. */
export type ConnectorHost = Pick<Plugins, 'call' | 'hold' | 'socket' | 'list' | 'inspect' | 'rest'>;

/** Messages stored before other work of px gets its turn. */
const sliceLength = 100;

function slices(messages: Json): Json[] {
  if (!Array.isArray(messages) || messages.length <= sliceLength) return [messages];
  const count = Math.ceil(messages.length / sliceLength);
  return Array.from({ length: count }, (_, i) => messages.slice(i * sliceLength, (i + 1) * sliceLength));
}

/** What a connector works with. */
export interface ConnectorOptions {
  channel: string;
  plugin: string;
  plugins: ConnectorHost;
  outbox: Outbox;
  batch: Batch;
  /** Where a file of an outgoing message is on disk. */
  fileOf(path: string): string;
  /** Stores messages; how many were new. */
  take(messages: Json): number;
  /** Resolves when what was stored holds against power loss. */
  durable(): Promise<void>;
  /** The address at which the platform reaches px, when messages come by webhook. */
  webhook(): string | undefined;
  /** What people can type, for the platform's menu. */
  commands(): { name: string; summary: string }[];
  /** Told when the platform was waited for and brought nothing. */
  nothingNew(): void;
  /** Names of the secrets the plugin uses that are not set. */
  missingSecrets(declared: string[]): string[];
  /** Changes when something outside changed that could mend a failure (the plugin, a secret). */
  circumstances(declared: string[]): string;
  bus: Bus;
  log: Log;
  timing: Timing;
}

/** One running connector: its messages in, its outbox out, its state. */
export interface Connector {
  state(): Pick<ChannelState, 'state' | 'detail'>;
  /** There may be something to send. */
  kick(): void;
  typing(chat: string): void;
  /** Does something that may fail and is not kept in the outbox: a reaction, a text that is still being written. The message's id. */
  act(chat: string, out: Outgoing): Promise<string>;
  can(ability: string): boolean;
  /** Longest text of one message. */
  maxText(): number;
  /** Hands a request over that came from the platform; undefined when its address is not the one given out. */
  webhook(path: string, request: WebhookRequest): Promise<WebhookAnswer | undefined>;
  /** Has the platform's file brought to a place on disk. */
  fetch(id: string, into: { path: string; maxBytes: number }): Promise<void>;
  /** Calls an export of the plugin. Throws PxError `plugin.function` where it has none of this name. */
  ask(fn: string, args: Json[]): Promise<Json>;
  /** Ends the wait at once and lets a call that the plugin is in finish, up to a bound. */
  stop(): Promise<void>;
}

/** Starts a channel's connector. It keeps itself going: what fails is shown, and tried again later and later. */
export function startConnector(options: ConnectorOptions): Connector {
  const { channel, plugin, plugins, timing, log } = options;
  const stopping = new AbortController();
  const killing = new AbortController();
  const naps = createSleeper(stopping.signal);
  const sleeper = createSleeper(stopping.signal);
  const call = (fn: string, args: Json[]) => plugins.call(plugin, fn, args, { signal: killing.signal });
  const condition = createCondition(log);
  let unblocking = false;
  let receiver: Receiver | undefined;
  let exported = new Set<string>();
  let declared: string[] = [];
  let failures = 0;
  let unsaved: Json | undefined;
  /** When a message last came or went, or a sign of typing was asked for. */
  let lastTraffic = Number.NEGATIVE_INFINITY;
  let lastSend = Number.NEGATIVE_INFINITY;
  const lastTyping = new Map<string, number>();
  let sender: Sender | undefined;
  let webhook: Webhook | undefined;
  let maxText = usualMaxText;
  const loose = createLoose();

  const courier = createCourier({
    ...options,
    async prepare(part) {
      lastTraffic = timing.now();
      if (!sender) throw new PxError('internal', 'not connected');
      if (!sender.parallel) await warm();
      const [send] = await Promise.all([
        sender.prepare(part.chat, outgoing(part, sender.can)),
        loose.settled(part.chat),
      ]);
      return async (watch) => {
        const id = await send(watch);
        lastSend = timing.now();
        return id;
      };
    },
    async conclude(part, answer) {
      if (!sender) throw new PxError('internal', 'not connected');
      return sender.conclude(part.chat, outgoing(part, sender.can), answer);
    },
    sent() {
      if (condition.blocked()) log.info('texts are sent again');
      condition.block(undefined);
      receiver?.nudge();
    },
    blocked(why) {
      condition.block(why);
      if (condition.blocked() && !unblocking) void unblock();
    },
  });

  /** Gets a connector's process ready, so that little can happen between the word that a text is being sent and its sending. */
  const warm = async () => {
    // A process that was just used is there; only one that may have gone has to be started first.
    if (timing.now() - lastSend <= warmFor || !exported.has('describe')) return;
    // Nothing was sent: what is wrong with the plugin shows in the call that sends.
    await call('describe', []).catch((e: unknown) =>
      log.debug('the connector is not ready', { error: toPxError(e).message }),
    );
  };

  const works = () => {
    if (condition.receives() || stopping.signal.aborted) return;
    if (failures > 0) courier.resume();
    failures = 0;
    condition.show('running', '');
  };

  /** In slices, so that px answers others while a flood is stored; after a failure all come again, and known ones count once. */
  const take = async (messages: Json) => {
    unsaved = messages;
    let fresh = 0;
    for (const [i, slice] of slices(messages).entries()) {
      if (i > 0) await new Promise((resume) => setImmediate(resume));
      fresh += options.take(slice);
    }
    // Only what is on disk may be acknowledged: the plugin does so when it is asked for the next request.
    if (fresh > 0) await options.durable();
    if (fresh > 0) lastTraffic = timing.now();
    unsaved = undefined;
    return fresh;
  };

  const tools: ReceiverTools = {
    call,
    hold: (request) => plugins.hold(plugin, request, stopping.signal),
    rest() {
      // While somebody is talking or something is being sent the process stays as long as its usual idle time.
      if (timing.now() - lastTraffic >= timing.restAfter && !courier.busy()) plugins.rest(plugin);
    },
    take,
    works,
    nothingNew: options.nothingNew,
    stopping: stopping.signal,
    sleeper,
    timing,
  };

  /** Learns what the plugin can do; from then on texts can be sent. */
  const connect = async (): Promise<Receiver> => {
    if (!plugins.list().some((p) => p.name === plugin))
      throw new PxError('plugin.unknown', `plugin ${plugin} is not installed`, { hint: `px plugin add ${plugin}` });
    const info = await plugins.inspect(plugin);
    exported = new Set(info.functions.map((f) => f.name));
    declared = Object.keys(info.manifest.secrets);
    if (!exported.has('post-message') || !exported.has('poll-events'))
      throw new PxError('plugin.function', `plugin ${plugin} is not a connector`, {
        hint: `it exports no post-message and poll-events; channels.${channel}.plugin names another one`,
      });
    const described = exported.has('describe') ? v.safeParse(Description, await call('describe', [])) : undefined;
    const able = exported.has('abilities') ? v.safeParse(Abilities, await call('abilities', [])) : undefined;
    sender = createSender({
      call,
      exported,
      abilities: able?.success ? able.output : [],
      hold: (request, files) => plugins.hold(plugin, request, killing.signal, files),
      fileOf: options.fileOf,
    });
    maxText = described?.success ? described.output.max_text : usualMaxText;
    courier.open(routeOf(sender, maxText));
    void tellCommands();
    const address = options.webhook();
    if (address !== undefined && exported.has('set-webhook') && exported.has('on-webhook')) {
      // Known before the platform is told: its first message may come before its answer.
      webhook = makeWebhook(channel, address);
      await call('set-webhook', [webhook.url, webhook.secret]);
      return hookReceiver(tools);
    }
    if (exported.has('next-socket') && exported.has('on-socket')) {
      const { socketReceiver } = await import('./socket.ts');
      return socketReceiver({ ...tools, socket: (wanted) => plugins.socket(plugin, wanted, stopping.signal) });
    }
    return exported.has('next-wait') && exported.has('on-wait') ? waitReceiver(tools) : pollReceiver(tools);
  };

  /** The platform's menu is a convenience: nothing waits for it, and it may fail. */
  const tellCommands = async () => {
    const commands = options.commands();
    if (!exported.has('set-commands') || commands.length === 0) return;
    await call('set-commands', [commands]).catch((e: unknown) =>
      log.debug('the menu of commands was not set', { error: toPxError(e).message }),
    );
  };

  const routeOf = (by: Sender, maxText: number): CourierRoute => {
    const reconcile = reconciler({ call, once: by.onceFor, history: exported.has('get-history'), timing });
    return { maxText, atOnce: by.parallel ? chatsAtOnce : 1, ...(reconcile ? { reconcile } : {}) };
  };

  const circumstances = () => {
    try {
      return options.circumstances(declared);
    } catch (error) {
      return toPxError(error).message;
    }
  };

  /** Looks now and then, as long as it `lasts`, whether something changed outside that could mend a failure. */
  const mended = async (lasts: () => boolean, until = Number.POSITIVE_INFINITY): Promise<boolean> => {
    const before = circumstances();
    while (!stopping.signal.aborted && lasts()) {
      await naps.sleep(Math.min(timing.lookAgain, until - timing.now()));
      if (circumstances() !== before) return true;
    }
    return false;
  };

  /** Messages may come all the while: a new token must not wait for the pause between tries, which grows. */
  const unblock = async () => {
    unblocking = true;
    const changed = await mended(condition.blocked);
    unblocking = false;
    if (!changed) return;
    condition.block(undefined);
    courier.resume();
  };

  const rest = async (thrown: unknown) => {
    failures += 1;
    const error = toPxError(thrown);
    const missing = options.missingSecrets(declared);
    const person = missing.length > 0 || ['plugin.unknown', 'plugin.disabled', 'plugin.function'].includes(error.code);
    condition.show(person ? 'waiting' : 'failing', explainFailure(error, plugin, missing));
    const until = timing.now() + (retryAfter(error) ?? backOff(timing.failPause, failures));
    await mended(() => timing.now() < until, until);
  };

  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        if (unsaved !== undefined) await take(unsaved);
        receiver ??= await connect();
        await receiver.round();
      } catch (thrown) {
        if (!stopping.signal.aborted) await rest(thrown);
      }
    }
  };
  const ended = run();

  return {
    state: condition.shown,
    kick: courier.kick,
    typing(chat) {
      const now = timing.now();
      if (!sender?.can('typing') || stopping.signal.aborted || loose.full()) return;
      if (now - (lastTyping.get(chat) ?? 0) < timing.typingEvery) return;
      if (lastTyping.size >= 100) lastTyping.clear();
      lastTyping.set(chat, now);
      lastTraffic = now;
      const sign: Outgoing = { kind: 'typing', key: '', message: null, content: '', choices: [], files: [] };
      loose.add(
        chat,
        sender
          .prepare(chat, sign)
          .then((send) => send())
          .catch((error: unknown) => log.debug('no typing sign', { error: String(error) })),
      );
    },
    can: (ability) => sender?.can(ability) ?? false,
    maxText: () => maxText,
    async webhook(path, request) {
      if (!isPath(webhook, path)) return undefined;
      lastTraffic = timing.now();
      const { answer, messages } = readWebhookAnswer(await call('on-webhook', [requestJson(request)]));
      // In the same order as they came, and stored before the platform is told that they are.
      if (Array.isArray(messages) && messages.length > 0) {
        const fresh = options.take(messages);
        if (fresh > 0) await options.durable();
      }
      return answer;
    },
    act(chat, out) {
      if (!sender || (out.kind !== 'post' && !sender.can(out.kind)))
        return Promise.reject(new PxError('plugin.function', `${plugin} cannot ${out.kind}`));
      if (loose.full() && out.kind !== 'react')
        return Promise.reject(new PxError('conflict', `${plugin} has texts to send first`, { retryable: true }));
      lastTraffic = timing.now();
      const done = sender.prepare(chat, out).then((send) => send());
      loose.add(chat, done);
      return done;
    },
    async fetch(id, into) {
      if (!sender) throw new PxError('plugin.guest', 'the channel is not connected', { retryable: true });
      if (!exported.has('fetch-file')) throw new PxError('plugin.guest', 'refused: the connector brings no files');
      lastTraffic = timing.now();
      const answer = await plugins.hold(plugin, await call('fetch-file', [id]), killing.signal, { into });
      const error = errorOf(answer);
      if (error !== undefined) throw new PxError('plugin.guest', error);
      refuseBad(answer);
    },
    async ask(fn, args) {
      if (!exported.has(fn)) throw new PxError('plugin.function', `${plugin} has no ${fn}`);
      lastTraffic = timing.now();
      return call(fn, args);
    },
    async stop() {
      stopping.abort();
      const { promise: tooLong, resolve: giveUp } = Promise.withResolvers<void>();
      const kill = setTimeout(() => killing.abort(), timing.closeWait);
      const leave = setTimeout(giveUp, timing.closeWait * 2);
      await Promise.race([Promise.all([ended, courier.stop()]), tooLong]);
      clearTimeout(kill);
      clearTimeout(leave);
      condition.show('off', 'stopped');
    },
  };
}
