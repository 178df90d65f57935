import type { Json, JsonObject, JsonSchema } from '../../wire/wire.ts';
import { isObject, mapObject, objectsIn } from '../protocol/schema.ts';

/** What Gemini's `parametersJsonSchema` and `responseJsonSchema` know, but for what is only for references. */
const keywords = new Set(
  'type format title description enum items prefixItems minItems maxItems minimum maximum anyOf oneOf properties additionalProperties required propertyOrdering'.split(
    ' ',
  ),
);
const formats = ['date-time', 'date', 'time', 'duration', 'enum', 'int32', 'int64', 'float', 'double'];

/**
 * The part of JSON Schema that Gemini takes, of a plain schema: `const` becomes an `enum` of one, `allOf` one schema, and of choices only those that are text
 * or numbers are named.
 */
export function geminiSchema({ allOf, ...own }: JsonSchema): JsonSchema {
  const schema: JsonObject = Object.assign({}, ...objectsIn(allOf), own);
  const out: JsonSchema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'enum' || key === 'const') {
      const named = (Array.isArray(value) ? value : [value]).filter(isNamed);
      if (named.length > 0) out['enum'] = named;
    } else if (key === 'properties' && isObject(value)) out[key] = mapObject(value, inner);
    else if (key === 'items' || key === 'additionalProperties') out[key] = inner(value);
    else if (Array.isArray(value) && ['anyOf', 'oneOf', 'prefixItems'].includes(key)) out[key] = value.map(inner);
    else if (key === 'format' ? formats.includes(String(value)) : keywords.has(key)) out[key] = value;
  }
  return out;
}

const inner = (value: Json): Json => (isObject(value) ? geminiSchema(value) : value);

const isNamed = (value: Json) => typeof value === 'number' || (typeof value === 'string' && value !== '');
