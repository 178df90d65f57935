/** How a text was changed to fit a Markdown line; written in an entry's data, so that reading undoes it exactly. */
export interface TextMarks {
  /** Every line of the original ended in CR LF. */
  crlf?: true;
  /** Control characters and lone surrogates stand as `\x00`, `\r`, `\ud800`, and a backslash as `\\`. */
  esc?: true;
}

/** Characters that a text file should not hold, or that UTF-8 cannot: controls but tab and newline, and lone surrogates. */
const unfit = /[\0-\x08\x0b-\x1f\x7f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const closerLike = /^(\\*<!-- px)/gm;

/** The marks that all of these texts together need: `{}` for ordinary text, which then stands in the file as it is. */
export function marksFor(texts: string[]): TextMarks {
  const marks: TextMarks = {};
  if (texts.some((text) => text.includes('\r\n')) && texts.every((text) => !/(^|[^\r])\n/.test(text)))
    marks.crlf = true;
  const lines = marks.crlf ? texts.map((text) => text.replaceAll('\r\n', '\n')) : texts;
  if (lines.some((text) => text.search(unfit) >= 0)) marks.esc = true;
  return marks;
}

/** A text as it stands in the journal: itself, but for the marks and for lines that look like an entry's closing line. */
export function encodeText(text: string, marks: TextMarks): string {
  let out = marks.crlf ? text.replaceAll('\r\n', '\n') : text;
  if (marks.esc) {
    out = out
      .replaceAll('\\', '\\\\')
      .replace(unfit, (c) =>
        c === '\r'
          ? '\\r'
          : c.charCodeAt(0) < 256
            ? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`
            : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
  }
  return out.replace(closerLike, '\\$1');
}

/** The reverse of {@link encodeText}. */
export function decodeText(text: string, marks: TextMarks): string {
  let out = text.replace(/^\\(\\*<!-- px)/gm, '$1');
  if (marks.esc) {
    out = out.replace(/\\(?:(\\)|(r)|x([0-9a-f]{2})|u([0-9a-f]{4}))/g, (_, slash, cr, byte, unit) =>
      slash ? '\\' : cr ? '\r' : String.fromCharCode(Number.parseInt(byte ?? unit, 16)),
    );
  }
  return marks.crlf ? out.replaceAll('\n', '\r\n') : out;
}

/** A JSON value that cannot end an HTML comment nor break a line. */
export function commentJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>\u2028\u2029\x7f-\x9f]|-(?=-)/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One short line for a heading: no line breaks, controls or broken characters. Decoration only: the truth is in the entry's data. */
export function oneLine(text: string, max = 80): string {
  const line = text
    .toWellFormed()
    .replace(/[\s\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replace(/[`<>]/g, '')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1).toWellFormed()}…` : line;
}

/** A code fence longer than any run of backticks in the text. */
export function fenceFor(text: string): string {
  let longest = 2;
  for (const run of text.matchAll(/`{3,}/g)) longest = Math.max(longest, run[0].length);
  return '`'.repeat(longest + 1);
}

/** The line that closes a code fence which a Markdown text leaves open, so that what follows is not drawn as code; or undefined. */
export function openFence(text: string): string | undefined {
  let open: string | undefined;
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
    if (!mark) continue;
    const [, run = '', rest = ''] = mark;
    if (open === undefined) {
      if (!(run[0] === '`' && rest.includes('`'))) open = run;
    } else if (run[0] === open[0] && run.length >= open.length && rest.trim() === '') open = undefined;
  }
  return open;
}
