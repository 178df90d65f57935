import type { App } from '../app/app.ts';
import { PxError } from '../error/error.ts';
import type { Attached, ConversationId, PxEvent } from '../wire/wire.ts';
import { ownerMessage } from './turn.ts';

/** What a script says. */
export interface HookCall {
  conversation: ConversationId;
  text: string;
  /** The caller's own name of this message: said again it is the same message. Made by px when left out. */
  id?: string | undefined;
  model?: string | undefined;
  attachments?: Attached[] | undefined;
  /** A chat that gets the answer, too. */
  deliver?: ConversationId | undefined;
}

/** What became of it by now. */
export interface HookAnswer {
  accepted: true;
  id: string;
  conversation: ConversationId;
  state: 'waiting' | 'answered';
  /** Left out while it waits, and for a command that was answered before. */
  answer?: string;
}

/** The id a message is stored under: a caller's words cannot meet those of others. */
const stored = (id: string) => `hook-${id}`;

/** Takes a script's message in, once for each id; `fresh` is false when it was there before. Throws PxError `channel.unknown`. */
export function takeHook(app: App, call: HookCall): { id: string; fresh: boolean } {
  const id = call.id ?? crypto.randomUUID();
  const { conversation, text, attachments, deliver } = call;
  if (deliver !== undefined && !app.config.current.channels[deliver.slice(0, deliver.indexOf('/'))])
    throw new PxError('channel.unknown', `There is no channel for ${deliver}.`, { hint: 'px status shows channels.' });
  const model = call.model === undefined ? {} : { model: app.models.resolve(call.model) };
  const said = ownerMessage({ conversation, text, attachments, ...model });
  // What a script hands on may be anybody's: it is answered, labelled, and has no word in what px asks its owner.
  const sender = { id: 'script', name: 'script' };
  const metadata = { ...said.metadata, outside: ['hook'], ...(deliver === undefined ? {} : { deliver }) };
  return { id, fresh: app.submit({ ...said, id: stored(id), sender, metadata }) };
}

/** What became of a message, from the journal: that holds after a restart, too. */
export async function hookAnswer(app: App, conversation: ConversationId, id: string): Promise<HookAnswer> {
  const { seq } =
    app.channels.inbox().find((one) => one.id === stored(id) && one.channel === channelOf(conversation)) ?? {};
  if (seq !== undefined) return { accepted: true, id, conversation, state: 'waiting' };
  const entries = await app.memory.journal.read(conversation, 2_000);
  const end = entries.findLast((entry) => entry.kind === 'turn-end' && entry.messageId === stored(id));
  const turn = end?.kind === 'turn-end' ? end.turn : undefined;
  const texts = entries.flatMap((entry) => (entry.kind === 'assistant' && entry.turn === turn ? [entry.text] : []));
  return {
    accepted: true,
    id,
    conversation,
    state: 'answered',
    ...(turn === undefined ? {} : { answer: texts.join('\n\n') }),
  };
}

/** Takes a message in and waits for its answer, at most `ms`. */
export async function askHook(app: App, call: HookCall, ms: number): Promise<HookAnswer> {
  const { promise: answered, resolve } = Promise.withResolvers<string | undefined>();
  const id = call.id ?? crypto.randomUUID();
  let turn: string | undefined;
  const listen = (event: PxEvent) => {
    if (event.type === 'turn.start' && event.messageId === stored(id)) turn = event.turn;
    if (event.type === 'turn.end' && event.turn === turn) resolve(event.text);
    // The answer was under way when this caller came.
    if (event.type === 'message.out' && event.conversation === call.conversation && turn === undefined)
      resolve(undefined);
  };
  const stop = app.bus.on(listen);
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    if (!takeHook(app, { ...call, id }).fresh) {
      const now = await hookAnswer(app, call.conversation, id);
      if (now.state === 'answered') return now;
    }
    const text = await answered;
    return text === undefined
      ? await hookAnswer(app, call.conversation, id)
      : { accepted: true, id, conversation: call.conversation, state: 'answered', answer: text };
  } finally {
    clearTimeout(timer);
    stop();
  }
}

const channelOf = (conversation: ConversationId) => conversation.slice(0, conversation.indexOf('/'));
