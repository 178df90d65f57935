import type { App } from '../app/app.ts';
import type { ErrorShape } from '../error/error.ts';
import type { Attached, ConversationId, EndReason, Inbound, ModelRef, PxEvent, TurnEvent } from '../wire/wire.ts';
import { type PushQueue, pushQueue } from './queue.ts';

/** How a message was answered: the JSON reply of `POST …/messages`. */
export interface TurnReply {
  answer: string;
  model: ModelRef;
  conversation: ConversationId;
  turn: string;
  reason: EndReason;
  error?: ErrorShape;
}

/** What a message through the API is made of. */
export interface Ask {
  conversation: ConversationId;
  text: string;
  /** For this message only. */
  model?: string;
  /** Pictures and documents. */
  attachments?: Attached[] | undefined;
}

/** A message of the owner, who has proved to be it by token or session. */
export function ownerMessage(ask: Ask): Inbound {
  const slash = ask.conversation.indexOf('/');
  const { model, attachments = [] } = ask;
  const attached = attachments.map(({ mime, name, data }) => ({ mime, data, ...(name === undefined ? {} : { name }) }));
  const metadata =
    model === undefined && attached.length === 0
      ? undefined
      : {
          ...(model === undefined ? {} : { model }),
          ...(attached.length === 0 ? {} : { attachments: attached }),
        };
  return {
    conversation: ask.conversation,
    channel: ask.conversation.slice(0, slash),
    chat: ask.conversation.slice(slash + 1),
    id: `api-${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`,
    sender: { id: 'owner', name: 'owner' },
    text: ask.text,
    at: Date.now(),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/**
 * Hands a message in and follows the turn that answers it: its events in order, `turn.end` last.
 * Turns of one conversation run one after the other, so the one that answers this message is the first to start
 * after those that were waiting before it.
 */
export function followTurn(app: App, ask: Ask): AsyncIterable<TurnEvent> {
  const inbound = ownerMessage(ask);
  let turn: string | undefined;
  const queue: PushQueue<TurnEvent> = pushQueue(() => stop());
  const stop = app.bus.on((event) => {
    if (event.type === 'turn.start' && event.messageId === inbound.id) turn = event.turn;
    if (turn === undefined || !isTurnEvent(event) || event.turn !== turn) return;
    queue.push(event);
    if (event.type === 'turn.end') queue.end();
  });
  try {
    app.submit(inbound);
  } catch (thrown) {
    stop();
    throw thrown;
  }
  return queue;
}

/** Follows a turn to its end. */
export async function finishTurn(app: App, ask: Ask): Promise<TurnReply> {
  for await (const event of followTurn(app, ask)) {
    if (event.type !== 'turn.end') continue;
    const { text, model, conversation, turn, reason, error } = event;
    return { answer: text, model, conversation, turn, reason, ...(error === undefined ? {} : { error }) };
  }
  throw new Error('the turn ended without an end event');
}

function isTurnEvent(event: PxEvent): event is TurnEvent & { at: number } {
  return event.type.startsWith('turn.') || event.type.startsWith('approval.');
}
