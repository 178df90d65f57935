import type * as v from 'valibot';
import { ConfigSchema } from './schema.ts';

/** One place of px.yaml as people are told of it, read from the valibot schema. */
export interface Shape {
  kind: 'section' | 'map' | 'list' | 'any' | 'value';
  /** `a whole number from 0 to 65535`. */
  type: string;
  description: string;
  /** undefined when there is none. */
  default: unknown;
  /** Keys of a section. */
  entries: ReadonlyMap<string, unknown>;
  /** What each entry of a map or list is. */
  item: unknown;
}

type Schema = v.GenericSchema;

/** The shape of a schema of `schema.ts` or `section/`. */
export function shapeOf(schema: unknown): Shape {
  const shape: Shape = {
    kind: 'value',
    type: 'a value',
    description: '',
    default: undefined,
    entries: new Map(),
    item: undefined,
  };
  let inner = schema;
  while (isSchema(inner) && (inner.type === 'optional' || inner.type === 'exact_optional') && 'wrapped' in inner) {
    if ('default' in inner) shape.default = inner.default;
    inner = inner.wrapped;
  }
  if (!isSchema(inner)) return shape;
  const steps = stepsOf(inner);
  for (const step of steps) if (step.type === 'description') shape.description = String(step.description ?? '');
  if (inner.type === 'strict_object' && 'entries' in inner && typeof inner.entries === 'object' && inner.entries) {
    shape.kind = 'section';
    shape.entries = new Map(Object.entries(inner.entries));
  } else if (inner.type === 'record' && 'value' in inner) {
    shape.kind = 'map';
    shape.item = inner.value;
  } else if (inner.type === 'array' && 'item' in inner) {
    shape.kind = 'list';
    shape.item = inner.item;
  } else if (inner.type === 'unknown') shape.kind = 'any';
  shape.type = typeText(inner, steps, shape);
  return shape;
}

/** The shape at a place of px.yaml; undefined when there is no such place. Any name is right as key of a map. */
export function shapeAt(path: Iterable<string | number>): Shape | undefined {
  let shape = shapeOf(ConfigSchema);
  for (const part of path) {
    if (shape.kind === 'any') return { ...shape, description: '', default: undefined };
    const next = shape.kind === 'section' ? shape.entries.get(String(part)) : shape.item;
    if (next === undefined) return undefined;
    shape = shapeOf(next);
  }
  return shape;
}

/** What is demanded and told of a schema, also by a pipe inside its pipe. */
function stepsOf(schema: Schema): Step[] {
  if (!('pipe' in schema) || !Array.isArray(schema.pipe)) return [];
  const [inner, ...steps] = schema.pipe;
  return [...(inner !== schema && isSchema(inner) ? stepsOf(inner) : []), ...steps.filter(isStep)];
}

function typeText(schema: Schema, steps: Step[], shape: Shape): string {
  const find = (type: string) => steps.find((step) => step.type === type);
  switch (schema.type) {
    case 'strict_object':
      return 'a section';
    case 'record':
      return entriesText('a map by name', 'value', shapeOf(shape.item));
    case 'array':
      return entriesText('a list', 'entry', shapeOf(shape.item));
    case 'boolean':
      return 'true or false';
    case 'picklist':
      return 'options' in schema && Array.isArray(schema.options)
        ? `one of ${schema.options.map((option) => `\`${option}\``).join(', ')}`
        : 'one of a few words';
    case 'number': {
      const [low, high] = [find('min_value')?.requirement, find('max_value')?.requirement];
      const range = low === undefined ? '' : high === undefined ? `, at least ${low}` : ` from ${low} to ${high}`;
      return `a ${find('integer') ? 'whole ' : ''}number${range}`;
    }
    case 'union':
    case 'string': {
      const rule = find('regex')?.message;
      return typeof rule === 'string' ? rule : 'text';
    }
    default:
      return schema.type === 'unknown' ? 'any value' : 'a value';
  }
}

function entriesText(what: string, one: string, item: Shape): string {
  return item.kind === 'any' ? what : `${what}; each ${one} is ${item.type}`;
}

interface Step {
  type: string;
  requirement?: unknown;
  message?: unknown;
  description?: unknown;
}

function isStep(value: unknown): value is Step {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function isSchema(value: unknown): value is Schema {
  return isStep(value) && 'kind' in value && value.kind === 'schema';
}
