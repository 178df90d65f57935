/**
 * The model's Markdown as Telegram's HTML. Everything is escaped and every tag is closed in order, so that Telegram accepts whatever the
 * model wrote; what Telegram has no tag for (headings, lists, tables, rules) becomes text that reads well.
 */
export function toHtml(markdown: string): string {
  const lines = markdown.replace(/\r\n?/g, '\n').split('\n');
  const out: string[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] ?? '';
    const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/.exec(line);
    if (fence) {
      const end = lines.findIndex((l, n) => n > i && new RegExp(`^ {0,3}${fence[1]}+\\s*$`).test(l));
      const body = lines.slice(i + 1, end < 0 ? undefined : end);
      out.push(codeBlock(body.join('\n'), fence[2] ?? ''));
      i = end < 0 ? lines.length : end + 1;
    } else if (/^ {0,3}>/.test(line)) {
      const quote = run(lines, i, (l) => /^ {0,3}>/.test(l));
      out.push(`<blockquote>${quote.map((l) => block(l.replace(/^ {0,3}> ?/, ''))).join('\n')}</blockquote>`);
      i += quote.length;
    } else if (isTableRow(line) && /^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$/.test(lines[i + 1] ?? '')) {
      const rows = run(lines, i, isTableRow);
      out.push(table(rows));
      i += rows.length;
    } else {
      out.push(block(line));
      i++;
    }
  }
  return out.join('\n').trim();
}

/** Lines from `at` on while they fit. */
function run(lines: string[], at: number, fits: (line: string) => boolean): string[] {
  let end = at;
  while (end < lines.length && fits(lines[end] ?? '')) end++;
  return lines.slice(at, end);
}

/** Text with the three characters escaped that mean something in Telegram's HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function codeBlock(code: string, language: string): string {
  const inner = escapeHtml(code);
  return language
    ? `<pre><code class="language-${language.replace(/[^\w+#.-]/g, '')}">${inner}</code></pre>`
    : `<pre>${inner}</pre>`;
}

/** One line outside code: a heading, a rule, a list item or text. */
function block(line: string): string {
  const heading = /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/.exec(line);
  if (heading) return `<b>${inline((heading[1] ?? '').replace(/\*\*|__/g, ''))}</b>`;
  if (/^ {0,3}([-*_])(?:\s*\1){2,}\s*$/.test(line)) return '———';
  const item = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/.exec(line);
  if (!item) return inline(line);
  const [, indent = '', number, box, rest = ''] = item;
  const mark = box === undefined ? (number === undefined ? '•' : `${number}.`) : box === ' ' ? '☐' : '☑';
  return `${indent.replaceAll('\t', '  ')}${mark} ${inline(rest)}`;
}

const isTableRow = (line: string) => /^\s*\|.*\|\s*$/.test(line);

/** A table as aligned text. */
function table(rows: string[]): string {
  const cells = rows
    .filter((_, i) => i !== 1)
    .map((r) =>
      r
        .trim()
        .slice(1, -1)
        .split('|')
        .map((c) => c.trim().replace(/\*\*|`/g, '')),
    );
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((r) => [...(r[i] ?? '')].length)));
  const text = cells.map((r) =>
    r
      .map((c, i) => c + ' '.repeat(Math.max(0, (widths[i] ?? 0) - [...c].length)))
      .join('  ')
      .trimEnd(),
  );
  return `<pre>${escapeHtml(text.join('\n'))}</pre>`;
}

const pairs: [mark: string, tag: string][] = [
  ['***', 'b'],
  ['**', 'b'],
  ['__', 'b'],
  ['~~', 's'],
  ['||', 'tg-spoiler'],
  ['*', 'i'],
  ['_', 'i'],
];
const word = /[\p{L}\p{N}]/u;

/** What can begin formatting. */
const marks = /[\\`[!*_~|]/g;

/** Text inside a line. Marks that have no partner stay as they are. */
function inline(text: string, depth = 0): string {
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
      c === '`' ? codeSpan(text, i) : c === '[' || c === '!' ? link(text, i, depth) : emphasis(text, i, depth);
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

function link(text: string, at: number, depth: number): { html: string; end: number } | undefined {
  const found = /^!?\[((?:[^[\]]|\[[^\]]*\])*)\]\(\s*<?((?:[^()\s<>]|\([^()\s]*\))+)>?(?:\s+"[^"]*")?\s*\)/.exec(
    text.slice(at),
  );
  const [whole = '', label = '', url = ''] = found ?? [];
  if (!found || !/^(https?:|tg:|mailto:|tel:)/i.test(url)) return undefined;
  return {
    html: `<a href="${escapeHtml(url).replaceAll('"', '&quot;')}">${inline(label || url, depth + 1)}</a>`,
    end: at + whole.length,
  };
}

function emphasis(text: string, at: number, depth: number): { html: string; end: number } | undefined {
  for (const [mark, tag] of pairs) {
    if (!text.startsWith(mark, at)) continue;
    const start = at + mark.length;
    if (/^\s|^$/.test(text.slice(start, start + 1))) continue;
    if (mark.startsWith('_') && word.test(text[at - 1] ?? '')) continue;
    const end = closing(text, mark, start);
    if (end === undefined) continue;
    const inner = inline(text.slice(start, end), depth + 1);
    const html = mark === '***' ? `<b><i>${inner}</i></b>` : `<${tag}>${inner}</${tag}>`;
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
