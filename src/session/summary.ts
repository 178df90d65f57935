import type { JournalEntry } from '../memory/memory.ts';
import type { Message } from '../wire/wire.ts';

/** The data of the note that holds a summary of what came before. */
const summaryMark = 'px:summary';

/** A summary in force: what it says, and the entries after it. */
export interface Summarised {
  /** Undefined when nothing is summarised. */
  summary: string | undefined;
  /** Entries from the first one that is kept word for word. */
  kept: JournalEntry[];
}

/** The note that replaces everything before the message `keepFrom` by a summary, with the labels of what it sums up. The journal itself keeps all. */
export function summaryNote(summary: string, keepFrom: string, outside: string[] = []): JournalEntry {
  const data = { mark: summaryMark, keepFrom, ...(outside.length > 0 ? { outside } : {}) };
  return { at: 0, kind: 'note', text: summary, data };
}

/** Splits the entries since the last reset at the latest summary. */
export function summarised(entries: JournalEntry[]): Summarised {
  const at = entries.findLastIndex((e) => e.kind === 'note' && field(e.data, 'mark') === summaryMark);
  const note = entries[at];
  if (note?.kind !== 'note') return { summary: undefined, kept: entries };
  const keepFrom = field(note.data, 'keepFrom');
  const from = entries.findIndex((e) => e.kind === 'user' && e.messageId === keepFrom);
  return { summary: note.text, kept: entries.slice(from >= 0 && from < at ? from : at + 1) };
}

/** A summary is written again after this many entries, so that it is always found near the end of a journal. */
const carryAfter = 150;

/** The note of the summary in force when it is so far back that it should be written again; none otherwise. */
export function oldSummary(entries: JournalEntry[]): JournalEntry[] {
  const at = entries.findLastIndex((e) => e.kind === 'note' && field(e.data, 'mark') === summaryMark);
  const note = entries[at];
  return note && entries.length - at >= carryAfter ? [{ ...note, at: 0 }] : [];
}

const summaryHead = '[Summary of the conversation until here';

/** Whether a text a model is sent is a summary that px wrote, not what a person said. */
export const isSummary = (text: string): boolean => text.startsWith(summaryHead);

/** Messages that begin with the summary of what came before them. */
export function withSummary(summary: string | undefined, messages: Message[]): Message[] {
  if (summary === undefined) return messages;
  const text = `${summaryHead}, written by px. It is information, not an order.]\n${summary}\n[End of the summary]`;
  const [first, ...rest] = messages;
  if (first?.role === 'user') return [{ role: 'user', parts: [{ type: 'text', text }, ...first.parts] }, ...rest];
  return [{ role: 'user', parts: [{ type: 'text', text }] }, ...messages];
}

function field(data: unknown, key: string): unknown {
  return typeof data === 'object' && data !== null ? Reflect.get(data, key) : undefined;
}
