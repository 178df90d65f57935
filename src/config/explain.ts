import { PxError } from '../error/error.ts';
import { unknownKey } from './check.ts';
import { type ConfigPath, formatPath, parsePath } from './path.ts';
import { ConfigSchema } from './schema.ts';
import { type Shape, shapeAt, shapeOf } from './shape.ts';

/** What a person is told of one key. */
export interface ConfigKey {
  /** Dotted; `NAME` stands for a name the user chooses. */
  key: string;
  description: string;
  /** undefined when there is none. */
  default: unknown;
  /** `a whole number from 0 to 65535`. */
  type: string;
  /** Keys right below it; empty for a value. */
  keys: string[];
}

/** Tells what a key is. Without a path: the whole file. Throws PxError `config.unknown-key` with the nearest one. */
export function explain(path = ''): ConfigKey {
  const parts: ConfigPath = path === '' ? [] : parsePath(path);
  const shape = shapeAt(parts);
  if (shape) return toKey(formatPath(parts), shape);
  const known = parts.findIndex((_, i) => !shapeAt(parts.slice(0, i + 1)));
  const wrong = parts.slice(0, known + 1);
  const siblings = [...(shapeAt(parts.slice(0, known))?.entries.keys() ?? [])];
  const problem = unknownKey(wrong, siblings);
  throw new PxError('config.unknown-key', problem.message, {
    hint: siblings.length === 0 ? 'Nothing stands below that key.' : `Known here: ${siblings.join(', ')}.`,
    data: { key: formatPath(wrong), expected: problem.expected, suggestion: problem.suggestion },
  });
}

/** Every key of px.yaml in the order of the schema, sections before what is in them. */
export function configKeys(): ConfigKey[] {
  const found: ConfigKey[] = [];
  const visit = (key: string, shape: Shape) => {
    if (key !== '') found.push(toKey(key, shape));
    for (const [name, entry] of shape.entries) visit(key === '' ? name : `${key}.${name}`, shapeOf(entry));
    if (shape.kind === 'map' && shapeOf(shape.item).kind === 'section') visit(`${key}.NAME`, shapeOf(shape.item));
  };
  visit('', shapeOf(ConfigSchema));
  return found;
}

function toKey(key: string, shape: Shape): ConfigKey {
  const nested = shape.kind === 'section' || shape.kind === 'map';
  return {
    key,
    description: shape.description,
    default: nested ? undefined : shape.default,
    type: shape.type,
    keys: [...shape.entries.keys()],
  };
}
