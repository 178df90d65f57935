import { type Line, line, spans } from './line.ts';
import { type Look, type Style, signs } from './look.ts';
import { drawOverlay } from './overlay.ts';
import { chatPane } from './pane/chat.ts';
import { healthPane, plots } from './pane/health.ts';
import { logPane } from './pane/log.ts';
import { modelsPane } from './pane/models.ts';
import { type DrawPane, megabytes } from './pane/pane.ts';
import { pluginsPane } from './pane/plugins.ts';
import { turnsPane } from './pane/turns.ts';
import type { Row } from './screen.ts';
import { type Pane, panes, running, type State } from './state.ts';
import { characters, cut, fit, oneLine, safe, tail, width } from './text.ts';

const drawn: Record<Pane, DrawPane> = {
  chat: chatPane,
  turns: turnsPane,
  plugins: pluginsPane,
  log: logPane,
  models: modelsPane,
  health: healthPane,
};
/** From here on the chat has the monitor beside it. */
const wideColumns = 110;
/** Below this nothing can be read. */
const least = { columns: 20, rows: 6 };

/** The whole screen for a size. Only the scroll positions of the state are changed: they are kept within what there is. */
export function frame(state: State, columns: number, rows: number, look: Look, now = Date.now()): Row[] {
  if (columns < least.columns || rows < least.rows) return [{ left: line('px tui: too small') }];
  const { view } = state;
  const top = [titleRow(state, columns, look), tabsRow(state, columns, look)];
  const bottom = [noticeRow(state, look, now), inputRow(state, columns, look), keysRow(state, columns)].filter(
    (row) => row !== undefined,
  );
  const height = Math.max(1, rows - top.length - bottom.length);
  const body: Row[] = view.overlay
    ? overlayRows(state, columns, height, look)
    : columns >= wideColumns
      ? wideRows(state, columns, height, look, now)
      : paneRows(state, view.pane, columns, height, look, now).map((left) => ({ left }));
  while (body.length < height) body.push({ left: [] });
  return [...top.map((left) => ({ left })), ...body.slice(0, height), ...bottom.map((left) => ({ left }))];
}

/** How many rows one page is. */
export function pageRows(rows: number): number {
  return Math.max(1, rows - 7);
}

function titleRow(state: State, columns: number, look: Look): Line {
  const sign = signs(look);
  const link: Record<State['link'], [string, Style]> = {
    live: [`${sign.dot} live`, 'good'],
    connecting: [`${sign.more} connecting`, 'warn'],
    lost: [`${sign.no} no connection, trying again`, 'bad'],
  };
  const { status } = state;
  const model = state.model ?? status?.model.ref ?? '';
  const now = running(state).length;
  return spans(
    ['px ', 'bold'],
    link[state.link],
    [`  ${cut(oneLine(state.conversation, look), Math.max(8, Math.floor(columns / 4)), sign.more)}`, 'title'],
    [`  ${cut(oneLine(model, look), Math.max(8, Math.floor(columns / 3)), sign.more)}`],
    [status ? `  ${megabytes(status.memory.rssBytes)}` : '', 'dim'],
    [now > 0 ? `  ${now} running` : '', 'warn'],
  );
}

function tabsRow(state: State, columns: number, look: Look): Line {
  const short = columns < 70;
  return panes.flatMap((pane, i) => {
    const here = pane === state.view.pane;
    const name = `${pane[0]?.toUpperCase()}${pane.slice(1)}`;
    const bad = pane === 'plugins' && [...state.plugins.values()].some((one) => one.denied + one.failed > 0);
    const text = short && !here ? `${i + 1}` : `${i + 1} ${name}${bad ? '!' : ''}`;
    return spans([` ${text} `, here ? 'picked' : 'plain'], [short ? '' : signs(look).bar, 'dim']);
  });
}

function paneRows(state: State, pane: Pane, columns: number, height: number, look: Look, now: number): Line[] {
  const { head, body, anchor } = drawn[pane](state, columns, look, now);
  const { scroll, rows } = state.view;
  const top = head.slice(0, Math.max(0, height - 3));
  const room = height - top.length;
  const most = Math.max(0, body.length - room);
  const grown = body.length - rows[pane];
  if (anchor === 'end' && scroll[pane] > 0 && grown > 0) scroll[pane] += grown;
  rows[pane] = body.length;
  scroll[pane] = Math.max(0, Math.min(scroll[pane], most));
  const from = anchor === 'end' ? most - scroll[pane] : scroll[pane];
  const shown = body.slice(from, from + room);
  if (anchor === 'end' && scroll[pane] > 0)
    shown[room - 1] = line(`-- ${scroll[pane]} more rows below (End) --`, 'warn');
  // A short conversation stands at the bottom, beside where one types.
  const gap = anchor === 'end' && pane === 'chat' ? Math.max(0, room - shown.length) : 0;
  return [...top, ...Array.from({ length: gap }, () => []), ...shown];
}

/** The chat at the left; at the right the pane that is looked at, or with the chat itself the whole monitor in short. */
function wideRows(state: State, columns: number, height: number, look: Look, now: number): Row[] {
  const { pane } = state.view;
  const leftColumns = Math.floor(columns * (pane === 'chat' ? 0.5 : 0.4));
  const rightColumns = columns - leftColumns - 2;
  const left = paneRows(state, 'chat', leftColumns - 1, height, look, now);
  const right =
    pane === 'chat'
      ? overview(state, rightColumns, height, look, now)
      : paneRows(state, pane, rightColumns, height, look, now);
  const bar = signs(look).bar;
  return Array.from({ length: height }, (_, i) => ({
    left: left[i] ?? [],
    right: { column: leftColumns + 1, line: [{ text: `${bar} `, style: 'dim' as const }, ...(right[i] ?? [])] },
  }));
}

function overview(state: State, columns: number, height: number, look: Look, now: number): Line[] {
  const title = (text: string): Line => {
    const rule = signs(look).rule;
    return spans([`${text} `, 'title'], [rule.repeat(Math.max(0, columns - text.length - 1)), 'dim']);
  };
  const { turns, plugins, log } = drawn;
  const rest = Math.max(3, height - 6);
  const part = Math.floor(rest / 3);
  const filled = (lines: Line[], rows: number) => Array.from({ length: rows }, (_, i) => lines[i] ?? []);
  return [
    title('Health'),
    ...plots(state, columns, look),
    title('Turns'),
    ...filled(turns(state, columns, look, now).body.slice(0, part), part),
    title('Plugins'),
    ...filled(plugins(state, columns, look, now).body.slice(-part), part),
    title('Log'),
    ...log(state, columns, look, now).body.slice(-(rest - 2 * part)),
  ];
}

function overlayRows(state: State, columns: number, height: number, look: Look): Row[] {
  const { overlay } = state.view;
  return overlay ? drawOverlay(overlay, columns, height, look).map((left) => ({ left })) : [];
}

/** One that asks to be let in, or the last thing worth a line; no row when there is neither. */
function noticeRow(state: State, look: Look, now: number): Line | undefined {
  const { toast } = state.view;
  if (toast && toast.until > now) return line(oneLine(toast.text, look), toast.bad ? 'bad' : 'good');
  // Over the panes its keys mean something else.
  if (state.view.overlay) return undefined;
  const question = state.approvals[0];
  if (question) {
    const more = state.approvals.length > 1 ? ` (and ${state.approvals.length - 1} more)` : '';
    const what = `px asks: ${oneLine(question.tool, look)} in ${oneLine(question.conversation, look)}${more}`;
    return spans([`${what}  `, 'warn'], [state.view.typing ? 'Esc, then a: look, d: no' : 'a: look, d: no', 'bold']);
  }
  const asks = state.pairings[0];
  if (!asks) return undefined;
  const who = `${oneLine(asks.sender, look)} on ${oneLine(asks.channel, look)} asks to talk to px (code ${oneLine(asks.code, look)})`;
  return spans(
    [`${who}  `, 'warn'],
    [state.view.typing ? 'Esc, then a: let in, d: turn away' : 'a: let in, d: turn away', 'bold'],
  );
}

function inputRow(state: State, columns: number, look: Look): Line | undefined {
  const { input, typing, pane, overlay } = state.view;
  if (overlay || (pane !== 'chat' && !typing)) return undefined;
  const sign = signs(look);
  const prompt: [string, Style] = [`${sign.prompt} `, typing ? 'person' : 'dim'];
  if (!typing && input.text === '') return spans(prompt, ['i: type a message', 'dim']);
  const flat = (text: string) => safe(text, look).replaceAll('\n', look.ascii ? '\\n' : '⏎');
  const after = characters(flat(input.text.slice(input.caret)));
  const under = after.shift() ?? ' ';
  const room = columns - 3 - width(under);
  const right = cut(
    after.join(''),
    Math.min(room, Math.max(Math.floor(columns / 3), room - width(flat(input.text.slice(0, input.caret))))),
  );
  const left = tail(flat(input.text.slice(0, input.caret)), Math.max(0, room - width(right)));
  return spans(prompt, [left], [under, typing ? 'picked' : 'plain'], [right]);
}

function keysRow(state: State, columns: number): Line {
  const { view } = state;
  const keys = view.overlay
    ? view.overlay.kind === 'help' || view.overlay.kind === 'ask'
      ? ['Esc close']
      : ['Enter choose', 'up/down', 'Esc close']
    : view.typing
      ? ['Enter send', 'Tab pane', 'PgUp/PgDn scroll', 'Esc keys', 'F1 help', 'Ctrl-C stop/quit']
      : ['i type', '/ search', 'm model', 'c conversation', 'l level', 'y copy', '? help', 'q quit'];
  let text = '';
  for (const key of keys) if (width(text) + width(key) + 2 <= columns) text += `${key}  `;
  return line(fit(text, columns), 'dim');
}
