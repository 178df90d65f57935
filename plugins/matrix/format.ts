import { escapeHtml, fenced, headingOf, type Item, inline, isRule, itemOf, run, tableAt } from '../markdown.ts';

/** Deepest quote and list that is shown as one. */
const deepest = 8;

/**
 * The model's Markdown as Matrix's HTML (the tags that the client-server API allows). Nothing when the text is plain: then its words
 * alone are sent.
 */
export function toHtml(markdown: string): string | undefined {
  const html = blocks(markdown.replace(/\r\n?/g, '\n').split('\n'), 0);
  const bare = escapeHtml(markdown.trim()).replaceAll('\n', '<br>');
  return html === bare || html === '' ? undefined : html;
}

const words = (text: string) => inline(text, 'span data-mx-spoiler');
const isQuote = (line: string) => /^ {0,3}>/.test(line);

function blocks(lines: string[], depth: number): string {
  const out: string[] = [];
  const paragraphs: number[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] ?? '';
    const code = fenced(lines, i);
    const table = tableAt(lines, i);
    const heading = headingOf(line);
    if (code) {
      out.push(code.html);
      i = code.next;
    } else if (isQuote(line) && depth < deepest) {
      const quote = run(lines, i, isQuote);
      const inner = quote.map((l) => l.replace(/^ {0,3}> ?/, ''));
      out.push(`<blockquote>${blocks(inner, depth + 1)}</blockquote>`);
      i += quote.length;
    } else if (table) {
      out.push(tableHtml(table.rows));
      i = table.next;
    } else if (heading) {
      out.push(`<h${heading.level}>${words(heading.text)}</h${heading.level}>`);
      i++;
    } else if (isRule(line)) {
      out.push('<hr>');
      i++;
    } else if (itemOf(line)) {
      const list = run(lines, i, (l) => itemOf(l) !== undefined);
      out.push(listHtml(list.flatMap((l) => itemOf(l) ?? [])));
      i += list.length;
    } else if (line.trim() === '') i++;
    else {
      let end = i + 1;
      while (end < lines.length && !beginsAnother(lines, end)) end++;
      paragraphs.push(out.length);
      out.push(lines.slice(i, end).map(words).join('<br>'));
      i = end;
    }
  }
  // One paragraph alone needs no mark of one.
  if (out.length > 1) for (const at of paragraphs) out[at] = `<p>${out[at]}</p>`;
  return out.join('');
}

/** Whether a line ends the paragraph before it. */
function beginsAnother(lines: string[], at: number): boolean {
  const line = lines[at] ?? '';
  return (
    line.trim() === '' ||
    /^ {0,3}(?:`{3}|~{3})/.test(line) ||
    isQuote(line) ||
    isRule(line) ||
    headingOf(line) !== undefined ||
    itemOf(line) !== undefined ||
    tableAt(lines, at) !== undefined
  );
}

function tableHtml([heads = [], ...rows]: string[][]): string {
  const row = (cells: string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${words(cell)}</${tag}>`).join('')}</tr>`;
  const body = rows.map((cells) => row(cells, 'td')).join('');
  return `<table><thead>${row(heads, 'th')}</thead><tbody>${body}</tbody></table>`;
}

/** Lists, and the lists in them, by how far their items stand in. */
function listHtml(items: Item[], depth = 0): string {
  const width = ({ indent }: Item) => indent.replaceAll('\t', '    ').length;
  const out: string[] = [];
  let open = '';
  for (let i = 0; i < items.length; ) {
    const [item, ...after] = items.slice(i);
    if (!item) break;
    const tag = item.number === undefined ? 'ul' : 'ol';
    if (tag !== open) {
      const start = item.number === undefined || item.number === '1' ? '' : ` start="${Number(item.number)}"`;
      out.push(open && `</${open}>`, `<${tag}${start}>`);
      open = tag;
    }
    const length = after.findIndex((next) => width(next) <= width(item) + 1);
    const inner = depth < deepest ? after.slice(0, length < 0 ? undefined : length) : [];
    const box = item.box === undefined ? '' : item.box === 'open' ? '☐ ' : '☑ ';
    out.push(`<li>${box}${words(item.text)}${listHtml(inner, depth + 1)}</li>`);
    i += 1 + inner.length;
  }
  out.push(open && `</${open}>`);
  return out.join('');
}
