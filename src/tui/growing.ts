import type { Line } from './line.ts';
import type { Look } from './look.ts';
import { markdownLines } from './markdown.ts';

/** Draws a Markdown text that grows, again and again: what no later word can change any more is drawn once. */
export function growingMarkdown(look: Look): (text: string, columns: number) => Line[] {
  let settled = { text: '', columns: 0, rows: [] as Line[] };
  const below = (rows: Line[], text: string, columns: number) => {
    if (rows.length === 0) return markdownLines(text, columns, look);
    return text.trim() === '' ? rows : [...rows, [], ...markdownLines(text, columns, look)];
  };
  return (text, columns) => {
    if (columns !== settled.columns || !text.startsWith(settled.text)) settled = { text: '', columns, rows: [] };
    const rest = text.slice(settled.text.length);
    const length = settledLength(rest);
    if (length > 0)
      settled = {
        text: settled.text + rest.slice(0, length),
        columns,
        rows: below(settled.rows, rest.slice(0, length), columns),
      };
    return below(settled.rows, rest.slice(length), columns);
  };
}

/**
 * How much of a Markdown text stands by itself, in characters: up to the last paragraph, heading or code that begins after an empty line. What
 * may go on with what is before it (an item of a list, something indented), or stands right below a heading, does not count.
 */
function settledLength(text: string): number {
  let [at, last, fence] = [0, 0, ''];
  let blank = false;
  let headed = false;
  for (const line of text.split('\n')) {
    if (fence === '' && blank && !headed && /^[^\s\d>|*+-]/.test(line)) last = at;
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? '';
    if (fence === '') fence = mark;
    else if (mark.startsWith(fence)) fence = '';
    blank = line.trim() === '';
    if (!blank) headed = /^ {0,3}(?:#|=+\s*$|-+\s*$)/.test(line);
    at += line.length + 1;
  }
  return last;
}
