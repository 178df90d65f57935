import { alignTable, headingOf, isRule, tableAt } from '../markdown.ts';

/**
 * The model's Markdown as Discord's. Most is the same there; what Discord has nothing for (tables, rules, small headings, pictures) becomes
 * what reads well, and `__bold__`, which it would underline, is written as it means it. Code stays as it is.
 */
export function toDiscord(markdown: string): string {
  const lines = markdown.replace(/\r\n?/g, '\n').split('\n');
  const out: string[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] ?? '';
    const table = tableAt(lines, i);
    const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/.exec(line);
    if (fence) {
      const end = lines.findIndex((l, n) => n > i && new RegExp(`^ {0,3}${fence[1]}+\\s*$`).test(l));
      const body = lines.slice(i + 1, end < 0 ? undefined : end);
      // Discord knows no fence of four or of tildes: what would close it too early is set apart.
      out.push(`\`\`\`${fence[2] ?? ''}`, ...body.map((l) => l.replaceAll('```', '`\u200b``')), '```');
      i = end < 0 ? lines.length : end + 1;
    } else if (table) {
      out.push('```', alignTable(table.rows), '```');
      i = table.next;
    } else {
      out.push(block(line));
      i++;
    }
  }
  return out.join('\n').trim();
}

/** One line outside code. */
function block(line: string): string {
  if (isRule(line)) return '———';
  const heading = headingOf(line);
  // Three sizes are all Discord has.
  if (heading && heading.level > 3) return `**${inline(heading.text)}**`;
  const box = /^(\s*)[-*+]\s+\[([ xX])\]\s+(.*)$/.exec(line);
  if (box) return `${box[1]}- ${box[2] === ' ' ? '☐' : '☑'} ${inline(box[3] ?? '')}`;
  return inline(line);
}

/** Text inside a line, code spans left as they are. */
function inline(text: string): string {
  return text
    .split(/(`+[^`]*`+)/)
    .map((part, i) => (i % 2 === 1 ? part : marked(part)))
    .join('');
}

function marked(text: string): string {
  return text
    .replace(/(?<![\w\\_])__(?=\S)([^_]+(?:_[^_]+)*)(?<=\S)__(?![\w_])/g, '**$1**')
    .replace(/!\[([^\]]*)\]\((https?:[^()\s]+)(?:\s+"[^"]*")?\)/g, (_, label: string, url: string) =>
      label ? `[${label}](${url})` : url,
    );
}
