import { type ErrorShape, fromErrorShape, PxError } from '../error/error.ts';
import type { ConversationId, PxEvent } from '../wire/wire.ts';

/** What {@link openEvents} tells. */
export interface EventListener {
  /** Signed in: everything that happens from now on is told. */
  ready(version: string): void;
  event(event: PxEvent): void;
  /** The gateway took what was said. */
  accepted?(conversation: ConversationId, messageId: string): void;
  /** The gateway refused what was said. */
  refused?(error: PxError): void;
  /** The connection ended, or never came about; told once, nothing comes after it. */
  closed(error: PxError): void;
}

/** An open line to the gateway: its events come in, messages go out. */
export interface Events {
  say(conversation: ConversationId, text: string): void;
  close(): void;
}

/** The events of a gateway over its WebSocket, as they happen. Never throws: a line that breaks is told to `closed`. */
export function openEvents(address: { url: string; token: string }, listener: EventListener): Events {
  const url = new URL('/api/events', address.url);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  let over = false;
  const end = (reason: string) => {
    if (over) return;
    over = true;
    listener.closed(
      new PxError('gateway.unreachable', reason || `The connection to px at ${address.url} ended.`, {
        hint: 'Start it with `px serve`.',
        retryable: true,
      }),
    );
  };
  socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token: address.token }));
  socket.onclose = ({ reason }) => end(reason);
  socket.onerror = () => end('');
  socket.onmessage = ({ data }) => {
    if (over) return;
    const told = read(data);
    if (told === undefined) return;
    if (told.type === 'ready') listener.ready(told.version);
    else if (told.type === 'accepted') listener.accepted?.(told.conversation, told.messageId);
    else if (told.type === 'error') listener.refused?.(fromErrorShape(told.error));
    else if (told.type !== 'pong') listener.event(told);
  };
  return {
    say(conversation, text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'chat', conversation, text }));
    },
    close() {
      over = true;
      socket.close();
    },
  };
}

type Told =
  | PxEvent
  | { type: 'ready'; version: string }
  | { type: 'pong' }
  | { type: 'accepted'; conversation: ConversationId; messageId: string }
  | { type: 'error'; error: ErrorShape };

/** This program's own vocabulary, written by the gateway from the same types; anything else is left out. */
function read(data: unknown): Told | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(data);
    const known = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
    return known ? (value as Told) : undefined;
  } catch {
    return undefined;
  }
}
