import { draw, fitLine, type Line } from './line.ts';
import type { Look } from './look.ts';
import type { Terminal } from './terminal.ts';

/** A row of the screen: its left part, and where there are two columns, the right one with the column it begins at (from 1). */
export interface Row {
  left: Line;
  right?: { column: number; line: Line };
}

/**
 * Puts frames on a terminal, sending only the rows that changed. Each part is placed by its column and the rest of a row is
 * erased, so that a terminal that measures a character otherwise than we do cannot shift what stands beside it.
 */
export function createScreen(terminal: Terminal, look: Look) {
  let shown: string[] = [];
  return {
    paint(rows: Row[]): void {
      const now = rows.slice(0, terminal.rows).map((row) => rowBytes(row, terminal.columns, look));
      let out = '';
      for (const [i, bytes] of now.entries()) if (bytes !== shown[i]) out += `\u001b[${i + 1};1H\u001b[2K${bytes}`;
      for (let i = now.length; i < Math.min(shown.length, terminal.rows); i++) out += `\u001b[${i + 1};1H\u001b[2K`;
      shown = now;
      // One update for a terminal that knows it (2026); others ignore the marks.
      if (out !== '') terminal.write(`\u001b[?2026h${out}\u001b[?2026l`);
    },
    /** Everything is sent anew with the next frame: after a resize, or when something else has drawn. */
    forget(): void {
      shown = [];
      terminal.write('\u001b[0m\u001b[2J');
    },
  };
}

function rowBytes({ left, right }: Row, columns: number, look: Look): string {
  const room = right ? right.column - 1 : columns;
  const bytes = draw(fitLine(left, room), look);
  if (!right) return bytes;
  const rest = draw(fitLine(right.line, columns - right.column + 1), look);
  return `${bytes}\u001b[${right.column}G${rest}`;
}
