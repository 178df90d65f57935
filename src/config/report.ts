import { basename } from 'node:path';
import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { type ErrorCode, PxError } from '../error/error.ts';
import type { Problem } from './check.ts';
import { type ConfigPath, formatPath } from './path.ts';

/** Where in px.yaml something is wrong: the `data` of `config.*` errors. Lines and columns count from 1. */
export interface ConfigPlace {
  file: string;
  line: number;
  column: number;
  /** Dotted; empty for the whole file. */
  key: string;
  expected: string;
  suggestion?: string;
}

/** The problems as one error: the first in file order is its message, all are in `data.problems` with their messages. */
export function configError(text: string, file: string, problems: Problem[]): PxError {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const placed = problems
    .map((problem) => {
      const { line, col } = lines.linePos(offsetOf(document, problem.path, problem.code === 'config.unknown-key'));
      const place: ConfigPlace = {
        file,
        line: Math.max(1, line),
        column: Math.max(1, col),
        key: formatPath(problem.path),
        expected: problem.expected,
        ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion }),
      };
      return {
        ...place,
        code: problem.code,
        message: `${basename(file)}:${place.line}:${place.column}: ${problem.message}`,
      };
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
  const [first] = placed;
  if (!first) return new PxError('config.invalid', `${basename(file)} is not valid`, { data: { file } });
  const { code, message, ...place } = first;
  const more = placed.length === 1 ? '' : ` (and ${placed.length - 1} more)`;
  return new PxError(code, message + more, {
    hint: hintFor(first, placed.slice(1)),
    data: { ...place, problems: placed },
  });
}

function hintFor(first: ConfigPlace & { code: ErrorCode }, others: { message: string }[]): string {
  const parent = first.key.replace(/\.?[^.]*$/, '');
  const about = first.code === 'config.unknown-key' ? parent : first.key;
  const here =
    first.code === 'config.unknown-key' && first.suggestion === undefined
      ? `Known ${parent === '' ? 'at the top' : 'here'}: ${first.expected.replace(/^one of /, '')}.`
      : `\`px config explain${about === '' ? '' : ` ${about}`}\` tells what may stand there.`;
  return [here, ...others.map((other) => other.message)].join('\n');
}

/** A text that is no YAML. */
export function syntaxError(text: string, file: string, thrown: unknown): PxError {
  const document = parseDocument(text);
  const error = document.errors[0];
  // `*` begins an alias: of a rule or a name with a star in it, the quotes are missing.
  const star = firstStar(document);
  if (star && (!error || error.pos[0] >= star.at)) {
    const why = `${star.name === '' ? 'a text' : JSON.stringify(`*${star.name}`)} that begins with * has to stand in quotes`;
    return yamlError(text, file, star.at, why, 'config.unreadable');
  }
  if (error) return yamlError(text, file, error.pos[0], tidy(error.message), 'config.unreadable');
  // Only Bun's parser minds it: then there is no place to name.
  const why = thrown instanceof Error ? thrown.message.replace(/^YAML Parse error: /, '') : String(thrown);
  return new PxError('config.unreadable', `${basename(file)} is not YAML: ${why}`, { cause: thrown, data: { file } });
}

/** The first alias of nothing. */
function firstStar(document: Document): { at: number; name: string } | undefined {
  let found: { at: number; name: string } | undefined;
  visit(document, {
    Alias(_, node) {
      if (node.source !== '' && node.resolve(document)) return undefined;
      found = { at: node.range?.[0] ?? 0, name: node.source };
      return visit.BREAK;
    },
  });
  return found;
}

/** The error of a key that stands twice in one mapping (or of other things only the strict parser sees); undefined when all is well. */
export function repeatedKey(text: string, file: string): PxError | undefined {
  const error = parseDocument(text).errors.find(({ code }) => code === 'DUPLICATE_KEY');
  if (!error) return undefined;
  const key = /^[^\s:]*/.exec(text.slice(error.pos[0]))?.[0] ?? '';
  return yamlError(text, file, error.pos[0], `key ${JSON.stringify(key)} stands here a second time`, 'config.invalid');
}

function yamlError(text: string, file: string, offset: number, why: string, code: ErrorCode): PxError {
  const before = text.slice(0, offset).split('\n');
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  const place: ConfigPlace = { file, line, column, key: '', expected: 'YAML' };
  return new PxError(code, `${basename(file)}:${line}:${column}: ${why}`, {
    hint: `Look at line ${line} of ${file}, and at the indentation around it.`,
    data: place,
  });
}

/** The parser's message without its own drawing of the line. */
function tidy(message: string): string {
  const line = message.split('\n')[0] ?? message;
  return line.replace(/ at line \d+, column \d+:?$/, '').replace(/:$/, '');
}

/** Offset of the value at a path, or of its key; of the nearest thing around it that stands in the text. */
function offsetOf(document: Document, path: ConfigPath, atKey: boolean): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [i, part] of path.entries()) {
    const pair = isMap(node)
      ? node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part))
      : undefined;
    const next = pair ? pair.value : isSeq(node) ? node.items[Number(part)] : undefined;
    const key = pair && isNode(pair.key) ? pair.key.range?.[0] : undefined;
    const value = isNode(next) ? next.range?.[0] : undefined;
    const last = i === path.length - 1;
    offset = (last && atKey ? (key ?? value) : (value ?? key)) ?? offset;
    node = next;
  }
  return offset;
}
