/** How the terminal is drawn on: what it can show. */
export interface Look {
  /** Only ASCII: for `--ascii` and locales that are not UTF-8. */
  ascii: boolean;
  /** The console of Linux itself: its fonts have letters and lines, but no ticks and no bars of eighths. */
  linuxConsole?: boolean;
  /** False with `NO_COLOR`: weight, underline and reverse stay. */
  colour: boolean;
}

/** What a piece of text means; the look decides how that is shown. */
export type Style =
  | 'plain'
  | 'bold'
  | 'italic'
  | 'bold-italic'
  | 'struck'
  | 'link'
  | 'code'
  | 'dim'
  | 'person'
  | 'agent'
  | 'tool'
  | 'good'
  | 'warn'
  | 'bad'
  | 'title'
  | 'picked';

/** SGR parameters: with colours, and without. */
const codes: Record<Style, [colour: string, mono: string]> = {
  plain: ['', ''],
  bold: ['1', '1'],
  italic: ['3', '3'],
  'bold-italic': ['1;3', '1;3'],
  struck: ['9', '9'],
  link: ['4', '4'],
  code: ['36', ''],
  dim: ['2', '2'],
  person: ['1;36', '1'],
  agent: ['1;32', '1'],
  tool: ['35', '2'],
  good: ['32', ''],
  warn: ['33', '1'],
  bad: ['1;31', '1'],
  title: ['1;34', '1'],
  picked: ['7', '7'],
};

/** Text in a style, as bytes for the terminal. The text must be safe already. */
export function styled(text: string, style: Style, look: Look): string {
  const code = codes[style][look.colour ? 0 : 1];
  return code === '' || text === '' ? text : `\u001b[${code}m${text}\u001b[0m`;
}

const drawn = {
  bar: '│',
  rule: '─',
  dot: '●',
  bullet: '•',
  ok: '✓',
  no: '✗',
  more: '…',
  prompt: '›',
  cursor: '▏',
  plot: ' ▁▂▃▄▅▆▇█',
};
const onConsole: typeof drawn = { ...drawn, ok: '+', no: 'x', cursor: '_', plot: ' ░▒█' };
const typed: typeof drawn = {
  bar: '|',
  rule: '-',
  dot: '*',
  bullet: '-',
  ok: '+',
  no: 'x',
  more: '~',
  prompt: '>',
  cursor: '_',
  plot: ' .:-=+*#',
};

/** Signs with a meaning, for a look. */
export const signs = (look: Look): typeof drawn => (look.ascii ? typed : look.linuxConsole ? onConsole : drawn);

/** The last values as a plot one row high, scaled from 0 to the largest; newest at the right. */
export function sparkline(values: readonly number[], width: number, look: Look): string {
  const { plot } = signs(look);
  const shown = values.slice(-Math.max(0, width));
  const top = Math.max(...shown, Number.EPSILON);
  return shown
    .map((value) => plot[value <= 0 ? 0 : Math.max(1, Math.round((value / top) * (plot.length - 1)))] ?? ' ')
    .join('')
    .padStart(width);
}
