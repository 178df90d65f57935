import { fstatSync } from 'node:fs';
import { fieldsText } from './line.ts';
import type { LogLevel, LogSink } from './log.ts';

/** The numbers of syslog. */
const priorities: { [level in LogLevel]: number } = { debug: 7, info: 6, warn: 4, error: 3 };

/**
 * Lines for systemd's journal, which has the time and shows the colours itself: `<6>gateway: listening url=…`. Every line of a message gets its
 * priority, so that no text can choose one.
 */
export function journalLogSink(write: (text: string) => void): LogSink {
  return (entry) => {
    const fields = fieldsText(entry);
    const lines = `${entry.scope}: ${entry.message}${fields && ` ${fields}`}`.split('\n');
    write(lines.map((line, i) => `<${priorities[entry.level]}>${i === 0 ? '' : '    '}${line}\n`).join(''));
  };
}

/** True when a descriptor is the journal's own socket, as `JOURNAL_STREAM` (device and inode) names it. */
export function isJournal(stream: string | undefined, descriptor = 2): boolean {
  if (!stream) return false;
  try {
    const { dev, ino } = fstatSync(descriptor);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
