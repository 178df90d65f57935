import { growingMarkdown } from './growing.ts';
import { draw } from './line.ts';
import type { Look } from './look.ts';

/** The shortest time between two drawings of an answer that grows, in ms. */
const drawMs = 40;

/** Where an answer is written: a terminal that scrolls. */
interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(bytes: string): void;
}

/** Writes answers as they come. */
export interface AnswerWriter {
  /** More of the answer. */
  take(text: string): void;
  /** The answer is whole, or something else is to be written: the cursor is at the beginning of a row then. */
  end(): void;
}

/**
 * Writes Markdown of anybody to a terminal as it comes, drawn as `px tui` draws it. Rows that look otherwise once more of the text is known (a
 * table, a word whose marks are closed) are drawn anew where they stand; what has left the screen stays as it is. `every`: ms between two drawings,
 * 0 draws each piece.
 */
export function answerWriter(screen: Screen, look: Look, every = drawMs): AnswerWriter {
  const lines = growingMarkdown(look);
  let text = '';
  let columns = 0;
  let shown: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const paint = () => {
    clearTimeout(timer);
    timer = undefined;
    if (text.trim() === '') return;
    // The last column stays free: a terminal that breaks there by itself would count other rows than we do.
    if (shown.length === 0) columns = screen.columns - 1;
    const rows = lines(text, columns).map((row) => draw(row, look));
    const differs = rows.findIndex((row, i) => row !== shown[i]);
    const reached = Math.max(0, shown.length - screen.rows + 1);
    const from = Math.max(reached, Math.min(differs < 0 ? rows.length : differs, rows.length - 1));
    // Nothing to go back for: at a new answer, or below the last row.
    const up = shown.length - 1 - from;
    const start = shown.length === 0 ? '' : up < 0 ? '\r\n' : `\r${up > 0 ? `\u001b[${up}A` : ''}\u001b[J`;
    if (differs >= 0 || rows.length < shown.length) screen.write(start + rows.slice(from).join('\r\n'));
    shown = rows;
  };
  return {
    take(more) {
      text += more;
      if (every === 0) paint();
      else timer ??= setTimeout(paint, every);
    },
    end() {
      if (timer) paint();
      if (shown.length > 0) screen.write('\r\n');
      [text, shown] = ['', []];
    },
  };
}
