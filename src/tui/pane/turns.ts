import { type Line, line, spans } from '../line.ts';
import { signs } from '../look.ts';
import type { TurnView } from '../state.ts';
import { fit, oneLine } from '../text.ts';
import { clock, count, type DrawPane, duration } from './pane.ts';

/** Turns of all conversations, the running ones first, each with its tool calls. */
export const turnsPane: DrawPane = (state, columns, look, now) => {
  const sign = signs(look);
  const newest = state.turns.toReversed();
  const shown = [...newest.filter((t) => t.endedAt === undefined), ...newest.filter((t) => t.endedAt !== undefined)];
  const rows = (turn: TurnView): Line[] => {
    const runs = turn.endedAt === undefined;
    const bad = turn.reason === 'error' || turn.reason === 'limit' || turn.reason === 'refusal';
    const step = runs
      ? turn.thinking
        ? 'thinking'
        : turn.characters > 0
          ? 'answering'
          : 'working'
      : (turn.reason ?? '');
    const place = fit(oneLine(turn.conversation, look), Math.min(24, Math.max(8, columns - 52)), sign.more);
    return [
      spans(
        [runs ? `${sign.dot} ` : bad ? `${sign.no} ` : `${sign.ok} `, runs ? 'warn' : bad ? 'bad' : 'good'],
        [`${clock(turn.at)} `, 'dim'],
        [`${place} `],
        [step.padEnd(10), runs ? 'warn' : bad ? 'bad' : 'plain'],
        [duration((turn.endedAt ?? now) - turn.at).padStart(8)],
        [turn.input + turn.output > 0 ? ` ${count(turn.input)}+${count(turn.output)} tok` : '', 'dim'],
        [` ${oneLine(turn.model, look)}`, 'dim'],
      ),
      ...turn.tools.map((tool) =>
        spans(
          ['    '],
          tool.ms === undefined
            ? [`${sign.more} `, 'warn']
            : tool.ok
              ? [`${sign.ok} `, 'good']
              : [`${sign.no} `, 'bad'],
          [oneLine(tool.name, look), 'tool'],
          [` ${duration(tool.ms ?? now - tool.at)}`, 'dim'],
        ),
      ),
    ];
  };
  const body = shown.length > 0 ? shown.flatMap(rows) : [line('No turn since px tui was started.', 'dim')];
  return { head: [], body, anchor: 'start' };
};
