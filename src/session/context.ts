import { type JournalEntry, messagesFromJournal } from '../memory/memory.ts';
import type { Message, ModelRef } from '../wire/wire.ts';
import { type QueueMode, queueModes } from './queue-mode.ts';
import { summarised, withSummary } from './summary.ts';

/** Who chose a model, in a `model` entry: only a person's choice binds the conversation; `default` takes it back. */
export type ModelBy = 'person' | 'default';

/** A person's choice is written again after this many entries, so that it is always found near the end of a journal. */
const carryModelAfter = 100;

/** The data of the note that starts a fresh context. */
const resetMark = 'px:new-context';

/** The data of the note that says how messages queue. */
const queueMark = 'px:queue';

/** The note that `/queue` writes; without a mode px.yaml is followed again. */
export function queueNote(mode: QueueMode | undefined): JournalEntry {
  const text = mode === undefined ? 'Messages queue as px.yaml says.' : `While I answer, a new message means: ${mode}.`;
  return { at: 0, kind: 'note', text, data: { mark: queueMark, queue: mode ?? null } };
}

/** The queue mode a person chose, by the latest entry that says so. */
export function chosenQueue(entries: JournalEntry[]): QueueMode | undefined {
  const note = entries.findLast((e) => e.kind === 'note' && markOf(e.data) === queueMark);
  const data = note?.kind === 'note' ? note.data : undefined;
  const chosen = typeof data === 'object' && data !== null && 'queue' in data ? data['queue'] : undefined;
  return queueModes.find((mode) => mode === chosen);
}

/** Whether the choice of a queue mode is so far back that it should be written again. */
export function queueIsOld(entries: JournalEntry[]): boolean {
  const at = entries.findLastIndex((e) => e.kind === 'note' && markOf(e.data) === queueMark);
  return at >= 0 && entries.length - at >= carryModelAfter;
}

/** The note that `/new` writes. */
export function resetNote(): JournalEntry {
  return { at: 0, kind: 'note', text: 'A new conversation starts here.', data: { mark: resetMark } };
}

/** How many entries are read back for so many messages: a message is at most a few entries (thinking, text, calls, results). */
export function entriesFor(historyMessages: number): number {
  return Math.max(2 * carryModelAfter, historyMessages * 4);
}

/** The model a person chose, by the latest entry that says so; undefined when none or taken back. */
export function chosenModel(entries: JournalEntry[]): ModelRef | undefined {
  const last = entries.findLast((e) => e.kind === 'model' && (e.by === 'person' || e.by === 'default'));
  return last?.kind === 'model' && last.by === 'person' ? last.model : undefined;
}

/** Whether the choice is so far back that it should be written again. */
export function choiceIsOld(entries: JournalEntry[]): boolean {
  const at = entries.findLastIndex((e) => e.kind === 'model' && e.by === 'person');
  return at >= 0 && entries.length - at >= carryModelAfter;
}

/**
 * The messages a model is sent: the summary of what was compacted, then those after it and after the last reset, at most `most`,
 * beginning with a person's. The latest turn is never cut, even when it alone is longer.
 */
export function contextMessages(entries: JournalEntry[], most: number): Message[] {
  const { summary, kept } = summarised(sinceReset(entries));
  const messages = messagesFromJournal(kept);
  const lastUser = messages.findLastIndex((m) => m.role === 'user');
  const first = messages.findIndex((m, at) => m.role === 'user' && (messages.length - at <= most || at === lastUser));
  return withSummary(summary, first < 0 ? [] : messages.slice(first));
}

/** The entries after the last `/new`. */
export function sinceReset(entries: JournalEntry[]): JournalEntry[] {
  return entries.slice(entries.findLastIndex((e) => e.kind === 'note' && isReset(e.data)) + 1);
}

function isReset(data: unknown): boolean {
  return markOf(data) === resetMark;
}

function markOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'mark' in data ? data.mark : undefined;
}
