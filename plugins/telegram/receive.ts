import { type Json, kvDelete, kvGetText, kvSet, log, type Message, now } from 'px';
import { said } from '../button-words.ts';
import { call } from './api.ts';
import { knownAs, moved } from './chat.ts';
import { describeFiles, type Media } from './media.ts';
import { isForUs, withoutName } from './mention.ts';

/** Somebody on Telegram. */
export interface User {
  id: number;
  is_bot?: boolean;
  first_name?: string;
  last_name?: string;
  username?: string;
}
interface Chat {
  id: number;
  type: string;
  title?: string;
}
export interface Entity {
  type: string;
  offset: number;
  length: number;
  user?: User;
}
/** The parts of a Telegram message that are read. */
export interface TelegramMessage extends Media {
  message_id: number;
  date: number;
  edit_date?: number;
  from?: User;
  chat: Chat;
  text?: string;
  caption?: string;
  entities?: Entity[];
  caption_entities?: Entity[];
  is_topic_message?: boolean;
  message_thread_id?: number;
  media_group_id?: string;
  reply_to_message?: TelegramMessage;
  quote?: { text?: string };
  forward_origin?: { sender_user?: User; sender_user_name?: string; chat?: Chat; sender_chat?: Chat };
  migrate_to_chat_id?: number;
}
interface Update {
  update_id: number;
  message?: TelegramMessage;
  edited_message?: TelegramMessage;
  callback_query?: { id: string; from: User; data?: string; message?: TelegramMessage };
}

/** The kinds of updates Telegram is asked for. */
export const allowedUpdates = ['message', 'edited_message', 'callback_query'];
/** An edit later than this after the message is no correction of what was just said, in seconds. */
const editedWithin = 3_600;
/** Most characters of a message that is replied to. */
const maxQuote = 300;

/**
 * Telegram forgets updates below the offset, so the offset moves only when px has stored what came: px asks `next-wait` again after
 * that. Until then the next offset is kept here and nowhere else: if the process ends first, the same updates come again, and px
 * answers a message it has seen only once.
 */
let taken: number | undefined;
/** The offset as it is kept, once it was looked up. */
let kept: number | undefined;

/** The offset to ask from; acknowledges what was handed over before. */
export function nextOffset(): number {
  if (taken !== undefined) {
    kvSet('offset', `${taken}`);
    kept = taken;
    taken = undefined;
  }
  kept ??= Number(kvGetText('offset') ?? 0);
  return kept;
}

/** Forgets the offset: messages came another way meanwhile. */
export function forgetOffset(): void {
  taken = kept = undefined;
  kvDelete('offset');
}

/** The messages in the result of `getUpdates`. */
export function messagesIn(result: Json): Message[] {
  const updates = Array.isArray(result) ? (result as unknown as Update[]) : [];
  for (const { update_id } of updates) if (Number.isSafeInteger(update_id)) taken = Math.max(taken ?? 0, update_id + 1);
  return messagesOf(updates);
}

/** The messages in updates; the pictures of an album are one. */
export function messagesOf(updates: Update[]): Message[] {
  const out: Message[] = [];
  let album: { of: string; message: Message } | undefined;
  for (const update of updates) {
    const message = understood(update);
    if (!message) continue;
    const of = update.message?.media_group_id;
    if (of !== undefined && album?.of === of) {
      join(album.message, message);
      continue;
    }
    out.push(message);
    album = of === undefined ? undefined : { of, message };
  }
  return out;
}

type Metadata = { [key: string]: Json };

function join(first: Message, next: Message): void {
  const [a, b] = [first.metadata as Metadata, next.metadata as Metadata];
  a['files'] = [...((a['files'] as Json[]) ?? []), ...((b['files'] as Json[]) ?? [])];
  if (!/^\(/.test(next.text)) first.text = /^\(/.test(first.text) ? next.text : `${first.text}\n${next.text}`;
}

/** One update that is not as expected must not hold up all that come after it; a network that fails is another matter. */
function understood(update: Update): Message | undefined {
  try {
    return toMessage(update);
  } catch (e) {
    if (!(e instanceof TypeError)) throw e;
    log('warn', `an update of an unknown form was passed over: ${e.message}`);
    return undefined;
  }
}

function toMessage({ message, edited_message, callback_query }: Update): Message | undefined {
  if (callback_query) return pressed(callback_query);
  if (message?.migrate_to_chat_id !== undefined) moved(message.chat.id, message.migrate_to_chat_id);
  if (message) return written(message);
  const { edit_date = 0, date = 0 } = edited_message ?? {};
  if (!edited_message || edit_date - date > editedWithin) return undefined;
  const edited = written({ ...edited_message, date: edit_date });
  return edited && { ...edited, id: `${edited.id}:e${edit_date}`, text: `(corrected) ${edited.text}` };
}

/** A message as px takes it; nothing for those of bots, of the service itself, and without any content. */
function written(m: TelegramMessage): Message | undefined {
  const { files, words } = describeFiles(m);
  const own = m.text ?? m.caption;
  if (!m.from || m.from.is_bot || !(own || words || files.length > 0)) return undefined;
  const group = m.chat.type !== 'private';
  const { username, id } = m.from;
  const text = own === undefined ? words : group ? withoutName(own) : own;
  return {
    id: `${m.chat.id}:${m.message_id}`,
    sender: { id: `${id}`, displayName: nameOf(m.from) },
    // Somebody else's words are no command, whoever passes them on.
    text: /^\//.test(text) && !m.forward_origin ? text : `${context(m)}${text}`,
    metadata: {
      channel: channelOf(m),
      date: m.date,
      group,
      ...withinOf(m),
      message_id: m.message_id,
      ...(group ? { mentioned: isForUs(m) } : {}),
      ...(files.length > 0 ? { files: files as unknown as Json } : {}),
      ...(m.reply_to_message ? { reply_to: m.reply_to_message.message_id } : {}),
      ...(m.chat.title ? { title: m.chat.title } : {}),
      ...(username ? { username } : {}),
      ...(m.forward_origin ? { outside: ['forwarded'] } : {}),
    },
  };
}

/** A button was pressed: that says what the button says, once; Telegram is told so that the button stops waiting. */
function pressed(query: NonNullable<Update['callback_query']>): Message | undefined {
  const { message } = query;
  const text = said(query.data ?? '');
  try {
    call('answerCallbackQuery', {
      callback_query_id: query.id,
      ...(text ? {} : { text: 'This button is too old.' }),
    });
    if (message)
      call('editMessageReplyMarkup', {
        chat_id: message.chat.id,
        message_id: message.message_id,
        reply_markup: { inline_keyboard: [] },
      });
  } catch {
    // The button goes on waiting a while; what it says is said all the same.
  }
  if (!message || !text) return undefined;
  return {
    id: `button:${query.id}`,
    sender: { id: `${query.from.id}`, displayName: nameOf(query.from) },
    text,
    metadata: {
      channel: channelOf(message),
      date: Math.floor(now() / 1000),
      group: message.chat.type !== 'private',
      ...withinOf(message),
      mentioned: true,
      button: true,
      reply_to: message.message_id,
    },
  };
}

function channelOf(m: TelegramMessage): string {
  const topic = m.is_topic_message && m.message_thread_id ? `:${m.message_thread_id}` : '';
  return `${knownAs(m.chat.id)}${topic}`;
}

/** The group of a topic: Telegram counts what a bot writes in all of them together. */
function withinOf(m: TelegramMessage): { within?: string } {
  return m.is_topic_message ? { within: `${knownAs(m.chat.id)}` } : {};
}

function nameOf(user: User): string {
  return [user.first_name, user.last_name].filter(Boolean).join(' ') || user.username || `${user.id}`;
}

/** What a message is an answer to or was taken from, in a line before it. */
function context(m: TelegramMessage): string {
  const { reply_to_message: to, forward_origin: origin } = m;
  const lines: string[] = [];
  if (origin) {
    const chat = origin.chat ?? origin.sender_chat;
    const who = origin.sender_user
      ? nameOf(origin.sender_user)
      : (origin.sender_user_name ?? chat?.title ?? 'somebody');
    lines.push(`[Forwarded from ${who}]`);
  }
  const quoted = m.quote?.text ?? to?.text ?? to?.caption;
  // In a forum each message of a topic answers the one that opened it, which says nothing.
  if (to && quoted && to.message_id !== m.message_thread_id) {
    const short = quoted.length > maxQuote ? `${quoted.slice(0, maxQuote)}…` : quoted;
    lines.push(`[In reply to ${to.from ? nameOf(to.from) : 'a message'}: “${short.replace(/\s+/g, ' ')}”]`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
