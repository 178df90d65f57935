import { Document, isCollection, isMap, isNode, isPair, isScalar, type Pair, parseDocument, stringify } from 'yaml';
import { type ConfigPath, valueAt } from './path.ts';

/**
 * A YAML text with one value set, or taken away when it is undefined. The smallest change that does it: each way is tried, and
 * taken when reading the result gives what was wanted; then the entry is written anew in which it stands, the innermost first, and
 * only where nothing else does it the whole document (comments and order stay).
 */
export function rewrite(text: string, path: ConfigPath, value: unknown): string {
  const wanted = parseDocument(text);
  if (value === undefined && !wanted.hasIn(path)) return text;
  assign(wanted, path, value);
  const ways = value === undefined ? [cutLines] : [replaceScalar, insertBelow, appendSection];
  const candidates = function* () {
    for (const way of ways) yield way(text, path, value);
    for (let depth = path.length; depth > 0; depth--) yield anew(text, path.slice(0, depth), wanted);
  };
  for (const candidate of candidates()) {
    if (candidate === undefined) continue;
    const read = parseDocument(candidate);
    if (read.errors.length === 0 && Bun.deepEquals(read.toJS() ?? {}, wanted.toJS() ?? {})) return candidate;
  }
  return wanted.toString({ lineWidth: 0 });
}

function assign(document: Document, path: ConfigPath, value: unknown): void {
  if (value === undefined) {
    if (document.hasIn(path)) document.deleteIn(path);
    return;
  }
  // `agent:` with nothing under it is no mapping one could set a key in.
  for (let i = 1; i < path.length; i++) {
    const at = document.getIn(path.slice(0, i), true);
    if (isScalar(at) && at.value === null) document.setIn(path.slice(0, i), document.createNode({}));
  }
  if (isScalar(document.contents) && document.contents.value === null) document.contents = null;
  document.setIn(path, document.createNode(value));
}

function replaceScalar(text: string, path: ConfigPath, value: unknown): string | undefined {
  const node = parseDocument(text).getIn(path, true);
  if (!isScalar(node) || !node.range || node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED') return undefined;
  const [start, end] = node.range;
  // Nothing stands between the colon and the line's end: the value needs a space before it.
  const space = start === end && text[start - 1] === ':' ? ' ' : '';
  const inline = stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false });
  return text.slice(0, start) + space + inline.trimEnd() + text.slice(end);
}

/** A new key goes below the last one of its section, in the column of the others. */
function insertBelow(text: string, path: ConfigPath, value: unknown): string | undefined {
  const document = parseDocument(text);
  for (let depth = path.length - 1; depth > 0; depth--) {
    const section = document.getIn(path.slice(0, depth), true);
    if (!isMap(section)) continue;
    const [first] = section.items;
    if (section.flow || !first || !isNode(first.key) || !first.key.range) return undefined;
    const column = first.key.range[0] - lineStart(text, first.key.range[0]);
    const at = lineEnd(text, lastOffset(section));
    const lines = stringify(nested(path.slice(depth), value), { lineWidth: 0 })
      .trimEnd()
      .replace(/^/gm, ' '.repeat(column));
    return `${text.slice(0, at)}\n${lines}${text.slice(at)}`;
  }
  return undefined;
}

/** A new section goes to the end of the file, below whatever comments stand there. */
function appendSection(text: string, path: ConfigPath, value: unknown): string | undefined {
  const document = parseDocument(text);
  if (valueAt(document.toJS(), path.slice(0, 1)) !== undefined) return undefined;
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${gap}${text === '' ? '' : '\n'}${stringify(nested(path, value), { lineWidth: 0 })}`;
}

/** Takes the lines of a key out, with the comment at their end. */
function cutLines(text: string, path: ConfigPath): string | undefined {
  const lines = linesOf(text, path);
  return lines && text.slice(0, lines.start) + text.slice(lines.end + 1);
}

/** Writes the lines of one key as the wanted document has it. */
function anew(text: string, path: ConfigPath, wanted: Document): string | undefined {
  const lines = linesOf(text, path);
  const pair = pairAt(wanted, path);
  if (!lines || !pair) return undefined;
  const own = pair.clone();
  // What stands above it stays where it is.
  if (isNode(own.key)) Object.assign(own.key, { commentBefore: undefined, spaceBefore: false });
  const alone = new Document({});
  if (isMap(alone.contents)) alone.contents.items = [own];
  const written = alone
    .toString({ lineWidth: 0 })
    .trimEnd()
    .replace(/^(?=.)/gm, ' '.repeat(lines.column));
  return text.slice(0, lines.start) + written + text.slice(lines.end);
}

/** Where the lines of a key are that has them for itself: from the beginning of the first to the end of the last. */
function linesOf(text: string, path: ConfigPath): { start: number; end: number; column: number } | undefined {
  const pair = pairAt(parseDocument(text), path);
  if (!pair || !isNode(pair.key) || !pair.key.range) return undefined;
  const start = lineStart(text, pair.key.range[0]);
  if (text.slice(start, pair.key.range[0]).trim() !== '') return undefined;
  return { start, end: lineEnd(text, lastOffset(pair)), column: pair.key.range[0] - start };
}

/** A key with its value, in a mapping of lines. */
function pairAt(document: Document, path: ConfigPath): Pair | undefined {
  const parent = document.getIn(path.slice(0, -1), true);
  if (!isMap(parent) || parent.flow) return undefined;
  return parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
}

function nested(path: ConfigPath, value: unknown): unknown {
  return [...path].reverse().reduce<unknown>((inner, part) => ({ [String(part)]: inner }), value);
}

/** Where the last thing written in a node ends: a collection's own range goes on over the blank lines after it. */
function lastOffset(node: unknown): number {
  if (isPair(node)) return Math.max(lastOffset(node.value), lastOffset(node.key));
  if (isCollection(node) && !node.flow && node.items.length > 0) return lastOffset(node.items.at(-1));
  return isNode(node) ? (node.range?.[1] ?? 0) : 0;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** The line's end, or of the line before when the offset already stands at the beginning of the next (block scalars). */
function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', text[offset - 1] === '\n' ? offset - 1 : offset);
  return end === -1 ? text.length : end;
}
