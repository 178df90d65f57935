import * as v from 'valibot';
import { printable } from '../log/log.ts';
import type { Inbound, Json, JsonObject } from '../wire/wire.ts';

/** Longest text of one message that is kept, in UTF-16 units: the API's bound. */
const longestText = 100_000;
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(512));

const FromPoll = v.pipe(
  v.object({
    id,
    sender: v.object({ id, display_name: v.string() }),
    text: v.string(),
    metadata: v.optional(v.nullable(v.string()), null),
  }),
  v.transform((m) => ({ id: m.id, sender: { id: m.sender.id, name: m.sender.display_name }, ...rest(m) })),
);
const FromEmit = v.pipe(
  v.object({
    id,
    sender_id: id,
    sender_name: v.string(),
    text: v.string(),
    metadata: v.optional(v.nullable(v.string()), null),
  }),
  v.transform((m) => ({ id: m.id, sender: { id: m.sender_id, name: m.sender_name }, ...rest(m) })),
);

/** A connector's message: what px makes of a `messaging-types.message` or a host-api `messaging-message`. */
export type GuestMessage = v.InferOutput<typeof FromPoll>;

/** The answer of `describe`. */
export const Description = v.object({
  platform: v.string(),
  max_text: v.pipe(v.number(), v.integer(), v.minValue(64)),
});

/** The answer of `abilities`. */
export const Abilities = v.pipe(v.array(v.string()), v.maxLength(32));

/** The messages in the answer of `poll-events` or `on-wait`; what is not a message is counted, so that one bad entry loses no other. */
export function readMessages(answer: Json): { messages: GuestMessage[]; bad: number } {
  const list = Array.isArray(answer) ? answer : [];
  const read = list.map((entry) => v.safeParse(FromPoll, entry));
  const messages = read.flatMap((r) => (r.success ? [r.output] : []));
  return { messages, bad: Array.isArray(answer) ? list.length - messages.length : 1 };
}

/** The message of an `emit-message` call; undefined when it is not one. */
export function readEmitted(message: Json): GuestMessage | undefined {
  const read = v.safeParse(FromEmit, message);
  return read.success ? read.output : undefined;
}

/** Ids that only px's own surfaces write under: nobody on a platform becomes the owner by calling themselves so. */
const ownIds: ReadonlySet<string> = new Set(['owner', 'schedule', 'script']);

/** A guest's message as one of a channel. Names are made safe to print. */
export function toInbound(channel: string, message: GuestMessage, now: number): Inbound {
  const { metadata } = message;
  const given = metadata?.['channel'];
  const chat = typeof given === 'string' || typeof given === 'number' ? String(given) : message.sender.id;
  const date = metadata?.['date'];
  return {
    conversation: `${channel}/${chat}`,
    channel,
    chat,
    id: message.id,
    sender: {
      id: ownIds.has(message.sender.id) ? `${message.sender.id}@${channel}` : message.sender.id,
      name: printable(message.sender.name.replace(/\s+/g, ' ')).slice(0, 100),
    },
    text: message.text.slice(0, longestText).toWellFormed(),
    at: typeof date === 'number' && Number.isFinite(date) && date > 0 ? date * 1000 : now,
    ...(metadata ? { metadata } : {}),
  };
}

/** Text as a JSON object; undefined when it is none. */
export function parseObject(text: string | null): JsonObject | undefined {
  if (text === null) return undefined;
  try {
    const value: Json = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function rest(message: { text: string; metadata: string | null }): { text: string; metadata: JsonObject | undefined } {
  return { text: message.text, metadata: parseObject(message.metadata) };
}
