import { growingMarkdown } from '../growing.ts';
import { type Line, line, spans } from '../line.ts';
import { type Look, type Style, signs } from '../look.ts';
import type { ChatItem } from '../state.ts';
import { cut, oneLine, safe, wrap } from '../text.ts';
import { type DrawPane, duration } from './pane.ts';

/** Rows of a thought that are shown: it is told that it thinks, not all it thinks. */
const thoughtRows = 2;

/** The conversation: what was said, what was thought, tools where they were called. */
export const chatPane: DrawPane = (state, columns, look) => {
  if (state.chat.length === 0) {
    const hint = 'Nothing said yet. Try: what time is it?';
    return { head: [], body: wrap(hint, columns).map((text) => line(text, 'dim')), anchor: 'end' };
  }
  return { head: [], body: state.chat.flatMap((item) => rowsOf(item, columns, look)), anchor: 'end' };
};

/** Rows of items that did not change since the last frame, which is nearly all of them. */
const made = new WeakMap<ChatItem, { key: string; rows: Line[] }>();

function rowsOf(item: ChatItem, columns: number, look: Look): Line[] {
  const size = 'text' in item ? item.text.length : item.done ? 1 : 0;
  const key = `${columns} ${size} ${look.ascii}`;
  const known = made.get(item);
  if (known?.key === key) return known.rows;
  const rows = draw(item, columns, look);
  made.set(item, { key, rows });
  return rows;
}

/** What draws the answers that are on the screen, each as it grows. */
const growing = new WeakMap<ChatItem, { ascii: boolean; draw: ReturnType<typeof growingMarkdown> }>();

function markdownOf(item: ChatItem, look: Look): ReturnType<typeof growingMarkdown> {
  let known = growing.get(item);
  if (known?.ascii !== look.ascii) {
    known = { ascii: look.ascii, draw: growingMarkdown(look) };
    growing.set(item, known);
  }
  return known.draw;
}

function draw(item: ChatItem, columns: number, look: Look): Line[] {
  const sign = signs(look);
  switch (item.kind) {
    case 'person': {
      const name = item.name === 'owner' ? '' : `${oneLine(item.name, look)}: `;
      return [line(''), ...said(sign.prompt, 'person', name + item.text, 'bold', columns, look)];
    }
    case 'agent':
      return beside(sign.dot, 'agent', markdownOf(item, look)(item.text, columns - 2));
    case 'thought': {
      const rows = wrap(oneLine(item.text, look), columns - 4);
      const shown = rows.slice(-thoughtRows);
      if (rows.length > thoughtRows) shown[0] = cut(`${sign.more} ${shown[0] ?? ''}`, columns - 4);
      return shown.map((text) => spans(['    '], [text, 'dim']));
    }
    case 'tool':
      return tool(item, columns, look);
    case 'note':
      return said(sign.rule, item.bad ? 'bad' : 'dim', item.text, item.bad ? 'bad' : 'dim', columns, look);
  }
}

function said(sign: string, signStyle: Style, text: string, style: Style, columns: number, look: Look): Line[] {
  const rows = wrap(safe(text, look), columns - 2);
  return beside(
    sign,
    signStyle,
    rows.map((row) => line(row, style)),
  );
}

/** A sign, then rows beside it. Every row is indented, so that no text can look like another one's message. */
function beside(sign: string, style: Style, rows: Line[]): Line[] {
  return rows.map((row, i) => [...(i === 0 ? line(`${sign} `, style) : line('  ')), ...row]);
}

function tool(item: Extract<ChatItem, { kind: 'tool' }>, columns: number, look: Look): Line[] {
  const sign = signs(look);
  const { done } = item;
  const state: [string, Style] = done ? (done.ok ? [sign.ok, 'good'] : [sign.no, 'bad']) : [sign.more, 'warn'];
  const time = done ? ` ${duration(done.ms)}` : '';
  const name = cut(oneLine(item.name, look), 40);
  const room = columns - 5 - name.length - time.length;
  const args = item.args === '{}' ? '' : ` ${cut(oneLine(item.args, look), Math.max(0, room), sign.more)}`;
  const call = spans(['  '], [`${state[0]} `, state[1]], [name, 'tool'], [args, 'dim'], [time, 'dim']);
  if (!done || done.text.trim() === '') return [call];
  const answer = cut(oneLine(done.text.trim().slice(0, 2000), look), columns - 6, sign.more);
  return [call, spans(['    '], [answer, done.ok ? 'dim' : 'bad'])];
}
