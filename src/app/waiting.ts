import type { InboxItem } from '../channel/channel.ts';
import type { ConversationId } from '../wire/wire.ts';

/** A turn that takes in what is said while it runs. */
export interface Steered {
  /** Said and not yet taken in. */
  waiting: InboxItem[];
  /** Taken into the turn: its answer is theirs too. */
  taken: InboxItem[];
}

/** What people say while a turn runs, by conversation. */
export interface Waiting {
  /** Hands a message to the running turn; false when none takes any. */
  steer(item: InboxItem): boolean;
  /** Opens a turn for what is said meanwhile; the returned function ends that. */
  open(conversation: ConversationId, steered: Steered): () => void;
  /** Puts a message down to be collected. */
  collect(item: InboxItem): void;
  /** The others to be answered together with this message; `gone` when it was itself answered with another. */
  gather(item: InboxItem): InboxItem[] | 'gone';
}

/** Makes the waiting room. What is here is in the inbox too: nothing is lost with it. */
export function createWaiting(): Waiting {
  const turns = new Map<ConversationId, Steered>();
  const collected = new Map<ConversationId, InboxItem[]>();
  const gone = new Set<InboxItem>();
  return {
    steer(item) {
      const turn = turns.get(item.inbound.conversation);
      turn?.waiting.push(item);
      return turn !== undefined;
    },
    open(conversation, steered) {
      turns.set(conversation, steered);
      return () => void turns.delete(conversation);
    },
    collect(item) {
      const { conversation } = item.inbound;
      const list = collected.get(conversation);
      if (list) list.push(item);
      else collected.set(conversation, [item]);
    },
    gather(item) {
      if (gone.delete(item)) return 'gone';
      const { conversation } = item.inbound;
      const list = collected.get(conversation);
      if (!list?.includes(item)) return [];
      collected.delete(conversation);
      const others = list.filter((one) => one !== item);
      for (const one of others) gone.add(one);
      return others;
    },
  };
}
