import { printable } from '../log/log.ts';

/** Where a verb reads and writes. */
export interface Io {
  /** True when a person reads stdout on a terminal. */
  readonly tty: boolean;
  /** Columns a sentence for a person may take; without a terminal it is not broken. */
  readonly columns: number;
  /** A line to stdout; control characters are made visible. */
  line(text?: string): void;
  /** Text to stdout as it comes, without a line end. */
  stream(text: string): void;
  /** A value to stdout as JSON. */
  data(value: unknown): void;
  /** A line to stderr. */
  note(text: string): void;
  /** True when a person reads stderr on a terminal. */
  readonly watched: boolean;
  /** A line to stderr that the next one takes the place of, at a terminal only; an empty one takes it away. */
  progress(text: string): void;
  /** Faint on a terminal that has colours. */
  dim(text: string): string;
  bold(text: string): string;
  /** Resolves when everything was handed to the system. */
  flush(): Promise<void>;
}

/** The process's own streams. A reader that went away (`px … | head`) is not an error. */
export function processIo(colour: boolean): Io {
  const ignore = () => {};
  process.stdout.on('error', ignore);
  process.stderr.on('error', ignore);
  const tty = process.stdout.isTTY === true;
  const watched = process.stderr.isTTY === true;
  let shown = '';
  // What px prints may come from a guest or a model: only styles made here, which it cannot guess, reach the terminal.
  const own = crypto.getRandomValues(new Uint32Array(1))[0];
  const style = (code: string) => (text: string) =>
    tty && colour ? `\u001b[${code};${own}m${text}\u001b[0;${own}m` : text;
  const made = new RegExp(`\\\\u001b(\\[[012]);${own}m`, 'g');
  const clean = (text: string) => printable(text.replace(/\r\n/g, '\n')).replace(made, '\u001b$1m');
  return {
    tty,
    watched,
    columns: process.stdout.columns ? Math.min(process.stdout.columns, 100) : Number.POSITIVE_INFINITY,
    progress: (text) => {
      if (!watched || text === shown) return;
      shown = text;
      const columns = (process.stderr.columns || 80) - 1;
      process.stderr.write(`\r\u001b[K${Bun.sliceAnsi(clean(text), 0, columns)}`);
    },
    line: (text = '') => void process.stdout.write(`${clean(text)}\n`),
    stream: (text) => void process.stdout.write(clean(text)),
    // What JSON leaves as it is and a terminal may act on is escaped too; to a program it is the same text.
    data: (value) => void process.stdout.write(`${printable(JSON.stringify(value, null, tty ? 2 : 0))}\n`),
    note: (text) => void process.stderr.write(`${clean(text)}\n`),
    dim: style('2'),
    bold: style('1'),
    flush: async () => {
      await new Promise<void>((done) => process.stdout.write('', () => done()));
      await new Promise<void>((done) => process.stderr.write('', () => done()));
    },
  };
}

/** A line broken between words, what follows below its text from column `hang` on. As it is where that would leave it little room. */
export function broken(line: string, columns: number, hang = 0): string {
  if (line.length <= columns || columns - hang < 20) return line;
  const text = Bun.wrapAnsi(line.slice(hang), columns - hang, { wordWrap: true });
  return line.slice(0, hang) + text.replaceAll('\n', `\n${' '.repeat(hang)}`);
}

/** Rows as aligned columns, each on one line: a cell cannot look like a row of its own. The last column is not padded. */
export function table(given: string[][]): string {
  const rows = given.map((row) => row.map((cell) => cell.replace(/\s*[\n\r]\s*/g, ' ')));
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, Bun.stringWidth(cell));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - Bun.stringWidth(cell))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
