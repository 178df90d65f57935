import { type Look, type Style, styled } from './look.ts';
import { cut, width } from './text.ts';

/** A piece of a line. The text is safe and has no newline. */
interface Span {
  text: string;
  style: Style;
}

/** One row of the screen. */
export type Line = Span[];

/** A line of one style. */
export function line(text: string, style: Style = 'plain'): Line {
  return [{ text, style }];
}

/** A line of several pieces: `spans(['12:00 ', 'dim'], ['hello'])`. */
export function spans(...parts: [text: string, style?: Style][]): Line {
  return parts.map(([text, style = 'plain']) => ({ text, style }));
}

/** What a line says, without its styles. */
export function plain(row: Line): string {
  return row.map((span) => span.text).join('');
}

/** A line of exactly `columns`: cut, or filled with spaces. */
export function fitLine(row: Line, columns: number, fill: Style = 'plain'): Line {
  const out: Line = [];
  let room = columns;
  for (const span of row) {
    if (room <= 0) break;
    const text = cut(span.text, room);
    room -= width(text);
    out.push({ text, style: span.style });
    if (text.length < span.text.length) break;
  }
  return room > 0 ? [...out, { text: ' '.repeat(room), style: fill }] : out;
}

/**
 * A line as bytes for the terminal. Texts are made safe where they are measured; what slipped through there is cut off here, so that
 * no pane can forget it.
 */
export function draw(row: Line, look: Look): string {
  return row.map((span) => styled(span.text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?'), span.style, look)).join('');
}
