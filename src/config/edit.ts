import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isScalar, isMap as isYamlMap, parseDocument, stringify } from 'yaml';
import { PxError } from '../error/error.ts';
import { checkConfig, type Problem, unknownKey } from './check.ts';
import { parseConfig, readConfig } from './load.ts';
import { type ConfigPath, formatPath, parsePath, valueAt } from './path.ts';
import { shapeAt } from './shape.ts';

/**
 * Sets one dotted key of px.yaml, or takes it away when the value is undefined, and returns the new text. Comments, order and
 * everything else stay as they are. What would not be valid is not written. Throws PxError `config.*`, `usage`.
 */
export async function editConfig(file: string, dotted: string, value: unknown): Promise<string> {
  const path = parsePath(dotted);
  const before = (await readConfig(file)) ?? '';
  // A file that is wrong already is mended by hand: writing into it would hide the mistake.
  await parseConfig(before, file);
  checkKey(path);
  const after = edited(before, path, value);
  const result = checkConfig(Bun.YAML.parse(after));
  if ('problems' in result) throw refusal(result.problems);
  if (after !== before) await writeWhole(file, after);
  return after;
}

function checkKey(path: ConfigPath): void {
  for (const [i] of path.entries()) {
    const at = path.slice(0, i + 1);
    if (!shapeAt(at)) throw refusal([unknownKey(at, [...(shapeAt(path.slice(0, i))?.entries.keys() ?? [])])]);
  }
}

/** Why a value was not set. It stands in no file, so there is no line to name. */
function refusal(problems: Problem[]): PxError {
  const [first] = problems;
  if (!first) return new PxError('config.invalid', 'the value is not valid');
  const { code, message, expected, suggestion } = first;
  const key = formatPath(first.path);
  const about = code === 'config.unknown-key' ? key.replace(/\.?[^.]*$/, '') : key;
  return new PxError(code, message, {
    hint: `Nothing was changed. \`px config explain${about === '' ? '' : ` ${about}`}\` tells what may stand there.`,
    data: { key, expected, ...(suggestion === undefined ? {} : { suggestion }) },
  });
}

/** The smallest change that does it; each way is tried and looked at before the next coarser one. */
function edited(text: string, path: ConfigPath, value: unknown): string {
  const same = (candidate: string | undefined): candidate is string => {
    if (candidate === undefined) return false;
    const document = parseDocument(candidate);
    if (document.errors.length > 0) return false;
    const expected = parseDocument(text);
    assign(expected, path, value);
    return Bun.deepEquals(document.toJS() ?? {}, expected.toJS() ?? {});
  };
  const replaced = value === undefined ? undefined : replaceScalar(text, path, value);
  if (same(replaced)) return replaced;
  const appended = value === undefined ? undefined : appendSection(text, path, value);
  if (same(appended)) return appended;
  const document = parseDocument(text);
  assign(document, path, value);
  return document.toString({ lineWidth: 0 });
}

function assign(document: ReturnType<typeof parseDocument>, path: ConfigPath, value: unknown): void {
  if (value === undefined) {
    document.deleteIn(path);
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
  return text.slice(0, start) + space + JSON.parse(JSON.stringify(inline(value))) + text.slice(end);
}

/** A value on one line. */
function inline(value: unknown): string {
  return stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trimEnd();
}

/** A new section goes to the end of the file, below whatever comments stand there. */
function appendSection(text: string, path: ConfigPath, value: unknown): string | undefined {
  const document = parseDocument(text);
  const root = document.contents;
  if (valueAt(document.toJS(), path.slice(0, 1)) !== undefined || (root && !isYamlMap(root) && !isScalar(root)))
    return undefined;
  if (isYamlMap(root) && (root.flow || root.has(path[0]))) return undefined;
  let nested: unknown = value;
  for (const part of [...path].reverse()) nested = { [String(part)]: nested };
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${gap}${text === '' ? '' : '\n'}${stringify(nested, { lineWidth: 0 })}`;
}

/** Replaces a file at once or not at all, also across power loss; a symbolic link stays one, and the file keeps its rights. */
async function writeWhole(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  );
  const partial = join(dirname(target), `.px.yaml.${process.pid}.${crypto.randomUUID().slice(0, 8)}`);
  try {
    const handle = await open(partial, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, target);
    const folder = await open(dirname(target), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    await rm(partial, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PxError('config.unreadable', `px.yaml cannot be written: ${why}`, {
      cause,
      hint: `Check who may write to ${dirname(target)}. Nothing was changed.`,
      data: { file, key: formatPath([]) },
    });
  }
}
