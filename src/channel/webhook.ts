import { timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import type { Json } from '../wire/wire.ts';

/** A request that came from outside. */
export interface WebhookRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array;
}

/** What it is answered. */
export interface WebhookAnswer {
  status: number;
  headers: [string, string][];
  body: Uint8Array;
}

/** Where the platform of one channel reaches px, made anew at each start of its connector. */
export interface Webhook {
  url: string;
  /** The platform sends it with each message, and the connector checks it. */
  secret: string;
  /** Last part of the address: who does not know it does not even wake the connector. */
  path: string;
}

const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url');

/** The webhook of a channel at px's address from outside. */
export function makeWebhook(channel: string, address: string): Webhook {
  const path = random();
  return { url: `${address.replace(/\/+$/, '')}/hooks/channel/${channel}/${path}`, secret: random(), path };
}

/** Whether the last part of an address is the one that was given out; takes as long for any. */
export function isPath(webhook: Webhook | undefined, given: string): boolean {
  const hash = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest();
  return timingSafeEqual(hash(webhook?.path ?? random()), hash(given));
}

/** The request as `on-webhook` takes it. */
export function requestJson({ method, url, headers, body }: WebhookRequest): Json {
  return { method, url, headers, body: Buffer.from(body).toString('base64'), timeout_ms: null };
}

const Answer = v.object({
  response: v.object({
    status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
    headers: v.array(v.tuple([v.string(), v.string()])),
    body: v.string(),
  }),
  messages: v.custom<Json>(() => true),
});

/** The answer of `on-webhook`. Throws PxError `plugin.guest` when it is none. */
export function readWebhookAnswer(json: Json): { answer: WebhookAnswer; messages: Json } {
  const read = v.safeParse(Answer, json);
  if (!read.success) throw new PxError('plugin.guest', 'on-webhook returned what is no answer');
  const { response, messages } = read.output;
  // Of the plugin's headers only the type counts: nothing it says may speak for px.
  const headers = response.headers.filter(([name]) => name.toLowerCase() === 'content-type');
  return { answer: { ...response, headers, body: Buffer.from(response.body, 'base64') }, messages };
}
