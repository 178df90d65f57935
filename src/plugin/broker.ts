import * as v from 'valibot';
import { type PluginConfig, requestsPerMinute } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Secrets } from '../secret/secret.ts';
import type { Bus, Json } from '../wire/wire.ts';
import { base64 } from './base64.ts';
import { fileCalls } from './files/calls.ts';
import type { FilesOptions } from './files/files.ts';
import { FileError } from './files/path.ts';
import type { AnswerHost, HostAnswer } from './guest.ts';
import type { GuestLog } from './guest-log.ts';
import type { Resolve } from './http/address.ts';
import { toPlaceholders } from './http/placeholder.ts';
import type { HttpError } from './http/reach.ts';
import type { GuestRequest, Send } from './http/request.ts';
import { KvError, type PluginKv } from './kv.ts';
import type { HeldFiles, HeldSocket } from './plugin.ts';
import { createRate } from './rate.ts';
import { scrubJson } from './scrub.ts';

/** What one plugin's host calls are answered with. */
export interface BrokerOptions {
  /** The plugin's name: known from whose pipe it is, never from what is said on it. */
  name: string;
  /** Read anew for each call, so that a grant taken away in px.yaml ends at once. */
  config(): PluginConfig;
  /** Whether it connects a messaging platform. */
  connector(): boolean;
  /** Whether no call is answered, whatever is granted. */
  sealed(): boolean;
  kv: PluginKv;
  secrets: Secrets;
  log: GuestLog;
  bus: Bus;
  resolve: Resolve;
  ca: string | undefined;
  /** Does the requests; the network when left out. */
  send?: Send | undefined;
  /** Where px itself lives, and what `~` means in the grant of a folder. */
  folders: Omit<FilesOptions, 'config'>;
  /** Takes what `emit-message` pushes (its record in JSON); false when it was seen before. May throw PxError. */
  emit: ((plugin: string, message: Json) => boolean) | undefined;
}

/** The only door between a plugin and the world. */
export interface Broker {
  /** Answers one host call. Never throws; what is malformed is answered with an error or nothing. */
  answer: AnswerHost;
  /** `http-request` from the daemon itself, for a long poll; as the `answer` parameter of `on-wait` in JSON. */
  request(request: Json, signal: AbortSignal, longestMs: number, files?: HeldFiles): Promise<HostAnswer>;
  /** A WebSocket of the plugin, which the daemon holds. Throws PxError. */
  socket(socket: Json, signal: AbortSignal): Promise<HeldSocket>;
}

const text = v.string();
const Request = v.object({
  method: text,
  url: text,
  headers: v.array(v.tuple([text, text])),
  body: v.nullish(base64),
  timeout_ms: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
const Level = v.picklist(['info', 'warn', 'error', 'debug']);

const maxMessagesPerMinute = 600;
/** Denials told on the bus; each is answered to the guest all the same. */
const maxDenialsPerMinute = 60;

/** Makes the broker of one plugin. */
export function createBroker(options: BrokerOptions): Broker {
  const { name, kv, secrets, bus } = options;
  let http: typeof import('./http/request.ts') | undefined;
  const requests = createRate();
  const messages = createRate();

  const denials = createRate();
  const deny = (capability: string, detail: string) => {
    if (denials.take(maxDenialsPerMinute))
      bus.emit({ type: 'plugin.denied', plugin: name, capability, detail: secrets.scrub(detail).slice(0, 500) });
  };

  const reach = (grants: PluginConfig['grants']) => ({
    grants,
    secrets,
    resolve: options.resolve,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });

  /** Counts one reach to the network; in words when it is one too many. */
  const refusedByRate = (capability: string): string | undefined => {
    const most =
      options.config().limits.http_per_minute ?? requestsPerMinute[options.connector() ? 'connector' : 'plugin'];
    if (requests.take(most)) return undefined;
    deny(capability, `more than ${most} requests a minute`);
    return `more than ${most} requests a minute`;
  };

  async function request(
    json: Json,
    signal: AbortSignal,
    longestMs: number,
    files: HeldFiles = {},
  ): Promise<HostAnswer> {
    if (options.sealed()) return { err: { denied: 'the plugin is sealed' } satisfies HttpError };
    const parsed = v.safeParse(Request, json);
    if (!parsed.success) return { err: { network: 'the request is malformed' } satisfies HttpError };
    const { grants, limits } = options.config();
    const tooMany = refusedByRate('http-request');
    if (tooMany !== undefined) return { err: { denied: tooMany } satisfies HttpError };
    // What a plugin has kept must not be less than what others know it by.
    await kv.durable();
    const { method, url, headers, body, timeout_ms: wanted } = parsed.output;
    const guest: GuestRequest = {
      method,
      url,
      headers,
      body: body ?? undefined,
      timeoutMs: Math.min(wanted ?? longestMs, longestMs),
    };
    // Looking a module up again takes longer than much else here.
    http ??= await import('./http/request.ts');
    const around = { ...reach(grants), maxBytes: limits.http_bytes, files, send: options.send };
    const answer = await http.guestRequest(guest, around, signal);
    if ('ok' in answer) return { ok: { ...answer.ok, body: Buffer.from(answer.ok.body).toString('base64') } };
    if (typeof answer.err !== 'object' || !('denied' in answer.err)) return { err: answer.err };
    deny('http-request', `${method.slice(0, 20)} ${url.slice(0, 200)}: ${answer.err.denied}`);
    return { err: { denied: `${answer.err.denied} (grants: plugins.${name}.grants in px.yaml)` } };
  }

  async function socket(json: Json, signal: AbortSignal): Promise<HeldSocket> {
    if (options.sealed()) throw new PxError('plugin.guest', 'denied: the plugin is sealed');
    const { grants, limits } = options.config();
    const tooMany = refusedByRate('socket');
    if (tooMany !== undefined) throw new PxError('plugin.guest', `denied: ${tooMany}`, { retryable: true });
    const { holdSocket } = await import('./socket/socket.ts');
    const store = {
      get(key: string) {
        const value = kv.get(name, key);
        return value && new TextDecoder().decode(value);
      },
      set: (key: string, value: string) =>
        kv.set(name, key, new TextEncoder().encode(value), options.config().limits.kv_bytes),
      delete: (key: string) => kv.delete(name, key),
    };
    return holdSocket(
      json,
      { ...reach(grants), maxBytes: limits.http_bytes, store, denied: (detail) => deny('socket', detail) },
      signal,
    );
  }

  function emitMessage(message: Json | undefined): HostAnswer {
    if (!options.emit) return { err: 'nobody takes messages of this plugin' };
    if (!messages.take(maxMessagesPerMinute)) return { err: 'too many messages' };
    try {
      options.emit(name, scrubJson(message ?? null, secrets.scrub));
      return { ok: null };
    } catch (thrown) {
      if (thrown instanceof PxError) return { err: thrown.message };
      throw thrown;
    }
  }

  const calls: Record<string, (args: Json[], signal: () => AbortSignal) => HostAnswer | Promise<HostAnswer>> = {
    'kv-set': ([key, value]) => {
      kv.set(name, v.parse(text, key), v.parse(base64, value), options.config().limits.kv_bytes);
      return { ok: null };
    },
    'kv-get': ([key]) => {
      const value = kv.get(name, v.parse(text, key));
      return value ? { ok: Buffer.from(value).toString('base64') } : { err: 'not-found' };
    },
    'kv-delete': ([key]) => {
      kv.delete(name, v.parse(text, key));
      return { ok: null };
    },
    'kv-list': async ([prefix]) => ({ ok: await kv.list(name, v.parse(text, prefix)) }),
    log: ([level, message]) => {
      options.log.write(v.parse(Level, level), v.parse(text, message), options.config().limits.log_per_minute);
      return { ok: null };
    },
    'config-get': ([key]) => ({ ok: new Map(settingsOf(options.config())).get(v.parse(text, key)) ?? null }),
    'secret-exists': ([wanted]) => {
      const secret = v.parse(text, wanted);
      return { ok: Object.hasOwn(options.config().grants.secrets, secret) && secrets.has(secret) };
    },
    'http-request': ([req], signal) => request(req ?? null, signal(), options.config().limits.wall_ms),
    'emit-message': ([message]) => emitMessage(message),
    ...fileCalls({ config: options.config, ...options.folders }),
  };

  const failed = (fn: string, thrown: unknown): HostAnswer => {
    if (thrown instanceof KvError) {
      deny(fn, thrown.message);
      return { err: thrown.message };
    }
    if (thrown instanceof FileError) {
      if (thrown.denied) deny(fn, thrown.message);
      return { err: thrown.message };
    }
    if (thrown instanceof v.ValiError) return { err: 'the arguments are malformed' };
    options.log.write('error', `${fn} failed: ${thrown instanceof Error ? thrown.message : 'unknown'}`, 60);
    return { err: `${fn} failed in px` };
  };

  return {
    request,
    socket,
    answer(fn, args, signal) {
      if (options.sealed()) return unanswered('the plugin is sealed')(fn, args, signal);
      try {
        const call = Object.hasOwn(calls, fn) ? calls[fn] : undefined;
        if (!call) return { err: `the host has no ${fn}` };
        const answered = call(args, signal);
        return answered instanceof Promise ? answered.catch((thrown: unknown) => failed(fn, thrown)) : answered;
      } catch (thrown) {
        return failed(fn, thrown);
      }
    },
  };
}

/** Answers a plugin that can reach nothing: its log goes nowhere, and every other call is refused with the reason. */
export function unanswered(reason: string): AnswerHost {
  const refused: Json = reason;
  return (fn) => {
    if (fn === 'log' || fn === 'config-get') return { ok: null };
    if (fn === 'secret-exists') return { ok: false };
    return { err: fn === 'http-request' ? { denied: reason } : refused };
  };
}

/** A plugin's settings as it may read them, each as JSON. */
export function settingsOf({ settings }: Pick<PluginConfig, 'settings'>): [key: string, json: string][] {
  return Object.entries(settings).map(([key, value]) => [key, JSON.stringify(veil(value))]);
}

/** A setting as the plugin may read it: every reference to a secret is its placeholder, at any depth. */
function veil(value: unknown): unknown {
  if (typeof value === 'string') return toPlaceholders(value);
  if (Array.isArray(value)) return value.map(veil);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, veil(inner)]));
  return value;
}
