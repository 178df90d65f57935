import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { clock, day, fieldsText } from './line.ts';
import type { LogEntry, LogSink } from './log.ts';

/** How long lines wait to be written together, in ms. */
const flushMs = 500;
/** Lines that wait at most; more are written at once. */
const maxWaiting = 200;
/** Most bytes of one day's file. */
const maxDayBytes = 16 * 1024 * 1024;

/**
 * The Markdown log, one file a day: `<dir>/YYYY-MM-DD.md`, one line an entry, 0600. Lines are written together after half a
 * second, and by `close()`. A full disk costs log lines, never an answer: nothing here throws.
 */
export function markdownLogSink(dir: string): LogSink & { close(): void } {
  let waiting: LogEntry[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const entries = waiting;
    waiting = [];
    for (const [date, group] of Map.groupBy(entries, (entry) => day(entry.at))) append(dir, date, group);
  };
  const sink = (entry: LogEntry) => {
    if (closed) return;
    waiting.push(entry);
    if (waiting.length >= maxWaiting) return flush();
    timer ??= setTimeout(flush, flushMs);
    // A log that waits must not keep a process alive that has nothing else to do: it calls close().
    timer.unref();
  };
  return Object.assign(sink, {
    close: () => {
      flush();
      closed = true;
    },
  });
}

function append(dir: string, date: string, entries: LogEntry[]): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const path = join(dir, `${date}.md`);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > maxDayBytes) return;
    const head = size === 0 ? `# Log of ${date}\n\n` : '';
    appendFileSync(path, head + entries.map(line).join(''), { mode: 0o600 });
  } catch {
    // Nowhere left to tell: the terminal and the event bus have the line.
  }
}

function line(entry: LogEntry): string {
  const fields = fieldsText(entry).replaceAll('`', "'").replaceAll('\n', ' ');
  const level = entry.level === 'warn' || entry.level === 'error' ? `**${entry.level}**` : entry.level;
  return `- ${clock(entry.at)} ${level} \`${entry.scope}\` ${inline(entry.message)}${fields && ` \`${fields}\``}\n`;
}

/** A message as part of one line: what would start HTML, a link or an image in a viewer is only text. */
function inline(message: string): string {
  return message
    .replace(/\s*\n\s*/g, ' ⏎ ')
    .replace(/[<[\]]/g, '\\$&')
    .trim();
}
