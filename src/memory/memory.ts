export { indexForParent, indexOnce } from './bulk.ts';
export { recalledMark } from './chunk-journal.ts';
export { appendFile, makeFolder, replaceFile } from './durable.ts';
export { findFact } from './fact.ts';
export type { ForeignJob, ImportKind, ImportStep } from './import.ts';
export { openJournal } from './journal.ts';
export { settledLength } from './journal-file.ts';
export { type JournalVerdict, verifyJournal } from './journal-verify.ts';
export { messagesFromJournal } from './messages.ts';
export { shownPath } from './note-path.ts';
export { type MemoryOptions, openMemory } from './open.ts';

import type { ErrorShape } from '../error/error.ts';
import type {
  Attachment,
  ConversationId,
  EndReason,
  Json,
  ModelRef,
  SearchHit,
  Sender,
  ToolCallPart,
  ToolResultPart,
  Usage,
} from '../wire/wire.ts';

/** What `px import` works with. */
export const importTools = () => import('./import.ts');

/** What `px audit` works with, loaded when it is asked for: a running px carries none of it. */
export const auditTools = () => import('./audit-tools.ts');

/**
 * One entry of a conversation's journal. The grammar is in docs/journal.md; what is written can be read back without loss.
 */
export type JournalEntry = { at: number } & (
  | {
      kind: 'user';
      sender: Sender;
      channel: string;
      messageId: string;
      text: string;
      /** Pictures and documents that came with it; one whose file is gone is left out. */
      attachments?: Attachment[];
      /** Where it comes from when not from the owner: `guest/Bob`. */
      outside?: string[];
    }
  | { kind: 'assistant'; turn: string; model: ModelRef; text: string }
  | { kind: 'thinking'; turn: string; text: string; signature?: string; provider?: string }
  | { kind: 'tool-call'; turn: string; call: ToolCallPart }
  | {
      kind: 'tool-result';
      turn: string;
      result: ToolResultPart;
      ms: number;
      /** Where text from outside in it comes from: `plugin/web-fetch`, `mcp/github`. */
      outside?: string[];
    }
  | { kind: 'turn-end'; turn: string; messageId: string; reason: EndReason; usage: Usage; error?: ErrorShape }
  | { kind: 'model'; model: ModelRef; by: string }
  | { kind: 'note'; text: string; data?: Json }
);

/** The Markdown transcripts under `memory/journal/<channel>-<chat>/YYYY-MM-DD.md`. */
export interface Journal {
  /** Appends entries in one write and one fsync: all or nothing, also across kill -9. Times are stamped here when 0. */
  append(conversation: ConversationId, entries: JournalEntry[]): Promise<void>;
  /** The latest entries, oldest first, reading files backwards until `limit` entries are found. */
  read(conversation: ConversationId, limit: number): Promise<JournalEntry[]>;
  /** Every conversation that has a journal, latest first. */
  conversations(): Promise<{ conversation: ConversationId; lastAt: number; entries: number }[]>;
}

/** Filters of a search. */
export interface SearchOptions {
  /** 1..100; 10 when left out. */
  limit?: number;
  /** Only below this folder of memory/. */
  under?: string;
  /** Only transcripts and daily notes of this day or time: `tuesday`, `2025-11`, `2025-11-01..2025-11-07`; nothing for what is no day. */
  when?: string;
  /** Only what was said in a passage of a transcript where this person speaks, or `px`. */
  speaker?: string;
  /** Only passages with this `#tag`, and notes whose front matter has it. */
  tag?: string;
}

/** The turn that changed a note. */
export interface ChangeBy {
  conversation: string;
  turn: string;
}

/** One change px made to a note. */
export interface Change {
  /** Counts up over all notes. */
  n: number;
  /** Milliseconds since the epoch. */
  at: number;
  path: string;
  kind: 'append' | 'replace' | 'undo';
  /** Lines that came and went. */
  added: number;
  removed: number;
  /** Left out when a person did it, through the portal or the API. */
  by?: ChangeBy;
  /** The change this one took back. */
  undoes?: number;
  /** The change that took this one back. */
  undoneBy?: number;
  /** The note is gone since. */
  removedNote?: true;
}

/** What an undo did: the note is as before the change, or what was written since was kept (`merged`), or there was `nothing` to take back. */
export interface Undone {
  /** Number of the undo itself, a change like any other; 0 for `nothing`. */
  n: number;
  undoes: number;
  path: string;
  state: 'undone' | 'merged' | 'nothing';
}

/** Every change px made to notes, kept in `memory/.history/` as Markdown and gzip; the oldest are dropped past a bound. */
export interface History {
  /** Latest first; 50 when no limit is given. */
  log(options?: { path?: string; conversation?: string; limit?: number }): Promise<Change[]>;
  /** A change as a unified diff. Throws PxError `not-found`. */
  diff(n: number): Promise<{ n: number; path: string; diff: string }>;
  /** Takes one change back and keeps everything written since. Throws PxError `not-found`, and `conflict` with `data.merged`: then nothing is written. */
  undo(n: number, by?: ChangeBy): Promise<Undone>;
}

/** The memory of one home. */
export interface Memory {
  readonly journal: Journal;
  readonly history: History;
  /** Full-text search over all Markdown below memory/. Never throws on odd queries. */
  search(query: string, options?: SearchOptions): SearchHit[];
  /** What may matter to a message without being asked for, best first; nothing for small talk. Never throws. */
  relevant(message: string): SearchHit[];
  /** Lines of a note. `from` counts from 1. Throws PxError `memory.path`, `not-found`. */
  get(
    path: string,
    from?: number,
    lines?: number,
  ): Promise<{ path: string; from: number; text: string; totalLines: number }>;
  /** Writes or appends atomically and keeps what was there before; refuses journal/, log/, people.md and anything outside memory/. Returns `file#line` of the change. */
  write(path: string, text: string, mode: 'append' | 'replace', by?: ChangeBy): Promise<{ path: string; line: number }>;
  /** Paths of notes below a folder, sorted. */
  list(under?: string): Promise<string[]>;
  /** Starts the background indexer and watcher; returns at once. */
  start(): void;
  /** Resolves when the changes announced so far can be found, or after a quarter of a second: a long piece of indexing is not waited for. */
  fresh(): Promise<void>;
  /** Resolves when everything seen so far is indexed. */
  settled(): Promise<void>;
  /** Drops and remakes the index from Markdown. */
  rebuild(): Promise<void>;
  /** Throws when the index cannot be read; in the same time for ten notes and for a hundred thousand. */
  ready(): void;
  stats(): { notes: number; chunks: number };
  /** Lets go of what it keeps of the index in memory. */
  shrink(): void;
  /** Compares the index with the files as they are now: how many there are, of how many it has an old state or none, how many it has that are gone; and a few that are larger than `memory.max_file_bytes` and not searched. */
  compare(): Promise<{ files: number; stale: number; gone: number; large: string[] }>;
  close(): Promise<void>;
}
