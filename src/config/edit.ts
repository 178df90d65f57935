import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PxError } from '../error/error.ts';
import { checkConfig, type Problem, unknownKey } from './check.ts';
import { parseConfig, readConfig } from './load.ts';
import { type ConfigPath, formatPath, isMap, parsePath, valueAt } from './path.ts';
import { rewrite } from './rewrite.ts';
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
  const after = value === undefined ? without(before, path) : rewrite(before, path, value);
  const result = checkConfig(Bun.YAML.parse(after));
  if ('problems' in result) throw refusal(result.problems);
  if (after !== before) await writeWhole(file, after);
  return after;
}

/** A text without a key, and without the sections around it that hold nothing any more, where that means the same and takes no comment along. */
function without(before: string, path: ConfigPath): string {
  let text = rewrite(before, path, undefined);
  const comments = (of: string) => of.match(/^\s*#/gm)?.length ?? 0;
  const meaning = (of: string) => checkConfig(Bun.YAML.parse(of));
  for (let depth = path.length - 1; depth > 0; depth--) {
    const section = path.slice(0, depth);
    const left = valueAt(Bun.YAML.parse(text), section);
    if (!isMap(left) || Object.keys(left).length > 0) break;
    const shorter = rewrite(before, section, undefined);
    if (comments(shorter) < comments(text) || !Bun.deepEquals(meaning(shorter), meaning(text))) break;
    text = shorter;
  }
  return text;
}

/** Writes the whole of px.yaml, when it is valid, and returns its text. Throws PxError `config.*`, and `conflict` when it does not say `was` any more. */
export async function replaceConfig(file: string, text: string, was?: string): Promise<string> {
  await parseConfig(text, file);
  const before = (await readConfig(file)) ?? '';
  // A browser sends a text with other line ends than it was given.
  const lines = (text: string) => text.replaceAll('\r\n', '\n');
  if (was !== undefined && lines(before) !== lines(was))
    throw new PxError('conflict', 'px.yaml was changed meanwhile by somebody else.', {
      hint: 'Look at what it says now and make your change in it.',
    });
  if (before !== text) await writeWhole(file, text);
  return text;
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
