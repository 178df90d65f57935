import { type Json, kvGetText, type Message } from 'px';
import { call, type JsonObject, listOf, localpart, me, objectOf, Refusal, request, textOf, v3 } from './api.ts';
import { chosen } from './choices.ts';
import { tellEncrypted } from './encrypted.ts';
import { describeFile } from './media.ts';
import { isGroup, type Room } from './room.ts';

/** The parts of an event that are read. */
export type Event = {
  type?: string;
  event_id?: string;
  sender?: string;
  state_key?: string;
  /** Milliseconds since the epoch. */
  origin_server_ts?: number;
  content?: JsonObject;
  unsigned?: JsonObject;
};

/** An edit later than this after the message is no correction of what was just said, in ms. */
const editedWithin = 3_600_000;
/** Most characters of a message that is replied to. */
const maxQuote = 300;

/** Where something goes: a channel of px is a room, or `ROOM$ROOT` for the thread that an event began. */
export function placeOf(channel: string): { room: string; thread: string | undefined } {
  const at = channel.indexOf('$');
  return at < 0 ? { room: channel, thread: undefined } : { room: channel.slice(0, at), thread: channel.slice(at) };
}

/** px's id of a correction is `MESSAGE:eEDIT`; the message it is about. */
export const eventOf = (id: string | null): string => (id ?? '').replace(/:e\$.*$/, '');

/** An event as px takes it; nothing for px's own, those of bots (notices), and without any content. */
export function toMessage(room: string, facts: Room, event: Event, names: Map<string, string>): Message | undefined {
  const { type, sender, event_id: id, content } = event;
  if (!sender || !id || !content || sender === me().id) return undefined;
  if (type === 'm.room.encrypted') return void tellEncrypted(room);
  if (type === 'm.reaction') return pressed(room, event, names);
  if (type !== 'm.room.message' && type !== 'm.sticker') return undefined;
  const relation = objectOf(content['m.relates_to']) ?? {};
  if (relation['rel_type'] === 'm.replace') return corrected(room, facts, event, relation, names);
  return written(room, facts, event, names);
}

function written(room: string, facts: Room, event: Event, names: Map<string, string>): Message | undefined {
  const { sender = '', event_id: id = '', content = {}, origin_server_ts: at = 0 } = event;
  const said = wordsOf(event, nameOf(sender, names));
  if (!said) return undefined;
  const relation = objectOf(content['m.relates_to']) ?? {};
  const thread = relation['rel_type'] === 'm.thread' ? textOf(relation['event_id']) : undefined;
  const replied = relation['is_falling_back'] === true ? undefined : objectOf(relation['m.in_reply_to'])?.['event_id'];
  const original = textOf(replied) === undefined ? undefined : eventIn(room, `${replied}`);
  const group = isGroup(room);
  const words = group ? withoutName(said.text) : said.text;
  const text = asCommand(words, !group || words !== said.text.trim());
  return {
    id,
    sender: { id: sender, displayName: nameOf(sender, names) },
    text: text.startsWith('/') ? text : `${context(original, names)}${text}`,
    metadata: {
      channel: `${room}${thread ?? ''}`,
      date: Math.floor(at / 1000),
      group,
      ...(group ? { mentioned: isForUs(content, said.text, text, original) } : {}),
      ...(said.files.length > 0 ? { files: said.files as unknown as Json } : {}),
      ...(textOf(replied) === undefined ? {} : { reply_to: `${replied}` }),
      ...(facts.title ? { title: facts.title } : {}),
    },
  };
}

/** What an event says, and its files. */
function wordsOf({ type, content = {} }: Event, name: string): { text: string; files: object[] } | undefined {
  const kind = type === 'm.sticker' ? type : textOf(content['msgtype']);
  const file = describeFile(kind ?? '', content);
  if (file) return { text: file.words, files: file.files };
  const body = withoutFallback(content);
  if (body.trim() === '') return undefined;
  if (kind === 'm.text') return { text: body, files: [] };
  if (kind === 'm.emote') return { text: `* ${name} ${body}`, files: [] };
  if (kind === 'm.location') return { text: `(location: ${textOf(content['geo_uri']) ?? body})`, files: [] };
  return undefined;
}

/** Older apps write what is replied to before the reply, as quoted lines. */
function withoutFallback(content: JsonObject): string {
  const body = textOf(content['body']) ?? '';
  if (!(textOf(content['formatted_body']) ?? '').includes('<mx-reply>')) return body;
  return body.replace(/^(?:>.*(?:\n|$))+\n?/, '');
}

/** A correction by who wrote the message, if that was not long ago. */
function corrected(
  room: string,
  facts: Room,
  event: Event,
  relation: JsonObject,
  names: Map<string, string>,
): Message | undefined {
  const original = eventIn(room, textOf(relation['event_id']) ?? '');
  const content = objectOf(event.content?.['m.new_content']);
  if (!original?.event_id || !content || original.sender !== event.sender) return undefined;
  if ((event.origin_server_ts ?? 0) - (original.origin_server_ts ?? 0) > editedWithin) return undefined;
  const place = objectOf(original.content?.['m.relates_to']);
  const whole = { ...content, ...(place ? { 'm.relates_to': place } : {}) };
  const message = written(room, facts, { ...event, content: whole }, names);
  return message && { ...message, id: `${original.event_id}:e${event.event_id}`, text: `(corrected) ${message.text}` };
}

/** Somebody presses a button: a reaction with its sign, which says what the button says. */
function pressed(room: string, event: Event, names: Map<string, string>): Message | undefined {
  const { sender = '', event_id: id = '', content = {}, origin_server_ts: at = 0 } = event;
  const relation = objectOf(content['m.relates_to']) ?? {};
  const pressed = chosen(textOf(relation['event_id']) ?? '', textOf(relation['key']) ?? '');
  if (!pressed) return undefined;
  return {
    id,
    sender: { id: sender, displayName: nameOf(sender, names) },
    text: pressed.says,
    metadata: {
      channel: pressed.channel,
      date: Math.floor(at / 1000),
      group: isGroup(room),
      mentioned: true,
      button: true,
    },
  };
}

/** An event of a room; nothing where it cannot be seen. */
function eventIn(room: string, id: string): Event | undefined {
  try {
    return call(request('GET', v3('rooms', room, 'event', id))) as Event;
  } catch (e) {
    if (e instanceof Refusal && (e.status === 403 || e.status === 404 || e.status === 400)) return undefined;
    throw e;
  }
}

/** What a message is an answer to, in a line before it. */
function context(original: Event | undefined, names: Map<string, string>): string {
  const quoted = original && withoutFallback(original.content ?? {});
  if (!quoted?.trim()) return '';
  const short = quoted.length > maxQuote ? `${quoted.slice(0, maxQuote)}…` : quoted;
  return `[In reply to ${nameOf(original?.sender ?? '', names)}: “${short.replace(/\s+/g, ' ')}”]\n`;
}

const nameOf = (id: string, names: Map<string, string>): string =>
  (id === me().id ? me().name : names.get(id)) ?? localpart(id);

/**
 * Apps keep `/` for their own commands: `!help` is px's `/help`. What is said to px alone need be none that px knows: it says so then. In a
 * group other robots are told things, too.
 */
function asCommand(text: string, toUs: boolean): string {
  const [, name] = /^!([a-z][a-z0-9_]*)(?=\s|$)/i.exec(text) ?? [];
  if (name === undefined) return text;
  const known: string[] = JSON.parse(kvGetText('commands') ?? '[]');
  return toUs || known.includes(name.toLowerCase()) ? `/${text.slice(1)}` : text;
}

/** What people call px by, longest first. */
const ourNames = (): string[] =>
  [me().id, `@${localpart(me().id)}`, `@${me().name}`, me().name, localpart(me().id)]
    .map((name) => name.toLowerCase())
    .sort((a, b) => b.length - a.length);

/** Whether something said in a group is said to px: px is named, answered, or told a command. */
function isForUs(content: JsonObject, said: string, text: string, original: Event | undefined): boolean {
  const { id } = me();
  if (original?.sender === id || text.startsWith('/')) return true;
  const mentions = objectOf(content['m.mentions']);
  if (listOf(mentions?.['user_ids']).includes(id)) return true;
  if ((textOf(content['formatted_body']) ?? '').includes(`https://matrix.to/#/${id}`)) return true;
  // Whoever writes the name by hand means px when the message begins or ends with it; apps that know no mentions have it anywhere.
  if (withoutName(said) !== said.trim()) return true;
  return mentions === undefined && ourNames().some((name) => hasWord(said.toLowerCase(), name));
}

function hasWord(text: string, name: string): boolean {
  const at = text.indexOf(name);
  return at >= 0 && !/[\p{L}\p{N}]$/u.test(text.slice(0, at)) && !/^[\p{L}\p{N}]/u.test(text.slice(at + name.length));
}

/** A group's text without px's name before it or behind it. */
function withoutName(text: string): string {
  const rest = text.trim();
  const low = rest.toLowerCase();
  for (const name of ourNames()) {
    const after = rest.slice(name.length);
    if (low.startsWith(name) && !/^[\p{L}\p{N}_]/u.test(after)) return after.replace(/^[\s,:;–-]+/, '') || rest;
    const before = rest.slice(0, -name.length);
    if (low.endsWith(name) && name.startsWith('@') && !/[\p{L}\p{N}_]$/u.test(before)) return before.trimEnd() || rest;
  }
  return rest;
}
