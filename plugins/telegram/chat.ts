import { type Json, kvGetText, kvSet, now } from 'px';
import { type Args, call } from './api.ts';

/** Where something goes: a channel of px is `4711`, or `-100123:7` for a topic of a forum. */
export function target(channel: string): Args {
  const [chat = '', topic] = channel.split(':');
  // Only a group can have moved.
  const id = (chat.startsWith('-') ? kvGetText(`to:${chat}`) : undefined) ?? chat;
  return {
    chat_id: /^-?\d+$/.test(id) ? Number(id) : id,
    ...(topic ? { message_thread_id: Number(topic) } : {}),
  };
}

/** The chat of a channel, without its topic. */
export function chatOf(channel: string): Json {
  return target(channel)['chat_id'] ?? null;
}

/** A group has become a supergroup with another number: px goes on with the old one, so that the conversation stays one. */
export function moved(from: number | string, to: number): void {
  const first = kvGetText(`from:${from}`) ?? `${from}`;
  kvSet(`to:${first}`, `${to}`);
  kvSet(`from:${to}`, first);
}

/** The number px knows a chat by. */
export function knownAs(chat: number): string {
  // Only supergroups have had another number before.
  return (chat < -1_000_000_000_000 ? kvGetText(`from:${chat}`) : undefined) ?? `${chat}`;
}

/** The bot itself. */
export interface Me {
  id: number;
  username: string;
}
/** How long what Telegram said of the bot is believed, in ms. */
const meMs = 3_600_000;

/** Who the bot is: asked for when a group has to be understood. */
export function me(): Me {
  const kept = kvGetText('me');
  const known: (Me & { at: number }) | undefined = kept === undefined ? undefined : JSON.parse(kept);
  if (known && now() - known.at < meMs) return known;
  try {
    return askMe();
  } catch (e) {
    if (known) return known;
    throw e;
  }
}

/** Asks Telegram who the bot is. */
export function askMe(): Me {
  const { id, username = '' } = call('getMe', {}) as unknown as Partial<Me>;
  if (id === undefined) throw new Error('Telegram does not say who the bot is');
  kvSet('me', JSON.stringify({ id, username, at: now() }));
  return { id, username };
}
