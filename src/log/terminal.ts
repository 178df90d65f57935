import { clock, fieldsText } from './line.ts';
import type { LogLevel, LogSink } from './log.ts';

const colours: { [level in LogLevel]: string } = { debug: '90', info: '36', warn: '33', error: '31' };

/**
 * Lines for a person at a terminal: time, level, who, what. Colour is the caller's decision (a terminal, and no `NO_COLOR`).
 * Lines after the first of a message are indented, so that a message cannot look like an entry of its own.
 */
export function terminalLogSink(write: (text: string) => void, options: { colour?: boolean } = {}): LogSink {
  return (entry) => {
    const level = entry.level.padEnd(5);
    const shown = options.colour ? `\u001b[${colours[entry.level]}m${level}\u001b[0m` : level;
    const fields = fieldsText(entry);
    const message = `${entry.message}${fields && ` ${fields}`}`.replaceAll('\n', '\n    ');
    write(`${clock(entry.at)} ${shown} ${entry.scope}: ${message}\n`);
  };
}
