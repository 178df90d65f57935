import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import type { Json } from '../../wire/wire.ts';
import { refuseHeaders } from '../http/header.ts';
import {
  addressesOf,
  denied,
  fillHeaders,
  firstReachable,
  openUrl,
  type ReachOptions,
  Refusal,
  secretFor,
} from '../http/reach.ts';
import { fillBody } from '../http/secret.ts';
import type { HeldSocket } from '../plugin.ts';
import { createRate } from '../rate.ts';
import { type Connection, dial } from './connection.ts';
import { HandshakeError } from './handshake.ts';
import { createHeart } from './heart.ts';
import { createInflow } from './inflow.ts';

/** What a WebSocket of a plugin is held with. */
export interface SocketOptions extends ReachOptions {
  /** Largest message, in bytes. */
  maxBytes: number;
  /** The plugin's own store: how far the stream was taken in, and what an answer has kept. */
  store: { get(key: string): string | undefined; set(key: string, value: string): void; delete(key: string): void };
  /** Told when a rule kept something in. */
  denied(detail: string): void;
}

const texts = v.pipe(v.array(v.string()), v.maxLength(64));
const pattern = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }): Json => {
    try {
      return JSON.parse(dataset.value) as Json;
    } catch {
      addIssue({ message: 'a pattern is JSON' });
      return NEVER;
    }
  }),
);
const patterns = v.pipe(v.array(pattern), v.maxLength(64));

const Socket = v.object({
  url: v.string(),
  headers: v.array(v.tuple([v.string(), v.string()])),
  protocols: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}$/))), v.maxLength(16)),
  wake: patterns,
  cursor: v.nullish(v.pipe(v.string(), v.regex(/^(\/[^/]*)+$/), v.maxLength(200))),
  send: texts,
});
/** `heartbeat` of the contract. */
const Heartbeat = v.object({
  every_ms: v.pipe(v.number(), v.integer(), v.minValue(1_000), v.maxValue(3_600_000)),
  message: v.string(),
  answer: v.nullish(pattern),
});
const Answer = v.object({
  keep: v.pipe(v.array(v.tuple([v.string(), v.nullable(v.string())])), v.maxLength(64)),
  send: texts,
  heartbeat: v.nullish(Heartbeat),
  wake: v.nullish(patterns),
  cursor: v.nullish(v.string()),
});

/** Where the plugin's store has the cursor. */
const cursorKey = 'socket:cursor';
/** How long a connection may take to open, in ms. */
const openMs = 20_000;
/** Messages a plugin may send in a minute over one connection. */
const mostSent = 600;
/** What px closes with: 1000 would tell a platform that the session is over. */
const goodbye = 4_000;

/**
 * Opens a WebSocket under a plugin's grants and holds it: the rule for `ws` or `wss`, every address of its host, the secrets in URL,
 * headers and messages are checked as for a request. Throws PxError `plugin.guest` whose text says what is wrong, as connectors do.
 */
export async function holdSocket(json: Json, options: SocketOptions, signal: AbortSignal): Promise<HeldSocket> {
  const parsed = v.safeParse(Socket, json);
  if (!parsed.success) throw new PxError('plugin.guest', 'next-socket returned what is no socket');
  const wanted = parsed.output;
  const opening = AbortSignal.any([signal, AbortSignal.timeout(openMs)]);
  try {
    const url = openUrl(wanted.url, 'GET', options, 'ws');
    const connection = await connect(url, wanted, options, opening);
    return held(url, connection, wanted, options, signal);
  } catch (thrown) {
    throw explained(thrown, options, opening);
  }
}

async function connect(
  url: URL,
  { headers, protocols }: v.InferOutput<typeof Socket>,
  options: SocketOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const wrong = refuseHeaders(headers);
  if (wrong) throw denied(wrong);
  const filled = fillHeaders(headers, url, options);
  const addresses = await addressesOf(url, options, signal);
  const { maxBytes, ca } = options;
  return firstReachable(addresses, (address) =>
    dial({ url, address, headers: filled, protocols, maxBytes, ca }, signal),
  );
}

function held(
  url: URL,
  connection: Connection,
  wanted: v.InferOutput<typeof Socket>,
  options: SocketOptions,
  signal: AbortSignal,
): HeldSocket {
  const { store, secrets } = options;
  const sent = createRate();
  const pointer = wanted.cursor ?? undefined;
  const inflow = createInflow({
    connection,
    maxBytes: options.maxBytes,
    pointer,
    scrub: secrets.scrub,
    cursor: pointer === undefined ? undefined : store.get(cursorKey),
    heard: (message) => heart.heard(message),
  });
  inflow.wake(wanted.wake);
  let kept = inflow.cursor;
  const keepCursor = () => {
    if (inflow.cursor === kept) return;
    kept = inflow.cursor;
    if (kept === undefined) store.delete(cursorKey);
    else store.set(cursorKey, kept);
  };

  /** Sends a text of the plugin, with the cursor and then its secrets in place; so what a server sent as cursor names no secret. */
  const send = (text: string) => {
    if (connection.ended) return;
    if (!sent.take(mostSent)) throw denied(`more than ${mostSent} messages a minute`);
    const whole = text.replace(/"\{\{cursor\}\}"|\{\{cursor\}\}/g, () => inflow.cursor ?? 'null');
    if (Buffer.byteLength(whole) > options.maxBytes) throw new Refusal({ 'too-large': options.maxBytes });
    const bytes = fillBody(Buffer.from(whole), 'application/json', secretFor(url, options));
    connection.send(bytes.toString());
  };
  const heart = createHeart({
    connection,
    beat(text) {
      keepCursor();
      send(text);
    },
  });
  const stop = () => {
    heart.stop();
    connection.close(goodbye);
  };
  signal.addEventListener('abort', stop, { once: true });

  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      stop();
      throw explained(thrown, options, signal);
    }
  };
  guarded(() => wanted.send.forEach(send));

  return {
    get waiting() {
      return inflow.waiting;
    },
    async next() {
      const event = await inflow.next();
      if ('closed' in event) {
        heart.stop();
        signal.removeEventListener('abort', stop);
        guarded(keepCursor);
        return { closed: { ...event.closed, reason: secrets.scrub(event.closed.reason).slice(0, 500) } };
      }
      return event;
    },
    handled(answer) {
      const read = v.safeParse(Answer, answer);
      if (!read.success) throw new PxError('plugin.guest', 'on-socket returned what is no answer');
      const { keep, send: texts, heartbeat, wake, cursor } = read.output;
      guarded(() => {
        for (const [key, value] of keep) value === null ? store.delete(key) : store.set(key, value);
        inflow.handled(cursor ?? undefined);
        keepCursor();
        if (wake) inflow.wake(wake);
        texts.forEach(send);
        if (heartbeat) heart.start({ ...heartbeat, answer: heartbeat.answer ?? undefined });
      });
    },
    close() {
      signal.removeEventListener('abort', stop);
      stop();
    },
  };
}

/** What kept a socket from being opened or used, in the words px acts on. */
function explained(thrown: unknown, options: SocketOptions, signal: AbortSignal): PxError {
  const guest = (text: string) =>
    new PxError('plugin.guest', options.secrets.scrub(text).slice(0, 500), { retryable: true });
  if (thrown instanceof Refusal) {
    if (typeof thrown.error === 'object' && 'denied' in thrown.error) {
      options.denied(thrown.error.denied);
      return guest(`denied: ${thrown.error.denied}`);
    }
    return guest(
      typeof thrown.error === 'object' && 'network' in thrown.error
        ? thrown.error.network
        : 'a message that is too long',
    );
  }
  if (thrown instanceof HandshakeError) {
    if (thrown.status === 401) return guest(`unauthorized: ${thrown.message}`);
    return guest(
      thrown.retryAfter === undefined ? thrown.message : `retry-after:${thrown.retryAfter} ${thrown.message}`,
    );
  }
  // A rule in px.yaml that cannot be read allows nothing.
  if (thrown instanceof PxError)
    return guest(thrown.code === 'plugin.guest' ? thrown.message : `denied: ${thrown.message}`);
  if (signal.aborted && signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError')
    return guest('the WebSocket took too long to open');
  return guest(thrown instanceof Error ? thrown.message : String(thrown));
}
