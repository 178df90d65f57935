export { isJournal, journalLogSink } from './journal.ts';
export { markdownLogSink } from './markdown.ts';
export { printable } from './printable.ts';
export { terminalLogSink } from './terminal.ts';

import { printable } from './printable.ts';

/** Levels of the one log pipeline, least to most severe. */
const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** One line of the log: what terminal, portal and the Markdown log all show. */
export interface LogEntry {
  /** Milliseconds since the epoch. */
  at: number;
  level: LogLevel;
  /** Who speaks: `gateway`, `model/openai`, `plugin/telegram`. */
  scope: string;
  message: string;
  fields?: Record<string, unknown>;
}

/** Where entries go. A sink must not throw. */
export type LogSink = (entry: LogEntry) => void;

/** A logger bound to a scope. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** The same pipeline under another scope. */
  scope(name: string): Log;
}

/** The root of the pipeline: change its level or add sinks while running. */
export interface LogRoot extends Log {
  setLevel(level: LogLevel): void;
  addSink(sink: LogSink): () => void;
}

/** Rewrites every text and field value before any sink sees it (secrets are scrubbed here). */
export type Scrub = (text: string) => string;

/** Makes a log pipeline. Control characters in messages are escaped, so that a guest cannot draw on a terminal. */
export function createLog(
  options: { level?: LogLevel; scope?: string; scrub?: Scrub; sinks?: LogSink[] } = {},
): LogRoot {
  let threshold = logLevels.indexOf(options.level ?? 'info');
  const sinks = new Set<LogSink>(options.sinks ?? []);
  const scrub = options.scrub ?? ((text: string) => text);
  const emit = (level: LogLevel, scope: string, message: string, fields?: Record<string, unknown>) => {
    if (logLevels.indexOf(level) < threshold) return;
    const entry: LogEntry = { at: Date.now(), level, scope, message: '' };
    try {
      entry.message = printable(scrub(message));
      if (fields) entry.fields = scrubFields(fields, scrub);
    } catch {
      // When the secrets cannot be read, as while px ends, nobody knows what is one.
      entry.message = 'a line was left out: it could not be checked for secrets';
    }
    for (const sink of sinks) {
      try {
        sink(entry);
      } catch {
        // Told to keep quiet and did not: the work that logs must not fail for it.
      }
    }
  };
  const bind = (scope: string): Log => ({
    debug: (message, fields) => emit('debug', scope, message, fields),
    info: (message, fields) => emit('info', scope, message, fields),
    warn: (message, fields) => emit('warn', scope, message, fields),
    error: (message, fields) => emit('error', scope, message, fields),
    scope: (name) => bind(name),
  });
  return {
    ...bind(options.scope ?? 'px'),
    setLevel: (level) => {
      threshold = logLevels.indexOf(level);
    },
    addSink: (sink) => {
      sinks.add(sink);
      return () => sinks.delete(sink);
    },
  };
}

/** How deep, how many and how long the values of fields may be: a log line is no dump. */
const maxDepth = 6;
const maxItems = 50;
const maxText = 4_000;

function scrubFields(fields: Record<string, unknown>, scrub: Scrub): Record<string, unknown> {
  const value = plainValue(fields, scrub, 0);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** A value as plain data, every text in it scrubbed and printable. Never throws: a log line must not be what fails. */
function plainValue(value: unknown, scrub: Scrub, depth: number): unknown {
  const text = (raw: string) => {
    const clean = printable(scrub(raw));
    return clean.length > maxText ? `${clean.slice(0, maxText)}… (${clean.length} characters)` : clean;
  };
  if (typeof value === 'string') return text(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function' || value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '…';
  try {
    if (value instanceof Error) {
      const code = 'code' in value && typeof value.code === 'string' ? `${value.code}: ` : '';
      return text(code + value.message);
    }
    if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
    if ('toJSON' in value && typeof value.toJSON === 'function') return plainValue(value.toJSON(), scrub, depth + 1);
    if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => plainValue(item, scrub, depth + 1));
    const entries = Object.entries(value).slice(0, maxItems);
    return Object.fromEntries(entries.map(([key, item]) => [text(key), plainValue(item, scrub, depth + 1)]));
  } catch {
    return '(unreadable)';
  }
}
