import type { Json, JsonSchema } from '../../wire/wire.ts';
import { snake, type WitField, type WitType } from './types.ts';

/**
 * The JSON Schema of a WIT type under the mapping of `json.ts`. Only keywords that the four providers take: type, description, enum,
 * properties, required, items, minItems, maxItems, minimum, maximum, anyOf.
 */
export function schemaOf(type: WitType): JsonSchema {
  switch (type.kind) {
    case 'bool':
      return { type: 'boolean' };
    case 'string':
      return { type: 'string' };
    case 'char':
      return { type: 'string', description: 'one character' };
    case 'f32':
    case 'f64':
      return { type: 'number' };
    case 'list':
      return type.of.kind === 'u8'
        ? { type: 'string', description: 'bytes in base64' }
        : { type: 'array', items: schemaOf(type.of) };
    case 'tuple':
      return { type: 'array', items: anyOf(type.of.map(schemaOf)), minItems: type.of.length, maxItems: type.of.length };
    case 'option':
      return anyOf([
        type.of.kind === 'option' ? oneCase([{ name: 'some', type: type.of }]) : schemaOf(type.of),
        { type: 'null' },
      ]);
    case 'record':
      return object(type.fields);
    case 'result':
      return oneCase([
        { name: 'ok', type: type.ok },
        { name: 'err', type: type.err },
      ]);
    case 'variant':
      return oneCase(type.cases);
    case 'enum':
      return { type: 'string', enum: type.cases };
    case 'flags':
      return { type: 'array', items: { type: 'string', enum: type.names } };
    case 'opaque':
      return { description: type.what };
    default: {
      const bits = Number(type.kind.slice(1));
      const unsigned = type.kind.startsWith('u');
      // The bounds of wide integers would cost more words than they help.
      const wide = { type: 'integer', ...(unsigned ? { minimum: 0 } : {}) };
      // A number of JSON holds 53 bits: what is larger is read and written as text.
      if (bits === 64) return anyOf([wide, { type: 'string', description: 'digits, of a number beyond 2^53' }]);
      if (bits > 16) return wide;
      const [minimum, maximum] = unsigned ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
      return { type: 'integer', minimum, maximum };
    }
  }
}

/** The schema of a function's parameters as one object: what a model fills in. Options need not be given. */
export function schemaOfParams(params: WitField[]): JsonSchema {
  return object(params);
}

function object(fields: WitField[]): JsonSchema {
  const properties: { [key: string]: Json } = {};
  const required: string[] = [];
  for (const { name, type, docs } of fields) {
    const optional = type.kind === 'option' && type.of.kind !== 'option';
    const schema = schemaOf(optional ? type.of : type);
    properties[snake(name)] = docs ? { ...schema, description: docs } : schema;
    if (!optional) required.push(snake(name));
  }
  return { type: 'object', properties, ...(required.length ? { required } : {}) };
}

/** One of several cases: those without a payload as text, the others as an object with one key. */
function oneCase(cases: { name: string; type: WitType | null }[]): JsonSchema {
  const bare = cases.filter((c) => !c.type).map((c) => c.name);
  const full = cases.flatMap((c) => (c.type ? [{ name: c.name, type: c.type }] : []));
  return anyOf([
    ...(bare.length ? [{ type: 'string', enum: bare }] : []),
    ...full.map((c) => ({ type: 'object', properties: { [c.name]: schemaOf(c.type) }, required: [c.name] })),
  ]);
}

function anyOf(schemas: JsonSchema[]): JsonSchema {
  const different = [...new Map(schemas.map((s) => [JSON.stringify(s), s])).values()];
  const [only] = different;
  return different.length === 1 && only ? only : { anyOf: different };
}
