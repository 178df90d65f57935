import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Home } from '../config/config.ts';
import type { LogEntry, LogLevel, LogSink } from '../log/log.ts';

const colours: { [level in LogLevel]: string } = { debug: '90', info: '36', warn: '33', error: '31' };

/** Lines for a person at a terminal: time, level, who, what. */
export function terminalSink(write: (line: string) => void, colour: boolean): LogSink {
  return (entry) => {
    const level = entry.level.padEnd(5);
    const shown = colour ? `\u001b[${colours[entry.level]}m${level}\u001b[0m` : level;
    write(`${clock(entry.at)} ${shown} ${entry.scope}: ${entry.message}${fields(entry)}\n`);
  };
}

/** How long lines wait to be written together, in ms. */
const FLUSH_MS = 2_000;
/** Most bytes of one day's log. */
const DAY_BYTES = 16 * 1024 * 1024;

/** The Markdown log, one file a day: `memory/log/YYYY-MM-DD.md`. */
export interface DayLog {
  sink: LogSink;
  /** Writes what waits; nothing is written after it. */
  close(): void;
}

/** Opens the Markdown log. A disk that is full costs log lines, never an answer. */
export function openDayLog(home: Home): DayLog {
  let waiting: LogEntry[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  const flush = () => {
    timer = undefined;
    const days = Map.groupBy(waiting, (entry) => day(entry.at));
    waiting = [];
    for (const [date, entries] of days) append(join(home.memory, 'log', `${date}.md`), date, entries);
  };
  return {
    sink(entry) {
      if (closed) return;
      waiting.push(entry);
      timer ??= setTimeout(flush, FLUSH_MS);
      timer.unref();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      flush();
    },
  };
}

function append(path: string, date: string, entries: LogEntry[]): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > DAY_BYTES) return;
    const head = size === 0 ? `# Log of ${date}\n\n` : '';
    appendFileSync(path, head + entries.map(line).join(''), { mode: 0o600 });
  } catch {
    // Nowhere left to tell: the terminal and the bus have the line.
  }
}

const line = (entry: LogEntry) =>
  `- \`${clock(entry.at)}\` **${entry.level}** ${entry.scope}: ${entry.message.replaceAll('\n', '\n  ')}${fields(entry, '`')}\n`;

function fields(entry: LogEntry, quote = ''): string {
  if (!entry.fields || Object.keys(entry.fields).length === 0) return '';
  const text = JSON.stringify(entry.fields);
  return ` ${quote}${quote === '' ? text : text.replaceAll('`', "'")}${quote}`;
}

const two = (n: number) => String(n).padStart(2, '0');

function clock(at: number): string {
  const time = new Date(at);
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function day(at: number): string {
  const time = new Date(at);
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}
