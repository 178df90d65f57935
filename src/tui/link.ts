import { type Client, type Events, openEvents } from '../client/client.ts';
import { PxError } from '../error/error.ts';
import type { ConversationId, PxEvent } from '../wire/wire.ts';

/** What a {@link createLink} tells. */
export interface LinkListener {
  /** A px answers: at the start, and each time it is there again. */
  up(client: Client): void;
  event(event: PxEvent): void;
  refused(error: PxError): void;
  /** The connection broke; it is tried again. */
  down(): void;
}

/** A connection that comes back: to the same px, or to one that was started again elsewhere. */
export interface Link {
  readonly client: Client | undefined;
  say(conversation: ConversationId, text: string): void;
  close(): void;
}

/** Waits between attempts, in ms: quick at first, since a restart takes a moment only. */
const waits = [200, 500, 1000, 2000, 5000];

/** Keeps a connection to the px that `connect` finds. `first` is the one that is known to answer. */
export function createLink(first: Client, connect: () => Promise<Client | undefined>, listener: LinkListener): Link {
  let events: Events | undefined;
  let client: Client | undefined;
  let closed = false;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const dial = (found: Client) => {
    events = openEvents(found, {
      ready: () => {
        attempt = 0;
        client = found;
        listener.up(found);
      },
      event: listener.event,
      refused: listener.refused,
      closed: again,
    });
  };
  const again = () => {
    if (closed) return;
    if (client) listener.down();
    client = undefined;
    events = undefined;
    const wait = waits[Math.min(attempt++, waits.length - 1)];
    timer = setTimeout(() => void look(), wait);
  };
  const look = async () => {
    const found = await connect().catch(() => undefined);
    if (closed) return;
    if (found) dial(found);
    else again();
  };
  dial(first);
  return {
    get client() {
      return client;
    },
    say(conversation, text) {
      if (events) events.say(conversation, text);
      else listener.refused(new PxError('gateway.unreachable', 'px is not connected.', { retryable: true }));
    },
    close() {
      closed = true;
      clearTimeout(timer);
      events?.close();
    },
  };
}
