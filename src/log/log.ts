/** Levels of the one log pipeline, least to most severe. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
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
    const entry: LogEntry = { at: Date.now(), level, scope, message: printable(scrub(message)) };
    if (fields) entry.fields = scrubFields(fields, scrub);
    for (const sink of sinks) sink(entry);
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

/** Text safe for a terminal: control and bidirectional-override characters become visible escapes; newline and tab stay. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function scrubFields(fields: Record<string, unknown>, scrub: Scrub): Record<string, unknown> {
  const text = printable(scrub(JSON.stringify(fields) ?? '{}'));
  return JSON.parse(text) as Record<string, unknown>;
}
