import type { JournalEntry } from '../memory/memory.ts';
import type { ConversationId, Message, ModelRef } from '../wire/wire.ts';
import type { QueueMode } from './queue-mode.ts';

export { sinceReset } from './context.ts';
export { labelsOf } from './labels.ts';
export { type QueueMode, queueModes } from './queue-mode.ts';
export { createSessions, type SessionOptions } from './sessions.ts';
export { isSummary, summarised, summaryNote } from './summary.ts';

/** A conversation's state, always derivable from its journal. */
export interface Session {
  readonly conversation: ConversationId;
  /** The model a person chose in this conversation; undefined follows px.yaml. */
  readonly model: ModelRef | undefined;
  /** The queue mode a person chose in this conversation; undefined follows px.yaml. */
  readonly queue: QueueMode | undefined;
  /** At most `agent.history_messages`, beginning with what a person said; a turn under way is always whole. */
  readonly messages: Message[];
  /** Where text from outside in this conversation comes from, since it was begun: `plugin/web-fetch`, `guest/Bob`. */
  readonly labels: string[];
}

/** Conversations and their queues: one turn at a time each, all in parallel. */
export interface Sessions {
  /** Reads a conversation back from its journal (kept while in use). */
  open(conversation: ConversationId): Promise<Session>;
  /** Writes entries to the journal, then brings the session up to date: what `open` gives is what a restart would read. */
  append(conversation: ConversationId, entries: JournalEntry[]): Promise<void>;
  /** The person's model for this conversation; undefined follows px.yaml again. Journalled. Throws PxError `model.unknown`. */
  setModel(conversation: ConversationId, model: ModelRef | undefined): Promise<void>;
  /** The person's queue mode for this conversation; undefined follows px.yaml again. Journalled. */
  setQueue(conversation: ConversationId, mode: QueueMode | undefined): Promise<void>;
  /** The queue mode of a conversation that is open now; `followup` where nobody chose. */
  queueMode(conversation: ConversationId): QueueMode;
  /** Starts a fresh context: a note in the journal, before which nothing is sent to a model any more. The model choice stays. */
  reset(conversation: ConversationId): Promise<void>;
  /** Runs `work` for this conversation after everything queued before it. Rejects with PxError `interrupted` when px ends first. */
  enqueue<T>(conversation: ConversationId, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Stops the running turn (`signal.reason` is PxError `interrupted`); false when none runs. */
  stop(conversation: ConversationId): boolean;
  running(): ConversationId[];
  /** Aborts running turns with the reason `shutdown`, drops queued ones and waits for the end of both. */
  close(): Promise<void>;
}
