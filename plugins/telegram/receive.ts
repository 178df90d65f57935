import { type Json, kvGetText, kvSet, type Message } from 'px';

/** The parts of a Telegram message that are read. */
interface TelegramMessage {
  message_id: number;
  date: number;
  from?: { id: number; is_bot?: boolean; first_name?: string; last_name?: string; username?: string };
  chat: { id: number; type: string; title?: string };
  text?: string;
  caption?: string;
  is_topic_message?: boolean;
  message_thread_id?: number;
  reply_to_message?: { message_id: number };
  sticker?: { emoji?: string };
  location?: { latitude: number; longitude: number };
  contact?: { first_name?: string; phone_number?: string };
  document?: { file_name?: string };
}
interface Update {
  update_id: number;
  message?: TelegramMessage;
}

/**
 * Telegram forgets updates below the offset, so the offset moves only when px has stored what came: px asks `next-wait` again after
 * that. Until then the next offset is kept here and nowhere else: if the process ends first, the same updates come again, and px
 * answers a message it has seen only once.
 */
let taken: number | undefined;

/** The offset to ask from; acknowledges what was handed over before. */
export function nextOffset(): number {
  if (taken !== undefined) {
    kvSet('offset', `${taken}`);
    taken = undefined;
  }
  return Number(kvGetText('offset') ?? 0);
}

/** The messages in the result of `getUpdates`. */
export function messagesIn(result: Json): Message[] {
  const updates = Array.isArray(result) ? (result as unknown as Update[]) : [];
  const out: Message[] = [];
  for (const update of updates) {
    if (!Number.isSafeInteger(update?.update_id)) continue;
    taken = Math.max(taken ?? 0, update.update_id + 1);
    const message = update.message && toMessage(update.message);
    if (message) out.push(message);
  }
  return out;
}

/** A message as px takes it; nothing for those of bots, of the service itself, and without any content. */
function toMessage(m: TelegramMessage): Message | undefined {
  const text = m.text ?? m.caption ?? placeholder(m);
  if (!m.from || m.from.is_bot || !text) return undefined;
  const name = [m.from.first_name, m.from.last_name].filter(Boolean).join(' ') || m.from.username || `${m.from.id}`;
  const topic = m.is_topic_message && m.message_thread_id ? `:${m.message_thread_id}` : '';
  return {
    id: `${m.chat.id}:${m.message_id}`,
    sender: { id: `${m.from.id}`, displayName: name },
    text,
    metadata: {
      channel: `${m.chat.id}${topic}`,
      date: m.date,
      group: m.chat.type !== 'private',
      message_id: m.message_id,
      ...(m.reply_to_message ? { reply_to: m.reply_to_message.message_id } : {}),
      ...(m.chat.title ? { title: m.chat.title } : {}),
      ...(m.from.username ? { username: m.from.username } : {}),
    },
  };
}

/** Words for what has no text, so that the person gets an answer at all. */
function placeholder(m: TelegramMessage): string | undefined {
  if (m.sticker) return m.sticker.emoji ?? '(a sticker)';
  if (m.location) return `(location: ${m.location.latitude}, ${m.location.longitude})`;
  if (m.contact) return `(contact: ${m.contact.first_name ?? ''} ${m.contact.phone_number ?? ''})`;
  if (m.document) return `(file: ${m.document.file_name ?? 'unnamed'})`;
  const kind = ['photo', 'voice', 'video', 'audio', 'video_note', 'animation'].find((k) => k in m);
  return kind && `(${kind.replace('_', ' ')} without text)`;
}
