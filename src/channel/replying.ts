import type { ConversationId } from '../wire/wire.ts';
import { isGroup } from './access.ts';
import type { InboxItem } from './channel.ts';

/** Which answers are shown as replies: those in a group, and those to a message that came while another was being answered. */
export interface Replying {
  /** A message is handed on to be answered. */
  began(item: InboxItem): void;
  /** The platform's id of the message that its answer replies to; undefined where anybody sees what is answered. */
  to(item: InboxItem): string | undefined;
  /** Messages that have their answer, or get none. */
  over(items: InboxItem[]): void;
}

/** Keeps count of what is being answered in each conversation. */
export function createReplying(): Replying {
  const open = new Map<ConversationId, Set<number>>();
  const waited = new Set<number>();
  return {
    began({ seq, inbound }) {
      const before = open.get(inbound.conversation);
      if (before) waited.add(seq);
      open.set(inbound.conversation, (before ?? new Set()).add(seq));
    },
    to({ seq, inbound }) {
      // A button says something without a message of its own.
      if (inbound.metadata?.['button'] === true) return undefined;
      return waited.has(seq) || isGroup(inbound) ? inbound.id : undefined;
    },
    over(items) {
      for (const { seq, inbound } of items) {
        waited.delete(seq);
        const rest = open.get(inbound.conversation);
        rest?.delete(seq);
        if (rest?.size === 0) open.delete(inbound.conversation);
      }
    },
  };
}
