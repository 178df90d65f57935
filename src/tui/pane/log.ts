import type { LogEntry, LogLevel } from '../../log/log.ts';
import { line, spans } from '../line.ts';
import type { Style } from '../look.ts';
import { levels } from '../state.ts';
import { oneLine } from '../text.ts';
import { clock, type DrawPane } from './pane.ts';

const styles: Record<LogLevel, Style> = { debug: 'dim', info: 'plain', warn: 'warn', error: 'bad' };

/** The log from the chosen level up, newest last. */
export const logPane: DrawPane = (state, columns, look) => {
  const { level } = state.view;
  const shown = state.log.filter((entry) => levels.indexOf(entry.level) >= levels.indexOf(level));
  const head = [line(`${level} and above, ${shown.length} of ${state.log.length} lines (l: next level)`, 'dim')];
  const row = (entry: LogEntry) =>
    spans(
      [`${clock(entry.at)} `, 'dim'],
      [`${entry.level.padEnd(5)} `, styles[entry.level] ?? 'plain'],
      [`${oneLine(entry.scope, look)} `, 'tool'],
      [oneLine(entry.message, look).slice(0, columns * 4)],
      [entry.fields ? ` ${oneLine(JSON.stringify(entry.fields), look).slice(0, columns * 2)}` : '', 'dim'],
    );
  const body = shown.length > 0 ? shown.map(row) : [line('No line since px tui was started.', 'dim')];
  return { head, body, anchor: 'end' };
};
