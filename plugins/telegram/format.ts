import { alignTable, escapeHtml, fenced, headingOf, inline, isRule, itemOf, run, tableAt } from '../markdown.ts';

/**
 * The model's Markdown as Telegram's HTML. Everything is escaped and every tag is closed in order, so that Telegram accepts whatever the
 * model wrote; what Telegram has no tag for (headings, lists, tables, rules) becomes text that reads well.
 */
export function toHtml(markdown: string): string {
  const lines = markdown.replace(/\r\n?/g, '\n').split('\n');
  const out: string[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] ?? '';
    const code = fenced(lines, i);
    const table = tableAt(lines, i);
    if (code) {
      out.push(code.html);
      i = code.next;
    } else if (/^ {0,3}>/.test(line)) {
      const quote = run(lines, i, (l) => /^ {0,3}>/.test(l));
      out.push(`<blockquote>${quote.map((l) => block(l.replace(/^ {0,3}> ?/, ''))).join('\n')}</blockquote>`);
      i += quote.length;
    } else if (table) {
      out.push(`<pre>${escapeHtml(alignTable(table.rows))}</pre>`);
      i = table.next;
    } else {
      out.push(block(line));
      i++;
    }
  }
  return out.join('\n').trim();
}

const words = (text: string) => inline(text, 'tg-spoiler');

/** One line outside code: a heading, a rule, a list item or text. */
function block(line: string): string {
  const heading = headingOf(line);
  if (heading) return `<b>${words(heading.text)}</b>`;
  if (isRule(line)) return '———';
  const item = itemOf(line);
  if (!item) return words(line);
  const { indent, number, box, text } = item;
  const mark = box === undefined ? (number === undefined ? '•' : `${number}.`) : box === 'open' ? '☐' : '☑';
  return `${indent.replaceAll('\t', '  ')}${mark} ${words(text)}`;
}
