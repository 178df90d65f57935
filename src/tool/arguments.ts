import type { Json, JsonSchema } from '../wire/wire.ts';

/** Most problems reported at once: enough for a model to correct itself. */
const MOST_PROBLEMS = 5;

/**
 * Checks a value against the structural part of JSON Schema that tools use: `type`, `enum`, `const`, `required`,
 * `properties`, `additionalProperties`, `items`, `prefixItems`, lengths, bounds, `anyOf`, `oneOf`, `allOf`. Other keywords are
 * left to the tool. Returns what is wrong, in words; empty when it fits.
 */
export function checkArguments(schema: JsonSchema, value: Json): string[] {
  const problems: string[] = [];
  visit(schema, value, '', problems);
  return problems.slice(0, MOST_PROBLEMS);
}

function visit(schema: Json | undefined, value: Json, at: string, problems: string[]): void {
  if (schema === false) problems.push(`${name(at)} is not allowed`);
  if (!isObject(schema)) return;
  const types = schema['type'];
  const wanted =
    typeof types === 'string' ? [types] : Array.isArray(types) ? types.filter((t) => typeof t === 'string') : [];
  if (wanted.length > 0 && !wanted.some((type) => hasType(value, type))) {
    problems.push(`${name(at)} must be ${wanted.join(' or ')}, not ${typeName(value)}`);
    return;
  }
  const among = schema['enum'];
  if (Array.isArray(among) && !among.some((one) => same(one, value)))
    problems.push(`${name(at)} must be one of ${among.map((one) => JSON.stringify(one)).join(', ')}`);
  if (schema['const'] !== undefined && !same(schema['const'], value))
    problems.push(`${name(at)} must be ${JSON.stringify(schema['const'])}`);
  checkSize(schema, value, at, problems);
  if (isObject(value)) checkObject(schema, value, at, problems);
  if (Array.isArray(value)) checkArray(schema, value, at, problems);
  checkChoices(schema, value, at, problems);
}

function checkObject(schema: JsonSchema, value: { [key: string]: Json }, at: string, problems: string[]): void {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  for (const key of required)
    if (typeof key === 'string' && !Object.hasOwn(value, key))
      problems.push(`${name(at ? `${at}.${key}` : key)} is missing`);
  for (const [key, one] of Object.entries(value)) {
    const path = at ? `${at}.${key}` : key;
    if (Object.hasOwn(properties, key)) visit(properties[key], one, path, problems);
    else if (schema['additionalProperties'] === false)
      problems.push(`${name(path)} is not known; it takes ${Object.keys(properties).join(', ') || 'nothing'}`);
    else visit(schema['additionalProperties'], one, path, problems);
  }
}

function checkArray(schema: JsonSchema, value: Json[], at: string, problems: string[]): void {
  const first = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  value.forEach((one, i) => {
    visit(i < first.length ? first[i] : schema['items'], one, `${at}[${i}]`, problems);
  });
}

function checkSize(schema: JsonSchema, value: Json, at: string, problems: string[]): void {
  const bound = (low: string, high: string, size: number, unit: string) => {
    const least = schema[low];
    const most = schema[high];
    if (typeof least === 'number' && size < least) problems.push(`${name(at)} must be at least ${least}${unit}`);
    if (typeof most === 'number' && size > most) problems.push(`${name(at)} must be at most ${most}${unit}`);
  };
  if (typeof value === 'number') bound('minimum', 'maximum', value, '');
  if (typeof value === 'string') bound('minLength', 'maxLength', [...value].length, ' characters');
  if (Array.isArray(value)) bound('minItems', 'maxItems', value.length, ' items');
}

function checkChoices(schema: JsonSchema, value: Json, at: string, problems: string[]): void {
  const fits = (one: Json) => {
    const found: string[] = [];
    visit(one, value, at, found);
    return found.length === 0;
  };
  const any = schema['anyOf'];
  if (Array.isArray(any) && !any.some(fits)) problems.push(`${name(at)} has none of the allowed shapes`);
  const one = schema['oneOf'];
  if (Array.isArray(one) && one.filter(fits).length !== 1)
    problems.push(`${name(at)} must have exactly one of the allowed shapes`);
  const all = schema['allOf'];
  if (Array.isArray(all)) for (const each of all) visit(each, value, at, problems);
}

function hasType(value: Json, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'number') return typeof value === 'number';
  return typeName(value) === type;
}

function typeName(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function same(a: Json, b: Json): boolean {
  return a === b || Bun.deepEquals(a, b, true);
}

const name = (at: string) => (at === '' ? 'the arguments' : `"${at}"`);
