import { PxError } from '../error/error.ts';

/** A place in px.yaml: keys, and numbers for entries of a list. */
export type ConfigPath = (string | number)[];

/** `model.default`, `plugins.telegram.grants.egress[0]`; a key with other characters stands in quotes: `model.aliases."gpt-4.1"`. */
export function parsePath(text: string): ConfigPath {
  const path: ConfigPath = [];
  let rest = text;
  while (rest !== '' || path.length === 0) {
    const match = /^(?:\.?"((?:[^"\\]|\\.)+)"|\[(\d{1,6})\]|\.?([^.[\]"\s]+))/.exec(rest);
    const first = path.length === 0;
    if (!match || (!first && match[2] === undefined && !rest.startsWith('.')) || (first && rest.startsWith('.')))
      throw new PxError('usage', `${JSON.stringify(text)} is no key of px.yaml`, {
        hint: 'Keys are joined with dots: model.default. `px config explain` lists them all.',
      });
    path.push(match[2] === undefined ? (match[1]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '') : Number(match[2]));
    rest = rest.slice(match[0].length);
  }
  return path;
}

/** Reverse of {@link parsePath}. */
export function formatPath(path: Iterable<string | number>): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else {
      const key = /^[^.[\]"\s\\]+$/.test(part) ? part : JSON.stringify(part);
      text += text === '' ? key : `.${key}`;
    }
  }
  return text;
}

/** The value at a dotted path; undefined when there is none. */
export function getPath(config: unknown, path: string): unknown {
  return valueAt(config, parsePath(path));
}

/** The value at a place; undefined when there is none. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const part of path) {
    if (Array.isArray(value)) value = value[Number(part)];
    else if (isMap(value) && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}

/** Dotted paths of every value that differs, sorted; lists count as one value. */
export function changedPaths(before: unknown, after: unknown, path: ConfigPath = []): string[] {
  if (isMap(before) && isMap(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].sort().flatMap((key) => changedPaths(before[key], after[key], [...path, key]));
  }
  return Bun.deepEquals(before, after) ? [] : [formatPath(path)];
}

/** A YAML mapping. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
