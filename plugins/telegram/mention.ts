import { me } from './chat.ts';
import type { TelegramMessage } from './receive.ts';

/** Whether something said in a group is said to the bot: it is named, answered, or told a command. */
export function isForUs(m: TelegramMessage): boolean {
  const { id, username } = me();
  // A topic's first message is what every message in it answers.
  if (m.reply_to_message?.from?.id === id && m.reply_to_message.message_id !== m.message_thread_id) return true;
  const text = m.text ?? m.caption ?? '';
  const name = `@${username.toLowerCase()}`;
  return (m.entities ?? m.caption_entities ?? []).some(({ type, offset, length, user }) => {
    const part = text.slice(offset, offset + length).toLowerCase();
    if (type === 'mention') return part === name;
    if (type === 'text_mention') return user?.id === id;
    return type === 'bot_command' && offset === 0 && (!part.includes('@') || part.endsWith(name));
  });
}

/** A group's text without the bot's name before it or behind it. */
export function withoutName(text: string): string {
  const name = `@${me().username}`.toLowerCase();
  let rest = text.trim();
  if (rest.toLowerCase().startsWith(name) && !/^\w/.test(rest.slice(name.length)))
    rest = rest.slice(name.length).replace(/^[\s,:;–-]+/, '');
  else if (rest.toLowerCase().endsWith(name)) rest = rest.slice(0, -name.length).trimEnd();
  return rest || text;
}
