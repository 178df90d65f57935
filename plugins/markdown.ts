/**
 * Markdown as HTML, for platforms that show HTML: what is inside a line, and how lines are read. Everything is escaped and every tag is
 * closed in order, whatever a model wrote; what a line becomes (a heading, a list) is each platform's own.
 */

/** Text with the three characters escaped that mean something in HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Lines from `at` on while they fit. */
export function run(lines: string[], at: number, fits: (line: string) => boolean): string[] {
  let end = at;
  while (end < lines.length && fits(lines[end] ?? '')) end++;
  return lines.slice(at, end);
}

/** The code block that begins at a line, and the line after it; one that is never closed goes to the end. */
export function fenced(lines: string[], at: number): { html: string; next: number } | undefined {
  const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/.exec(lines[at] ?? '');
  if (!fence) return undefined;
  const close = new RegExp(`^ {0,3}${fence[1]}+\\s*$`);
  const end = lines.findIndex((line, n) => n > at && close.test(line));
  const code = escapeHtml(lines.slice(at + 1, end < 0 ? undefined : end).join('\n'));
  const language = fence[2];
  return {
    html: language ? `<pre><code class="language-${language}">${code}</code></pre>` : `<pre>${code}</pre>`,
    next: end < 0 ? lines.length : end + 1,
  };
}

const isTableRow = (line: string) => /^\s*\|.*\|\s*$/.test(line);

/** The table that begins at a line: its cells row by row, the heads first, and the line after it. */
export function tableAt(lines: string[], at: number): { rows: string[][]; next: number } | undefined {
  if (!isTableRow(lines[at] ?? '') || !/^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$/.test(lines[at + 1] ?? '')) return undefined;
  const found = run(lines, at, isTableRow);
  const rows = found
    .filter((_, i) => i !== 1)
    .map((row) =>
      row
        .trim()
        .slice(1, -1)
        .split('|')
        .map((c) => c.trim()),
    );
  return { rows, next: at + found.length };
}

/** A table as aligned text, for platforms that have none. */
export function alignTable(rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replace(/\*\*|`/g, '')));
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((r) => [...(r[i] ?? '')].length)));
  return cells
    .map((r) =>
      r
        .map((c, i) => c + ' '.repeat(Math.max(0, (widths[i] ?? 0) - [...c].length)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The level and the words of a heading. */
export function headingOf(line: string): { level: number; text: string } | undefined {
  const [, marks = '', text = ''] = /^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/.exec(line) ?? [];
  return marks === '' ? undefined : { level: marks.length, text: text.replace(/\*\*|__/g, '') };
}

/** Whether a line is a rule across the page. */
export const isRule = (line: string): boolean => /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/.test(line);

/** An item of a list: what stands before it, its number where it has one, its box and its words. */
export interface Item {
  indent: string;
  number: string | undefined;
  box: 'open' | 'done' | undefined;
  text: string;
}
export function itemOf(line: string): Item | undefined {
  const item = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/.exec(line);
  if (!item) return undefined;
  const [, indent = '', number, box, text = ''] = item;
  return { indent, number, box: box === undefined ? undefined : box === ' ' ? 'open' : 'done', text };
}

const pairs: [mark: string, tag: string][] = [
  ['***', 'b'],
  ['**', 'b'],
  ['__', 'b'],
  ['~~', 's'],
  ['||', ''],
  ['*', 'i'],
  ['_', 'i'],
];
const word = /[\p{L}\p{N}]/u;

/** What can begin formatting. */
const marks = /[\\`[!*_~|]/g;

/** Text inside a line. Marks that have no partner stay as they are. `spoiler` is the tag of what is hidden until it is asked for. */
export function inline(text: string, spoiler: string, depth = 0): string {
  let out = '';
  for (let i = 0; i < text.length; ) {
    // Most of a text is plain: it is taken as a whole.
    marks.lastIndex = i;
    const at = marks.exec(text)?.index ?? text.length;
    if (at > i) out += escapeHtml(text.slice(i, at));
    i = at;
    const c = text[i] ?? '';
    if (c === '') break;
    if (c === '\\' && /[\\`*_{}[\]()#+.!~|>-]/.test(text[i + 1] ?? '')) {
      out += escapeHtml(text[i + 1] ?? '');
      i += 2;
      continue;
    }
    const found =
      c === '`'
        ? codeSpan(text, i)
        : c === '[' || c === '!'
          ? link(text, i, spoiler, depth)
          : emphasis(text, i, spoiler, depth);
    if (found && depth < 8) {
      out += found.html;
      i = found.end;
    } else {
      out += escapeHtml(c);
      i++;
    }
  }
  return out;
}

function codeSpan(text: string, at: number): { html: string; end: number } | undefined {
  const mark = /^`+/.exec(text.slice(at))?.[0] ?? '`';
  const close = text.indexOf(mark, at + mark.length);
  if (close < 0) return undefined;
  return { html: `<code>${escapeHtml(text.slice(at + mark.length, close).trim())}</code>`, end: close + mark.length };
}

function link(text: string, at: number, spoiler: string, depth: number): { html: string; end: number } | undefined {
  const found = /^!?\[((?:[^[\]]|\[[^\]]*\])*)\]\(\s*<?((?:[^()\s<>]|\([^()\s]*\))+)>?(?:\s+"[^"]*")?\s*\)/.exec(
    text.slice(at),
  );
  const [whole = '', label = '', url = ''] = found ?? [];
  if (!found || !/^(https?:|tg:|mailto:|tel:)/i.test(url)) return undefined;
  return {
    html: `<a href="${escapeHtml(url).replaceAll('"', '&quot;')}">${inline(label || url, spoiler, depth + 1)}</a>`,
    end: at + whole.length,
  };
}

function emphasis(text: string, at: number, spoiler: string, depth: number): { html: string; end: number } | undefined {
  for (const [mark, tag] of pairs) {
    if (!text.startsWith(mark, at)) continue;
    const start = at + mark.length;
    if (/^\s|^$/.test(text.slice(start, start + 1))) continue;
    if (mark.startsWith('_') && word.test(text[at - 1] ?? '')) continue;
    const end = closing(text, mark, start);
    if (end === undefined) continue;
    const inner = inline(text.slice(start, end), spoiler, depth + 1);
    const html =
      mark === '***' ? `<b><i>${inner}</i></b>` : `<${tag || spoiler}>${inner}</${(tag || spoiler).split(' ')[0]}>`;
    return { html, end: end + mark.length };
  }
  return undefined;
}

/** Where the mark closes: not after a space, not inside a code span, and an underscore not inside a word. */
function closing(text: string, mark: string, start: number): number | undefined {
  for (let i = start; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '`') i = (codeSpan(text, i)?.end ?? i + 1) - 1;
    else if (text.startsWith(mark, i) && i > start && !/\s/.test(text[i - 1] ?? '')) {
      const after = text[i + mark.length] ?? '';
      if (mark.startsWith('_') && word.test(after)) continue;
      if (mark.length === 1 && after === mark) {
        i++;
        continue;
      }
      return i;
    }
  }
  return undefined;
}
