import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { appendFile, makeFolder } from '../memory/memory.ts';

/** One model call, as the ledger keeps it. */
export interface LedgerRow {
  /** Local time with its offset: `2026-11-22 21:50:15 +00:00`. The first ten characters are the day it counts for. */
  at: string;
  /** `channel/chat`, or empty for a call outside a conversation. */
  conversation: string;
  turn: string;
  /** The plugin whose message caused it; empty for the owner's own surfaces. */
  plugin: string;
  model: string;
  input: number;
  cached: number;
  output: number;
  usd: number;
  /** Where the price is from, and what is estimated. */
  note: string;
}

const columns = ['time', 'conversation', 'turn', 'plugin', 'model', 'input', 'cached', 'output', 'USD', 'note'];

/** The spending of a home: `memory/ledger/YYYY-MM.md`, a table a month, a row a model call. It is the only record of what was spent. */
export class Ledger {
  readonly #folder: string;
  #last: Promise<void> = Promise.resolve();
  #pending = 0;
  /** The file written last and how large it was then: as long as it is, it ends in a whole row. */
  #known: { file: string; size: number } | undefined;
  /** Rows that wait for the write under way, to go in one write of their own. */
  #waiting: { rows: LedgerRow[]; done: Promise<void> } | undefined;

  constructor(memoryFolder: string) {
    this.#folder = join(memoryFolder, 'ledger');
  }

  /** Months that have a file, oldest first. */
  months(): string[] {
    try {
      return readdirSync(this.#folder)
        .flatMap((name) => /^(\d{4}-\d{2})\.md$/.exec(name)?.[1] ?? [])
        .sort();
    } catch {
      return [];
    }
  }

  /** The rows of a month; lines that are none are passed over. */
  read(month: string): LedgerRow[] {
    try {
      return readFileSync(this.#file(month), 'utf8').split('\n').flatMap(parseRow);
    } catch {
      return [];
    }
  }

  /** Changes whenever somebody else changed the file of a month; undefined while px itself writes. */
  stamp(month: string): string | undefined {
    if (this.#pending > 0) return undefined;
    const stats = statSync(this.#file(month), { throwIfNoEntry: false });
    return stats ? `${stats.size} ${stats.mtimeMs}` : '';
  }

  /** Appends a row, after all rows before it. Rejects when the disk refuses. */
  append(row: LedgerRow): Promise<void> {
    if (this.#waiting && this.#waiting.rows[0]?.at.slice(0, 7) === row.at.slice(0, 7)) {
      this.#waiting.rows.push(row);
      return this.#waiting.done;
    }
    this.#pending++;
    const rows = [row];
    const done = this.#last
      .then(() => {
        if (this.#waiting?.rows === rows) this.#waiting = undefined;
        return this.#write(rows);
      })
      .finally(() => this.#pending--);
    this.#waiting = { rows, done };
    this.#last = done.catch(() => {});
    return done;
  }

  /** Resolves when everything is written. */
  idle(): Promise<void> {
    return this.#last;
  }

  /** Rows of one month. */
  async #write(rows: LedgerRow[]): Promise<void> {
    const month = rows[0]?.at.slice(0, 7) ?? '';
    const file = this.#file(month);
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0) await makeFolder(this.#folder);
    const before = size === 0 ? head(month) : (await this.#isTorn(file, size)) ? '\n' : '';
    const bytes = Buffer.from(`${before}${rows.map((row) => `${formatRow(row)}\n`).join('')}`);
    this.#known = undefined;
    await appendFile(file, bytes);
    this.#known = { file, size: size + bytes.length };
  }

  /** Whether the last row was cut off. */
  async #isTorn(file: string, size: number): Promise<boolean> {
    if (this.#known?.file === file && this.#known.size === size) return false;
    const end = Bun.file(file).slice(size - 1);
    return !(await end.text()).endsWith('\n');
  }

  #file(month: string): string {
    return join(this.#folder, `${month}.md`);
  }
}

function head(month: string): string {
  return [
    `# Spent in ${month}`,
    '',
    'One row a model call, written by px; `px usage` adds them up. Spending caps are counted from these rows.',
    '',
    `| ${columns.join(' | ')} |`,
    `|${columns.map((_, at) => (at >= 5 && at <= 8 ? '---:' : '---')).join('|')}|`,
    '',
  ].join('\n');
}

function formatRow(row: LedgerRow): string {
  const cells = [row.at, row.conversation, row.turn, row.plugin, row.model, row.input, row.cached, row.output];
  return `| ${[...cells, row.usd.toFixed(8), row.note].map(cell).join(' | ')} |`;
}

/** No cell can end its row or its column. */
function cell(value: string | number): string {
  return String(value).replaceAll('&', '&amp;').replaceAll('|', '&#124;').replace(/\s+/g, ' ').trim();
}

function parseRow(line: string): LedgerRow[] {
  if (!/^\| \d{4}-\d{2}-\d{2} /.test(line)) return [];
  const cells = line
    .split('|')
    .slice(1, -1)
    .map((text) => text.trim().replaceAll('&#124;', '|').replaceAll('&amp;', '&'));
  if (cells.length !== columns.length) return [];
  const [at = '', conversation = '', turn = '', plugin = '', model = '', ...rest] = cells;
  const [input = 0, cached = 0, output = 0, usd = 0] = rest.slice(0, 4).map(Number);
  if (![input, cached, output, usd].every((n) => Number.isFinite(n) && n >= 0)) return [];
  return [{ at, conversation, turn, plugin, model, input, cached, output, usd, note: rest[4] ?? '' }];
}

/** The time as a ledger row has it. */
export function ledgerTime(now = new Date()): string {
  const offset = -now.getTimezoneOffset();
  const local = new Date(now.getTime() + offset * 60_000).toISOString();
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const zone = `${offset < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${zone}`;
}
