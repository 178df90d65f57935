import type { InboxItem } from '../channel/channel.ts';
import type { ConversationId, Message, ModelRef } from '../wire/wire.ts';

/** A conversation's state, always derivable from its journal. */
export interface Session {
  conversation: ConversationId;
  /** The model a person chose in this conversation; undefined follows px.yaml. */
  model: ModelRef | undefined;
  messages: Message[];
}

/** Conversations and their queues: one turn at a time each, all in parallel. */
export interface Sessions {
  /** Reads a conversation back from its journal (kept while in use). */
  open(conversation: ConversationId): Promise<Session>;
  /** Runs `work` for this conversation after everything queued before it. */
  enqueue<T>(conversation: ConversationId, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Stops the running turn; false when none runs. */
  stop(conversation: ConversationId): boolean;
  running(): ConversationId[];
  close(): Promise<void>;
}

/** Takes pending messages and answers them. */
export type Answer = (item: InboxItem) => Promise<void>;
