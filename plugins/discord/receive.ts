import { type Json, log, type Message, now } from 'px';
import { call } from './api.ts';
import { said } from './buttons.ts';

/** Somebody on Discord. */
export interface User {
  id: string;
  username?: string;
  global_name?: string | null;
  bot?: boolean;
}
interface Attachment {
  url: string;
  filename?: string;
  content_type?: string;
  size?: number;
}
/** The parts of a Discord message that are read. */
export interface DiscordMessage {
  id: string;
  channel_id: string;
  guild_id?: string;
  type?: number;
  author?: User;
  member?: { nick?: string | null };
  webhook_id?: string;
  content?: string;
  timestamp?: string;
  edited_timestamp?: string | null;
  mentions?: User[];
  attachments?: Attachment[];
  sticker_items?: { name: string }[];
  poll?: { question?: { text?: string } };
  flags?: number;
  nonce?: string | number;
  referenced_message?: DiscordMessage | null;
  message_reference?: { type?: number };
  message_snapshots?: { message?: Partial<DiscordMessage> }[];
}
/** A button that was pressed, or a command that was chosen. */
export interface Interaction {
  id: string;
  token: string;
  type: number;
  channel_id?: string;
  guild_id?: string;
  user?: User;
  member?: { nick?: string | null; user?: User };
  message?: { id?: string };
  data?: { custom_id?: string; name?: string; options?: { value?: Json }[] };
}

/** Where the bot stands: what is said to it is to be told from what is not. */
export interface Standing {
  bot: string;
  /** The guild of the channel, where the message itself does not say. */
  guild: string | undefined;
  /** Whether messages are taken that are said to nobody in particular. */
  all: boolean;
}

/** An edit later than this after the message is no correction of what was just said, in seconds. */
const editedWithin = 3_600;
/** Most characters of a message that is replied to. */
const maxQuote = 300;
const voiceMessage = 1 << 13;
const replyTypes = new Set([0, 19]);
/** How long Discord waits for a word about a pressed button is 3 s. */
const soon = 2_500;

const seconds = (timestamp: string | null | undefined) => Math.floor(Date.parse(timestamp ?? '') / 1000);

/** A message as px takes it; nothing for those of bots, of the service itself, without content, and in a guild for those to others. */
export function toMessage(m: DiscordMessage, { bot, guild, all }: Standing): Message | undefined {
  if (!m.author || m.author.bot || m.webhook_id || !replyTypes.has(m.type ?? 0)) return undefined;
  const group = (m.guild_id ?? guild ?? '') !== '';
  const mentioned = !group || isForUs(m, bot);
  if (!mentioned && !all) return undefined;
  const forwarded = m.message_reference?.type === 1;
  const files = (m.attachments ?? []).filter(({ url }) => /^https?:/.test(url));
  const own = plainText(m, group ? bot : undefined);
  const inside = forwarded ? `[Forwarded]\n${m.message_snapshots?.[0]?.message?.content ?? ''}` : '';
  const text = own || inside || words(m);
  if (text === '' && files.length === 0) return undefined;
  const edited = m.edited_timestamp ? seconds(m.edited_timestamp) : undefined;
  const at = seconds(m.timestamp);
  if (edited !== undefined && edited - at > editedWithin) return undefined;
  const date = edited ?? at;
  const whole = /^\//.test(text) && !forwarded ? text : `${context(m)}${text}`;
  return {
    id: edited === undefined ? m.id : `${m.id}:e${Date.parse(m.edited_timestamp ?? '')}`,
    sender: { id: m.author.id, displayName: nameOf(m.author, m.member?.nick) },
    text: edited === undefined ? whole : `(corrected) ${whole}`,
    metadata: {
      channel: m.channel_id,
      ...(Number.isFinite(date) ? { date } : {}),
      group,
      message_id: m.id,
      ...(group ? { mentioned } : {}),
      ...(files.length > 0 ? { files: files.map(toFile) } : {}),
      ...(m.referenced_message ? { reply_to: m.referenced_message.id } : {}),
      ...(m.author.username ? { username: m.author.username } : {}),
      ...(forwarded ? { outside: ['forwarded'] } : {}),
    },
  };
}

/** A message of a chat's past, the bot's own among them. */
export function toPast(m: DiscordMessage): Message | undefined {
  if (!m.author) return undefined;
  return {
    id: m.id,
    sender: { id: m.author.id, displayName: nameOf(m.author, m.member?.nick) },
    text: m.content ?? '',
    metadata: { channel: m.channel_id, date: seconds(m.timestamp), ...(m.nonce ? { key: `${m.nonce}` } : {}) },
  };
}

/**
 * A button was pressed: that says what the button says, once. A command was chosen: that says the command. Discord is told at once, or it
 * shows the person a failure; what was told before is said all the same, and px answers it once.
 */
export function toSaid(i: Interaction): Message | undefined {
  const user = i.member?.user ?? i.user;
  if (!user || i.channel_id === undefined) return undefined;
  const pressed = i.type === 3;
  if (!pressed && i.type !== 2) return undefined;
  const text = pressed
    ? said(i.data?.custom_id ?? '')
    : `/${i.data?.name ?? ''} ${i.data?.options?.[0]?.value ?? ''}`.trim();
  const answer: Json =
    pressed && text
      ? { type: 7, data: { components: [] } }
      : { type: 4, data: { content: text ?? 'This button is too old.', flags: 64 } };
  try {
    call('POST', `/interactions/${i.id}/${i.token}/callback`, answer, soon);
  } catch (e) {
    log('debug', `an interaction was not confirmed: ${e instanceof Error ? e.message : ''}`);
  }
  if (!text) return undefined;
  return {
    id: `button:${i.id}`,
    sender: { id: user.id, displayName: nameOf(user, i.member?.nick) },
    text,
    metadata: {
      channel: i.channel_id,
      date: Math.floor(now() / 1000),
      group: i.guild_id !== undefined,
      mentioned: true,
      ...(pressed ? { button: true } : {}),
      ...(i.message?.id ? { reply_to: i.message.id } : {}),
    },
  };
}

/** Whether something in a guild is said to the bot: it is named or answered. */
function isForUs(m: DiscordMessage, bot: string): boolean {
  return (m.mentions ?? []).some(({ id }) => id === bot) || m.referenced_message?.author?.id === bot;
}

const nameOf = (user: User, nick?: string | null) => nick || user.global_name || user.username || user.id;

/** A text with names for the marks of people; the bot's own goes where it only calls it. */
function plainText(m: DiscordMessage, bot: string | undefined): string {
  const calls =
    bot === undefined ? undefined : new RegExp(`^(?:\\s*<@!?${bot}>[\\s,:;–-]*)+|(?:\\s*<@!?${bot}>)+\\s*$`, 'g');
  const text = m.content ?? '';
  return (calls ? text.replace(calls, '') || text : text)
    .replace(/<@!?(\d+)>/g, (mark, id: string) => {
      const user = m.mentions?.find((one) => one.id === id);
      return user ? `@${nameOf(user)}` : mark;
    })
    .replace(/<a?:(\w+):\d+>/g, ':$1:')
    .trim();
}

/** Words for what is no text, so that the person gets an answer at all. */
function words(m: DiscordMessage): string {
  if (m.sticker_items?.[0]) return `(sticker: ${m.sticker_items[0].name})`;
  if (m.poll) return `(poll: ${m.poll.question?.text ?? ''})`;
  if (((m.flags ?? 0) & voiceMessage) !== 0) return '(voice without text)';
  const first = m.attachments?.[0];
  return first ? `(file: ${first.filename ?? 'file'})` : '';
}

/** The address is the file's id: it is only fetched where px grants it. */
function toFile({ url, filename, content_type, size }: Attachment): Json {
  const mime = content_type?.split(';')[0]?.trim() ?? '';
  return {
    id: url,
    name: filename ?? 'file',
    mime: /^[\w.+-]+\/[\w.+-]+$/.test(mime) ? mime : 'application/octet-stream',
    size: size ?? 0,
  };
}

/** What a message is an answer to, in a line before it. */
function context({ referenced_message: to, message_reference }: DiscordMessage): string {
  if (!to?.author || !to.content || message_reference?.type === 1) return '';
  const quoted = plainText(to, undefined);
  const short = quoted.length > maxQuote ? `${quoted.slice(0, maxQuote)}…` : quoted;
  return `[In reply to ${nameOf(to.author, to.member?.nick)}: “${short.replace(/\s+/g, ' ')}”]\n`;
}
