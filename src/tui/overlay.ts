import type { Approval } from '../wire/wire.ts';
import { drawChanges } from './changes.ts';
import { fitting } from './fitting.ts';
import { type Line, line, plain, spans } from './line.ts';
import { type Look, signs } from './look.ts';
import type { Overlay } from './state.ts';
import { cut, fit, oneLine, tail, width, wrap } from './text.ts';

/** At most 17: a screen of 24 rows has room for no more. */
const help: [keys: string, does: string][] = [
  ['Tab, Shift-Tab, left, right', 'next or previous pane'],
  ['1 … 6, Alt-1 … Alt-6', 'a pane by its number (Alt also while typing)'],
  ['Esc', 'stop typing: letters are keys then'],
  ['q, Ctrl-C twice', 'quit'],
  ['i, Enter', 'type a message'],
  ['Enter, Ctrl-J', 'send; a new line in the message'],
  ['up, down', 'messages said before; while not typing, scroll'],
  ['PgUp, PgDn, Home, End', 'scroll'],
  ['/', 'search memory'],
  ['u', 'what was changed in notes, and take it back'],
  ['m', 'switch the model of this conversation'],
  ['c', 'another conversation'],
  ['l', 'log level that is shown'],
  ['s', 'stop the running turn'],
  ['y', 'copy the last answer (OSC 52)'],
  ['a, d', 'look and allow, or refuse; who asks to pair, too'],
  ['Ctrl-L, Ctrl-Z', 'draw anew; to the shell, fg comes back'],
];

/** The choices of a list that fit what was typed, best first. */
export function choices(overlay: Extract<Overlay, { kind: 'pick' }>): string[] {
  return fitting(overlay.choices, overlay.query);
}

/** An overlay's title and rows, at most `rows` of them and `columns` wide. */
export function drawOverlay(overlay: Overlay, columns: number, rows: number, look: Look): Line[] {
  const inner = columns - 4;
  const sign = signs(look);
  const asked = (label: string, query: string) =>
    spans(
      [`${label} `, 'title'],
      [tail(oneLine(query, look), Math.max(0, inner - width(label) - 3))],
      [sign.cursor, 'bold'],
    );
  if (overlay.kind === 'help') {
    const keys = Math.min(28, Math.max(10, inner - 30));
    const lines = help.map(([key, does]) => spans([`${fit(oneLine(key, look), keys, sign.more)} `, 'bold'], [does]));
    return frame([line('Keys', 'title'), ...lines.slice(0, rows - 3)], columns, look);
  }
  if (overlay.kind === 'ask') return frame(question(overlay.approval, inner, rows - 2, look), columns, look);
  const room = Math.max(1, rows - 4);
  if (overlay.kind === 'changes') return frame(drawChanges(overlay, inner, room - 1, look), columns, look);
  if (overlay.kind === 'pick') {
    const all = choices(overlay);
    const label = overlay.what === 'model' ? 'Model' : 'Conversation';
    const from = Math.max(0, Math.min(overlay.at - room + 1, all.length - room));
    const shown = all
      .slice(from, from + room)
      .map((choice, i) =>
        line(fit(oneLine(choice, look), inner, sign.more), from + i === overlay.at ? 'picked' : 'plain'),
      );
    const none =
      overlay.what === 'conversation' && overlay.query !== ''
        ? 'Enter: a new conversation of this name'
        : 'Nothing fits.';
    return frame(
      [asked(label, overlay.query), line(''), ...(shown.length > 0 ? shown : [line(none, 'dim')])],
      columns,
      look,
    );
  }
  const body: Line[] = [];
  for (const [i, hit] of overlay.hits.entries()) {
    const style = i === overlay.at ? 'picked' : 'bold';
    body.push(
      line(cut(`${oneLine(hit.path, look)}#${hit.line} ${oneLine(hit.heading, look)}`, inner, sign.more), style),
    );
    const text = wrap(oneLine(hit.snippet, look), inner - 2);
    const most = i === overlay.at ? 6 : 1;
    body.push(...text.slice(0, most).map((row) => line(`  ${row}`, i === overlay.at ? 'plain' : 'dim')));
  }
  const picked = body.findIndex((row) => row[0]?.style === 'picked');
  const from = Math.max(0, Math.min(picked, body.length - room));
  const empty = overlay.busy ? 'searching' : overlay.asked === '' ? 'Enter: search' : 'Nothing found.';
  const shown = body.length > 0 ? body.slice(from, from + room) : [line(empty, 'dim')];
  return frame([asked('Search memory', overlay.query), line(''), ...shown], columns, look);
}

/** All of a question; the keys that answer it stand where they are seen, however long it is. */
function question(approval: Approval, inner: number, rows: number, look: Look): Line[] {
  const { tool, origin, arguments: args, conversation, asked, reason, labels } = approval;
  const told = (label: string, text: string): Line[] =>
    wrap(`${label}: ${oneLine(text, look)}`, inner).map((row) => line(row));
  const head = line(cut(`May I use ${oneLine(tool, look)}? (${oneLine(origin, look)})`, inner), 'title');
  const keys = line('a: once   s: until /new   h: an hour   d: no   Esc: later', 'bold');
  const body = [
    ...told('with', args),
    ...told('why I ask', reason),
    ...told('asked by', `${asked} in ${conversation}`),
    ...(labels.length > 0 ? told('read before', labels.join(', ')) : []),
  ];
  return [head, keys, line(''), ...body.slice(0, Math.max(1, rows - 3))];
}

/** Lines in a box. */
function frame(lines: Line[], columns: number, look: Look): Line[] {
  const sign = signs(look);
  const rule = line(sign.rule.repeat(columns), 'dim');
  const rows = lines.map((row) => {
    const rest = columns - 3 - width(plain(row));
    return [
      { text: ' ', style: 'plain' as const },
      ...row,
      { text: ' '.repeat(Math.max(0, rest)), style: 'plain' as const },
    ];
  });
  return [rule, ...rows, rule];
}
