import { printable } from '../log/log.ts';
import type { Look } from './look.ts';

/** The most marks one character may carry: more of them would climb over the lines around it. */
const maxMarks = 6;
const tabWidth = 4;

/** Characters that take room and show nothing, or nothing at all: tags, fillers, joiners of letters. */
const invisible =
  /[\u{e0000}-\u{e0fff}]|[\ufff0-\ufff8]|\u034f|\u115f|\u1160|\u17b4|\u17b5|[\u180b-\u180f]|\u3164|\uffa0/gu;

const punctuation: Record<string, string> = {
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  '…': '...',
  '•': '*',
  '·': '.',
  '→': '->',
  '×': 'x',
  ß: 'ss',
  '✓': '+',
  '✔': '+',
  '✗': 'x',
  '│': '|',
  '─': '-',
};

/**
 * Text of a stranger (a person, model, tool or guest), safe to draw: control, escape and bidirectional characters become visible,
 * invisible tag characters too, marks piled on one character are cut, tabs become spaces. Newlines stay.
 */
export function safe(text: string, look: Look): string {
  let clean = printable(text.replace(/\r\n?/g, '\n').replaceAll('\t', ' '.repeat(tabWidth)));
  if (!/[^\n\u0020-\u007e]/.test(clean)) return clean;
  clean = clean
    .replaceAll('\u00ad', '')
    .replace(invisible, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16)}`)
    .replace(/\p{M}{2,}/gu, (marks) => [...marks].slice(0, maxMarks).join(''))
    // A surrogate that stands alone is no character.
    .toWellFormed();
  return look.ascii ? asciiOf(clean) : clean;
}

/** A text on one line: {@link safe}, its lines joined by spaces. */
export function oneLine(text: string, look: Look): string {
  return safe(text, look).replace(/\s*\n\s*/g, ' ');
}

/** The nearest ASCII: accents dropped, quotes and dashes plain, a `?` for each column of what has none. */
function asciiOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^\n\u0020-\u007e]/gu, (c) => punctuation[c] ?? '?'.repeat(Math.max(0, Bun.stringWidth(c))));
}

/** Columns a text takes. */
export function width(text: string): number {
  return /^[\u0020-\u007e]*$/.test(text) ? text.length : Bun.stringWidth(text);
}

let segmenter: Intl.Segmenter | undefined;

/** The characters a person sees; one of them is never torn apart. */
export function characters(text: string): string[] {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), (part) => part.segment);
}

/** As much of a text as fits into `columns`; `more` stands at the end of what was cut. */
export function cut(text: string, columns: number, more = ''): string {
  if (width(text) <= columns) return text;
  const room = columns - width(more);
  if (room < 0) return cut(more, columns);
  let out = '';
  let used = 0;
  for (const char of characters(text)) {
    const wide = width(char);
    if (used + wide > room) break;
    out += char;
    used += wide;
  }
  return out + more;
}

/** The end of a text that fits into `columns`. */
export function tail(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let out = '';
  let used = 0;
  for (const char of characters(text).reverse()) {
    const wide = width(char);
    if (used + wide > columns) break;
    out = char + out;
    used += wide;
  }
  return out;
}

/** A text filled up with spaces, or cut, to exactly `columns`. */
export function fit(text: string, columns: number, more = ''): string {
  const shown = cut(text, columns, more);
  return shown + ' '.repeat(Math.max(0, columns - width(shown)));
}

/** A text as lines of at most `columns`, broken between words where possible. An empty text is one empty line. */
export function wrap(text: string, columns: number): string[] {
  if (columns < 1) return [];
  return text.split('\n').flatMap((line) => wrapLine(line, columns));
}

function wrapLine(line: string, columns: number): string[] {
  if (width(line) <= columns) return [line];
  const out: string[] = [];
  let now = '';
  let used = 0;
  const flush = () => {
    out.push(now.trimEnd());
    now = '';
    used = 0;
  };
  for (const word of line.split(/(?<= )(?! )/)) {
    const bare = width(word.trimEnd());
    if (used > 0 && used + bare > columns) flush();
    if (bare > columns) {
      for (const char of characters(word)) {
        const wide = width(char);
        if (used + wide > columns) flush();
        now += char;
        used += wide;
      }
      continue;
    }
    now += word;
    used += width(word);
  }
  if (now.trim() !== '' || out.length === 0) out.push(now.trimEnd());
  return out;
}
