/** The Discord connector: worlds `socket-messaging-plugin` and `rich-messaging-plugin` of wit/core.wit. */
import {
  type Account,
  type Command,
  type Description,
  type Json,
  kvGetText,
  kvSet,
  type Message,
  type Outgoing,
  type Progress,
  type Request,
  type Socket,
  type SocketAnswer,
  type SocketEvent,
  type WaitAnswer,
} from 'px';
import { does, post } from '../direct.ts';
import { call, objectOf } from './api.ts';
import { socket, take } from './gateway.ts';
import { type DiscordMessage, toPast } from './receive.ts';
import { maxText, progress, requestFor } from './send.ts';

export function describe(): Description {
  return { platform: 'discord', maxText };
}

/** Who px is there; with a wrong token this fails. */
export function account(): Account {
  const { username, id } = objectOf(call('GET', '/users/@me'));
  return { name: `${username}`, url: `https://discord.com/users/${id}` };
}

/** Discord compares keys for "a few minutes". */
export function abilities(): string[] {
  return ['edit', 'typing', 'react', 'choices', 'files', 'once:120'];
}

export function nextSocket(): Socket {
  return socket();
}

export function onSocket(event: SocketEvent): Promise<SocketAnswer> {
  return take(event);
}

/** Everything comes over the gateway. */
export function pollEvents(): Message[] {
  return [];
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

export function getHistory(channel: string, limit: number): Message[] {
  const most = Math.max(1, Math.min(100, limit));
  const found = call('GET', `/channels/${encodeURIComponent(channel)}/messages?limit=${most}`);
  const list = Array.isArray(found) ? (found as unknown as DiscordMessage[]) : [];
  return list.reverse().flatMap((m) => toPast(m) ?? []);
}

/** Its id is the address at Discord's file server: without the token, which is not for there. */
export function fetchFile(id: string): Request {
  if (!/^https?:\/\//.test(id)) throw new Error('refused: Discord names no place of this file');
  return { url: id, timeoutMs: 120_000 };
}

/** The commands people find after a slash. Discord keeps them: only others are told. */
export function setCommands(commands: Command[]): void {
  const menu = commands
    .filter(({ name }) => /^[a-z0-9_-]{1,32}$/.test(name))
    .slice(0, 100)
    .map(
      ({ name, summary }): Json => ({
        name,
        description: summary.slice(0, 100) || name,
        options: [{ type: 3, name: 'text', description: 'What comes after it', required: false }],
      }),
    );
  const text = JSON.stringify(menu);
  if (kvGetText('menu') === text) return;
  const { id } = objectOf(call('GET', '/applications/@me'));
  call('PUT', `/applications/${id}/commands`, menu);
  kvSet('menu', text);
}
