/** The Telegram connector: worlds `live-messaging-plugin` and `rich-messaging-plugin` of wit/core.wit. */
import {
  type Account,
  type Command,
  type Description,
  HttpError,
  httpRequest,
  kvDelete,
  kvGetText,
  kvSet,
  type Message,
  type Outgoing,
  type Progress,
  type Request,
  type WaitAnswer,
  type WebhookAnswer,
  type WebhookRequest,
} from 'px';
import { does, post } from '../direct.ts';
import { call, fileUrl, methodUrl, result } from './api.ts';
import { askMe } from './chat.ts';
import { allowedUpdates, forgetOffset, messagesIn, messagesOf, nextOffset } from './receive.ts';
import { progress, requestFor } from './send.ts';

/** Longest text of one Telegram message, in UTF-16 units. */
const maxText = 4096;
/** How long Telegram holds a request open when nothing arrives, in seconds. */
const waitSeconds = 50;

export function describe(): Description {
  return { platform: 'telegram', maxText };
}

/** Who the bot is, as Telegram says now: with a wrong token this fails. */
export function account(): Account {
  const { username } = askMe();
  return { name: `@${username}`, url: `https://t.me/${username}` };
}

export function abilities(): string[] {
  return ['edit', 'draft', 'typing', 'react', 'choices', 'files'];
}

function getUpdates(seconds: number): Request {
  const allowed = encodeURIComponent(JSON.stringify(allowedUpdates));
  return {
    url: `${methodUrl('getUpdates')}?timeout=${seconds}&offset=${nextOffset()}&allowed_updates=${allowed}`,
    timeoutMs: (seconds + 8) * 1000,
  };
}

/** Whether this process has made sure that messages do not come by webhook. */
let asked = false;

/** The long poll px holds open. Acknowledges the messages handed over before. */
export function nextWait(): Request {
  if (!asked && kvGetText('webhook') !== undefined) {
    call('deleteWebhook', {});
    kvDelete('webhook');
    forgetOffset();
  }
  asked = true;
  return getUpdates(waitSeconds);
}

export function onWait(answer: WaitAnswer): Message[] {
  if ('ok' in answer) return messagesIn(result(answer.ok));
  if (answer.err.kind === 'timeout') return [];
  throw answer.err;
}

export function pollEvents(): Message[] {
  try {
    return messagesIn(result(httpRequest(getUpdates(0))));
  } catch (e) {
    if (e instanceof HttpError && e.kind === 'timeout') return [];
    throw e;
  }
}

/** Telegram sends the secret with each update; it is told again at each start, which changes nothing when all is as before. */
export function setWebhook(url: string, secret: string): void {
  call('setWebhook', { url, secret_token: secret, allowed_updates: allowedUpdates, max_connections: 10 });
  kvSet('webhook', secret);
  asked = false;
}

export function onWebhook(request: WebhookRequest): WebhookAnswer {
  const secret = kvGetText('webhook');
  if (secret === undefined || request.header('x-telegram-bot-api-secret-token') !== secret) return { status: 401 };
  return { messages: messagesOf([request.json()]) };
}

export function nextSend(channel: string, out: Outgoing): Request {
  return requestFor(channel, out);
}

export function onSent(channel: string, out: Outgoing, answer: WaitAnswer): Progress {
  return progress(channel, out, answer);
}

const sending = { nextSend, onSent };

export function postMessage(channel: string, content: string): string {
  return post(sending, channel, content, maxText);
}

export function setTyping(channel: string): void {
  does(sending, channel, { kind: 'typing' });
}

export function react(channel: string, message: string, emoji: string): void {
  does(sending, channel, { kind: 'react', message, content: emoji });
}

export function editMessage(channel: string, message: string, content: string): void {
  does(sending, channel, { kind: 'edit', message, content });
}

export function fetchFile(id: string): Request {
  const file = call('getFile', { file_id: id });
  const path = typeof file === 'object' && file !== null && !Array.isArray(file) ? file['file_path'] : undefined;
  if (typeof path !== 'string' || path.startsWith('/'))
    throw new Error('refused: Telegram names no place of this file');
  return { url: fileUrl(path), timeoutMs: 120_000 };
}

/** The menu beside the text field. Telegram keeps it: only another one is told. */
export function setCommands(commands: Command[]): void {
  const menu = commands
    .filter(({ name }) => /^[a-z0-9_]{1,32}$/.test(name))
    .map(({ name, summary }) => ({ command: name, description: summary.slice(0, 256) || name }));
  const text = JSON.stringify(menu);
  if (kvGetText('menu') === text) return;
  call('setMyCommands', { commands: menu });
  kvSet('menu', text);
}
