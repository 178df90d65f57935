import { type Line, line, spans } from '../line.ts';
import { type Style, signs, sparkline } from '../look.ts';
import { running, type State } from '../state.ts';
import { oneLine, wrap } from '../text.ts';
import { type DrawPane, duration, megabytes } from './pane.ts';

const states: Record<string, Style> = { running: 'good', waiting: 'warn', failing: 'bad', off: 'dim' };

/** The daemon: memory and processor as plots, queue, channels, sandbox. */
export const healthPane: DrawPane = (state, columns, look) => {
  const sign = signs(look);
  const { status } = state;
  if (!status) return { head: [], body: [line('Nothing known yet.', 'dim')], anchor: 'start' };
  const label = (text: string): [string, Style] => [text.padEnd(10), 'dim'];
  const told = Object.entries(status.sandbox.layers).map((pair) => oneLine(pair.join(' '), look));
  const layers = wrap(told.join(', '), columns - 10);
  const body: Line[] = [
    spans(
      label('px'),
      [oneLine(status.version, look), 'bold'],
      [` pid ${status.pid}, up ${duration(status.uptimeMs)}, ${oneLine(state.url, look)}`],
    ),
    spans(label('home'), [oneLine(status.home, look)]),
    ...plots(state, columns, look),
    spans(label('turns'), ...queueParts(state)),
    spans(label('index'), [`${status.memory.notes} notes, ${status.memory.chunks} passages`]),
    spans(label('sandbox'), [oneLine(status.sandbox.mode, look), 'bold']),
    ...layers.map((row) => spans(label(''), [row, 'dim'])),
    line(''),
    ...status.channels.map((channel) =>
      spans(
        label('channel'),
        [`${sign.dot} `, states[channel.state] ?? 'plain'],
        [oneLine(channel.id, look), 'bold'],
        [` ${channel.state} ${oneLine(channel.detail, look)}`],
      ),
    ),
  ];
  return { head: [], body, anchor: 'start' };
};

/** Memory and processor, a row each: name, plot, value now and highest. */
export function plots(state: State, columns: number, look: Parameters<DrawPane>[2]): Line[] {
  const plot = (name: string, values: number[], shown: (value: number) => string): Line => {
    const text = values.length === 0 ? '-' : `${shown(values.at(-1) ?? 0)} (most ${shown(Math.max(...values))})`;
    const room = Math.max(0, Math.min(60, columns - 11 - text.length - 1));
    return spans([name.padEnd(10), 'dim'], [sparkline(values, room, look), 'good'], [` ${text}`]);
  };
  return [plot('memory', state.rss, megabytes), plot('processor', state.cpu, (value) => `${value.toFixed(1)} %`)];
}

/** How many turns run, also those that began before this program was started, and how many messages wait. */
function queueParts(state: State): [string, Style?][] {
  const now = Math.max(running(state).length, state.status?.queue.running ?? 0);
  return [[`${now} running`, now > 0 ? 'warn' : 'plain'], [`, ${state.status?.queue.waiting ?? 0} waiting`]];
}
