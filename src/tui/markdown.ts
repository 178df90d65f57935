import { type Line, line, plain, spans } from './line.ts';
import { type Look, type Style, signs } from './look.ts';
import { safe, width, wrap } from './text.ts';

/** An element of parsed Markdown, by its HTML name, as Bun hands it out. */
interface Element {
  type: unknown;
  props: Record<string, unknown>;
}
type Node = string | Element;

/** Where something is drawn. */
interface At {
  columns: number;
  look: Look;
}

/** Below so many columns nothing is indented any more: what is nested deep would have no room left. */
const leastColumns = 16;
/** The narrowest column of a table; where it does not fit, its rows are told one below the other. */
const leastCell = 4;
const ruleColumns = 40;

/**
 * Markdown of anybody as rows for a terminal: styles instead of marks, lists and code indented, tables in columns, links with where they lead.
 * Nothing in it steers the terminal, also not what Markdown itself decodes (`&#27;`). No row is wider than `columns`.
 */
export function markdownLines(text: string, columns: number, look: Look): Line[] {
  const at = { columns: Math.max(1, columns), look };
  try {
    const parsed: unknown = Bun.markdown.react(text.replace(/\r\n?/g, '\n'), undefined, {
      noHtmlBlocks: true,
      noHtmlSpans: true,
      autolinks: { url: true },
    });
    const rows = blocks(nodesOf(parsed), at, true);
    return rows.length > 0 ? rows : [[]];
  } catch {
    // Nested deeper than can be followed: as it stands there.
    return wrap(safe(text, look), at.columns).map((row) => line(row));
  }
}

const isElement = (value: unknown): value is Element =>
  typeof value === 'object' && value !== null && 'type' in value && 'props' in value && typeof value.props === 'object';

/** What an element holds; of the document, its blocks. */
function nodesOf(value: unknown): Node[] {
  const children: unknown = isElement(value) ? value.props['children'] : value;
  return [children].flat(2).flatMap((child): Node[] => (typeof child === 'string' || isElement(child) ? [child] : []));
}

const elements = (node: Element): Element[] => nodesOf(node).filter((child) => typeof child !== 'string');

const textOf = (node: Node): string => (typeof node === 'string' ? node : nodesOf(node).map(textOf).join(''));

const drawn: Record<string, (node: Element, at: At) => Line[]> = {
  p: (node, at) => paragraph(nodesOf(node), at),
  h1: (node, at) => paragraph(nodesOf(node), at, 'title'),
  h2: (node, at) => paragraph(nodesOf(node), at, 'title'),
  h3: heading,
  h4: heading,
  h5: heading,
  h6: heading,
  ul: list,
  ol: list,
  pre: code,
  blockquote: quote,
  table,
  hr: (_, { columns, look }) => [line(signs(look).rule.repeat(Math.min(columns, ruleColumns)), 'dim')],
};

const isHeading = (node: Element): boolean => /^h[1-6]$/.test(String(node.type));

/** Blocks, one below the other; what is between them is a paragraph. `apart`: with an empty row between, but none below a heading. */
function blocks(nodes: Node[], at: At, apart: boolean): Line[] {
  const rows: Line[] = [];
  let joined = true;
  const add = (block: Line[], joins = false) => {
    if (block.length === 0) return;
    if (!joined && apart) rows.push([]);
    rows.push(...block);
    joined = joins;
  };
  let words: Node[] = [];
  const said = () => {
    if (words.some((node) => textOf(node).trim() !== '' || typeof node !== 'string')) add(paragraph(words, at));
    words = [];
  };
  for (const node of nodes) {
    const draw = typeof node === 'string' ? undefined : drawn[String(node.type)];
    if (typeof node === 'string' || !draw) words.push(node);
    else {
      said();
      add(draw(node, at), isHeading(node));
    }
  }
  said();
  return rows;
}

function heading(node: Element, at: At): Line[] {
  return paragraph(nodesOf(node), at, 'bold');
}

function paragraph(nodes: Node[], { columns, look }: At, style: Style = 'plain'): Line[] {
  return wrapSpans(inline(nodes, style, look), columns);
}

function list(node: Element, { columns, look }: At): Line[] {
  const items = elements(node);
  const first = typeof node.props['start'] === 'number' ? node.props['start'] : 1;
  const ordered = node.type === 'ol';
  const digits = String(first + items.length - 1).length;
  const apart = items.some((item) => elements(item).some((child) => child.type === 'p'));
  return items.flatMap((item, i) => {
    const { checked } = item.props;
    const mark = ordered ? `${String(first + i).padStart(digits)}. ` : `${signs(look).bullet} `;
    const box = typeof checked === 'boolean' ? (checked ? '[x] ' : '[ ] ') : '';
    const rows = within(nodesOf(item), box === '' || ordered ? mark + box : box, { columns, look }, apart);
    return apart && i > 0 ? [[], ...rows] : rows;
  });
}

/** Blocks beside a mark, indented by it. */
function within(nodes: Node[], mark: string, { columns, look }: At, apart: boolean): Line[] {
  const room = columns - width(mark);
  if (room < leastColumns) return blocks([mark, ...nodes], { columns, look }, apart);
  const rows = blocks(nodes, { columns: room, look }, apart);
  const indent = ' '.repeat(width(mark));
  return (rows.length > 0 ? rows : [[]]).map((row, i) => [
    ...(i === 0 ? line(mark, 'dim') : line(row.length > 0 ? indent : '')),
    ...row,
  ]);
}

function quote(node: Element, { columns, look }: At): Line[] {
  if (columns < leastColumns) return blocks(nodesOf(node), { columns, look }, true);
  const bar = `${signs(look).bar} `;
  return blocks(nodesOf(node), { columns: columns - 2, look }, true).map((row) => [...line(bar, 'dim'), ...row]);
}

/** Indented and nothing else: who copies it from the screen gets no marks with it. */
function code(node: Element, { columns, look }: At): Line[] {
  const indent = columns < leastColumns ? '' : '  ';
  return wrap(safe(textOf(node).replace(/\n$/, ''), look), columns - indent.length).map((row) =>
    spans([indent], [row, 'code']),
  );
}

function table(node: Element, at: At): Line[] {
  const parts = elements(node).flatMap((part) => (part.type === 'tr' ? [part] : elements(part)));
  const [head = [], ...body] = parts.map((row) => elements(row));
  const heads = head.map((cell) => flat(inline(nodesOf(cell), 'bold', at.look)));
  const rows = body.map((row) => row.map((cell) => flat(inline(nodesOf(cell), 'plain', at.look))));
  const widths = heads.map((cell, i) => Math.max(1, ...[cell, ...rows.map((row) => row[i] ?? [])].map(widthOf)));
  const gaps = 2 * (widths.length - 1);
  for (let over = sum(widths) + gaps - at.columns; over > 0; over--) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  if (widths.some((one, i) => one < Math.min(leastCell, widthOf(heads[i] ?? [])))) return records(heads, rows, at);
  const right = head.map((cell) => cell.props['align'] === 'right');
  const rule = line(widths.map((one) => signs(at.look).rule.repeat(one)).join('  '), 'dim');
  const draw = (row: Line[]) => tableRow(row, widths, right);
  return [...draw(heads), rule, ...rows.flatMap(draw)];
}

/** A table that is too narrow for its columns: each cell with what stands above it. */
function records(heads: Line[], rows: Line[][], { columns }: At): Line[] {
  return rows.flatMap((row, i) => [
    ...(i > 0 ? [[]] : []),
    ...row.flatMap((cell, at) => wrapSpans([...(heads[at] ?? []), ...line(': ', 'bold'), ...cell], columns)),
  ]);
}

function tableRow(row: Line[], widths: number[], right: boolean[]): Line[] {
  const cells = widths.map((columns, i) => wrapSpans(row[i] ?? [], columns));
  const height = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, n) =>
    cells.flatMap((cell, i) => {
      const text = cell[n] ?? [];
      const rest = ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(text)));
      const gap = line(i === 0 ? '' : '  ');
      return right[i] ? [...gap, ...line(rest), ...text] : [...gap, ...text, ...line(rest)];
    }),
  );
}

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
const widthOf = (row: Line) => width(plain(row));
const flat = (row: Line): Line => row.map((span) => ({ ...span, text: span.text.replaceAll('\n', ' ') }));

const styles: Record<string, Style> = {
  strong: 'bold',
  em: 'italic',
  del: 'struck',
  code: 'code',
  a: 'link',
  img: 'link',
};

function inner(outer: Style, type: unknown): Style {
  const own = styles[String(type)] ?? outer;
  if (outer === 'title' && (own === 'bold' || own === 'italic')) return outer;
  if ((outer === 'bold' && own === 'italic') || (outer === 'italic' && own === 'bold')) return 'bold-italic';
  return outer === 'bold-italic' && (own === 'bold' || own === 'italic') ? outer : own;
}

/** The words of a block, each with its style. Only here text of others comes in. */
function inline(nodes: Node[], style: Style, look: Look): Line {
  return nodes.flatMap((node): Line => {
    // A mark at the beginning would climb on what stands before it, which has its own already.
    if (typeof node === 'string') return line(safe(node, look).replace(/^\p{M}+/u, ''), style);
    if (node.type === 'br') return line('\n');
    const here = inner(style, node.type);
    if (node.type === 'img') {
      const { alt, src } = node.props;
      return leading(line(safe(`picture ${String(alt ?? '')}`.trimEnd(), look), here), src, look);
    }
    const words = inline(nodesOf(node), here, look);
    return node.type === 'a' ? leading(words, node.props['href'], look) : words;
  });
}

/** A link and where it leads, when it does not say so itself. */
function leading(words: Line, to: unknown, look: Look): Line {
  const address = safe(String(to ?? ''), look).replaceAll('\n', ' ');
  const said = plain(words);
  return address === '' || said === address ? words : [...words, ...line(` (${address})`, 'dim')];
}

/** Styled words as rows of at most `columns`, broken as {@link wrap} does. */
function wrapSpans(words: Line, columns: number): Line[] {
  const text = plain(words);
  let at = 0;
  let span = 0;
  let begun = 0;
  return wrap(text, columns).map((row) => {
    // A row is a piece of the text as it stands; between two of them only blanks were left out.
    at = row === '' ? at : text.indexOf(row, at);
    const end = at + row.length;
    const pieces: Line = [];
    for (; span < words.length; span++) {
      const { text: all, style } = words[span] ?? { text: '', style: 'plain' };
      const piece = all.slice(Math.max(0, at - begun), Math.max(0, end - begun));
      if (piece !== '') pieces.push({ text: piece, style });
      // The rest of it belongs to the next row.
      if (begun + all.length > end) break;
      begun += all.length;
    }
    at = end;
    return pieces;
  });
}
