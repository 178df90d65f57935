import type { JournalEntry } from '../memory/memory.ts';
import type { ToolCallPart } from '../wire/wire.ts';

/** How far back a left-over message is looked for, in journal entries. */
export const RECALL_ENTRIES = 500;

/** What the journal knows of the turn of one message. */
export interface Recalled {
  /** Its turn, when it got as far as a first step. */
  turn: string | undefined;
  /** What px had said so far. */
  texts: string[];
  /** Calls that were begun and of which no result was written. */
  open: ToolCallPart[];
  /** Its end; undefined when px was stopped in the middle. */
  end: Extract<JournalEntry, { kind: 'turn-end' }> | undefined;
}

/** The turn of a message in a journal; undefined when the message never got there. */
export function recall(entries: JournalEntry[], messageId: string): Recalled | undefined {
  const at = entries.findLastIndex((entry) => entry.kind === 'user' && entry.messageId === messageId);
  if (at < 0) return undefined;
  const after = entries.slice(at + 1);
  const ended = after.findIndex((entry) => entry.kind === 'turn-end' && entry.messageId === messageId);
  const next = after.findIndex((entry) => entry.kind === 'user');
  // What was said during the turn stands between its beginning and its end.
  const own = ended >= 0 ? after.slice(0, ended + 1) : next < 0 ? after : after.slice(0, next);
  const end = after[ended];
  const over = after.find((entry) => entry.kind === 'turn-end');
  if (!end && over?.kind === 'turn-end' && !after.some((e) => e.kind === 'user' && e.messageId === over.messageId))
    return { turn: over.turn, texts: ['↪ This was taken into the answer before.'], open: [], end: over };
  const first = own.find((entry) => 'turn' in entry);
  const done = new Set(own.flatMap((entry) => (entry.kind === 'tool-result' ? [entry.result.callId] : [])));
  return {
    turn: first && 'turn' in first ? first.turn : undefined,
    texts: own.flatMap((entry) => (entry.kind === 'assistant' && entry.text !== '' ? [entry.text] : [])),
    open: own.flatMap((entry) => (entry.kind === 'tool-call' && !done.has(entry.call.id) ? [entry.call] : [])),
    end: end?.kind === 'turn-end' ? end : undefined,
  };
}
