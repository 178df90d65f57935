/** The Matrix connector: worlds `live-messaging-plugin` and `rich-messaging-plugin` of wit/core.wit. */
import {
  type Account,
  type Command,
  type Description,
  kvSet,
  type Message,
  type Outgoing,
  type Progress,
  type Request,
  type WaitAnswer,
} from 'px';
import { answerOf, post } from '../direct.ts';
import { askMe, Refusal, read } from './api.ts';
import { history } from './history.ts';
import { download } from './media.ts';
import { askForLess, forgetSince, messagesIn, syncRequest } from './receive.ts';
import { followInvitations } from './room.ts';
import { progress, requestFor } from './send.ts';

/** Longest text of one message, in UTF-16 units: an event of 65,536 bytes has it twice, plain and formatted. */
const maxText = 4096;
/** How long the server holds a request open when nothing arrives, in seconds. */
const waitSeconds = 50;

export function describe(): Description {
  return { platform: 'matrix', maxText };
}

/** Who px is, as the server says now: with a wrong token this fails. */
export function account(): Account {
  const { id } = askMe();
  return { name: id, url: `https://matrix.to/#/${id}` };
}

/** Servers remember transaction ids for a day (Synapse), and forget them with an hour to spare here. */
export function abilities(): string[] {
  return ['edit', 'typing', 'react', 'choices', 'files', 'once:82800'];
}

/** The long poll px holds open. Acknowledges the messages handed over before. */
export function nextWait(): Request {
  const more = followInvitations();
  return syncRequest(more ? 1 : waitSeconds);
}

export function onWait(answer: WaitAnswer): Message[] {
  if ('err' in answer && answer.err.kind === 'timeout') return [];
  if ('err' in answer && answer.err.kind === 'too-large') askForLess();
  try {
    return messagesIn(read(answer));
  } catch (e) {
    if (e instanceof Refusal && e.status === 400) forgetSince();
    throw e;
  }
}

export function pollEvents(): Message[] {
  followInvitations();
  return onWait(answerOf(syncRequest(0)));
}

export function nextSend(channel: string, out: Outgoing): Request {
  return requestFor(channel, out);
}

export function onSent(channel: string, out: Outgoing, answer: WaitAnswer): Progress {
  return progress(channel, out, answer);
}

export function postMessage(channel: string, content: string): string {
  return post({ nextSend, onSent }, channel, content, maxText);
}

export function getHistory(channel: string, limit: number): Message[] {
  return history(channel, limit);
}

export function fetchFile(id: string): Request {
  return download(id);
}

/** Matrix has no menu: px keeps the names, to know `!help` from a text that begins so. */
export function setCommands(commands: Command[]): void {
  kvSet('commands', JSON.stringify(commands.map(({ name }) => name)));
}
