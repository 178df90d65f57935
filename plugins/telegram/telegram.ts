/** The Telegram connector: world `live-messaging-plugin` of wit/core.wit. */
import { type Description, HttpError, httpRequest, type Json, type Message, type Request, type WaitAnswer } from 'px';
import { call, methodUrl, Refusal, read } from './api.ts';
import { toHtml } from './format.ts';
import { messagesIn, nextOffset } from './receive.ts';

/** Longest text of one Telegram message, in UTF-16 units. */
const maxText = 4096;
/** How long Telegram holds a request open when nothing arrives, in seconds. */
const waitSeconds = 50;

export function describe(): Description {
  return { platform: 'telegram', maxText };
}

function getUpdates(seconds: number): Request {
  const query = `timeout=${seconds}&offset=${nextOffset()}&allowed_updates=${encodeURIComponent('["message"]')}`;
  return { url: `${methodUrl('getUpdates')}?${query}`, timeoutMs: (seconds + 8) * 1000 };
}

/** The long poll px holds open. Acknowledges the messages handed over before. */
export function nextWait(): Request {
  return getUpdates(waitSeconds);
}

export function onWait(answer: WaitAnswer): Message[] {
  if ('ok' in answer) return messagesIn(read(answer.ok));
  if (answer.err.kind === 'timeout') return [];
  throw answer.err;
}

export function pollEvents(): Message[] {
  try {
    return messagesIn(read(httpRequest(getUpdates(0))));
  } catch (e) {
    if (e instanceof HttpError && e.kind === 'timeout') return [];
    throw e;
  }
}

/** `4711`, or `-100123:7` for a topic of a forum. */
function target(channel: string): { [key: string]: Json } {
  const [chat = '', topic] = channel.split(':');
  return {
    chat_id: /^-?\d+$/.test(chat) ? Number(chat) : chat,
    ...(topic ? { message_thread_id: Number(topic) } : {}),
  };
}

/** Runs it with formatted text, and once more with the text as it is when Telegram does not take the formatting. */
function formatted(content: string, run: (text: { [key: string]: Json }) => Json): Json {
  try {
    return run({ text: toHtml(content), parse_mode: 'HTML' });
  } catch (e) {
    if (!(e instanceof Refusal && e.status === 400) || /not modified|chat not found/i.test(e.message)) throw e;
    return run({ text: content });
  }
}

export function postMessage(channelId: string, content: string): string {
  let id = '';
  // px splits at `maxText` before it comes here; a longer text from elsewhere must not fail.
  for (const part of content.match(new RegExp(`[\\s\\S]{1,${maxText}}(?<![\\ud800-\\udbff])`, 'g')) ?? []) {
    const sent = formatted(part, (text) =>
      call('sendMessage', { ...target(channelId), ...text, link_preview_options: { is_disabled: true } }),
    );
    id = messageId(sent);
  }
  return id;
}

function messageId(sent: Json): string {
  return typeof sent === 'object' && sent !== null && !Array.isArray(sent) ? `${sent['message_id'] ?? ''}` : '';
}

export function setTyping(channelId: string): void {
  call('sendChatAction', { ...target(channelId), action: 'typing' });
}

/** px's id of a message is `chat:message`; Telegram's own number is taken too. */
function messageNumber(id: string): number {
  return Number(id.slice(id.lastIndexOf(':') + 1));
}

export function react(channelId: string, messageId: string, emoji: string): void {
  const { chat_id = null } = target(channelId);
  const reaction = emoji ? [{ type: 'emoji', emoji }] : [];
  call('setMessageReaction', { chat_id, message_id: messageNumber(messageId), reaction });
}

export function editMessage(channelId: string, messageId: string, content: string): void {
  const { chat_id = null } = target(channelId);
  try {
    formatted(content, (text) => call('editMessageText', { chat_id, message_id: messageNumber(messageId), ...text }));
  } catch (e) {
    if (!(e instanceof Refusal && /not modified/i.test(e.message))) throw e;
  }
}

export function getHistory(): Message[] {
  throw new Error('unsupported: the Bot API does not let a bot read the past of a chat');
}
