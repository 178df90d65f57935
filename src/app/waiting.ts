import type { InboxItem } from '../channel/channel.ts';
import type { ConversationId, Inbound } from '../wire/wire.ts';

/** A turn that takes in what is said while it runs. */
export interface Steered {
  /** Whose message it answers: only they can steer it, for it does what they may. */
  by: Inbound;
  /** Said and not yet taken in. */
  waiting: InboxItem[];
  /** Taken into the turn: its answer is theirs too. */
  taken: InboxItem[];
}

/** What people say while a turn runs, by conversation. */
export interface Waiting {
  /** Hands a message to the running turn; false when none takes any, or when it answers somebody else. */
  steer(item: InboxItem): boolean;
  /** Opens a turn for what is said meanwhile; the returned function ends that. */
  open(conversation: ConversationId, steered: Steered): () => void;
  /** Puts a message down to be collected. */
  collect(item: InboxItem): void;
  /** Whether this message was put down to be collected. */
  collected(item: InboxItem): boolean;
  /** It is answered by itself after all. */
  alone(item: InboxItem): void;
  /** The others of the same person to be answered together with this message; `gone` when it was itself answered with another. */
  gather(item: InboxItem): InboxItem[] | 'gone';
}

/** Makes the waiting room. What is here is in the inbox too: nothing is lost with it. */
export function createWaiting(): Waiting {
  const turns = new Map<ConversationId, Steered>();
  const collected = new Map<ConversationId, InboxItem[]>();
  const gone = new Set<InboxItem>();
  const drop = (conversation: ConversationId, items: InboxItem[]) => {
    const rest = collected.get(conversation)?.filter((one) => !items.includes(one)) ?? [];
    if (rest.length > 0) collected.set(conversation, rest);
    else collected.delete(conversation);
  };
  return {
    steer(item) {
      const turn = turns.get(item.inbound.conversation);
      if (!turn || !samePerson(turn.by, item.inbound)) return false;
      turn.waiting.push(item);
      return true;
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
    collected: (item) => collected.get(item.inbound.conversation)?.includes(item) === true,
    alone: (item) => drop(item.inbound.conversation, [item]),
    gather(item) {
      if (gone.delete(item)) return 'gone';
      const { conversation } = item.inbound;
      const list = collected.get(conversation);
      if (!list?.includes(item)) return [];
      const others = list.filter((one) => one !== item && samePerson(one.inbound, item.inbound));
      drop(conversation, [item, ...others]);
      for (const one of others) gone.add(one);
      return others;
    },
  };
}

/** In a group several people write into one conversation: nobody's words become another's. */
const samePerson = (a: Inbound, b: Inbound) => a.channel === b.channel && a.sender.id === b.sender.id;
