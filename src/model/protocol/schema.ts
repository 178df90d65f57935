import type { Json, JsonObject, JsonSchema } from '../../wire/wire.ts';

/** How deep a schema is followed, and how many schemas one may grow to when references are replaced; beyond, anything fits. */
const most = { depth: 24, schemas: 2_000 };

const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
/** Keywords that hold one schema, a list of them, or one a name. */
const holdsOne = new Set(['items', 'contains', 'propertyNames', 'not', 'if', 'then', 'else', 'unevaluatedItems']);
const holdsList = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const holdsNamed = new Set(['properties', 'patternProperties', 'dependentSchemas']);
/** What only tells where a schema is from and what refers to it; `id` and `definitions` are what older drafts called it. */
const about = /^(?:\$(?:ref|schema|id|anchor|comment|defs|vocabulary|dynamic\w+|recursive\w+)|definitions|id)$/;

/** What a keyword's value must be; another one belongs to an older draft, or is a mistake, and is left out. */
const forms: [keywords: RegExp, fits: (value: Json) => boolean][] = [
  [/^(?:title|description|pattern|format|content\w+)$/, (value) => typeof value === 'string'],
  [/^(?:m(?:in|ax)\w+|exclusiveM(?:in|ax)imum|multipleOf)$/, (value) => typeof value === 'number'],
  [/^(?:uniqueItems|deprecated|readOnly|writeOnly)$/, (value) => typeof value === 'boolean'],
  [/^(?:enum|examples|required)$/, (value) => Array.isArray(value) && value.length > 0],
];

/** A place in a schema: how deep it is, and the references that led there. */
interface Place {
  depth: number;
  refs: readonly string[];
}

/** Makes the same of the same schema only once: a tool's is the same object in every request. What is made is not to be changed. */
export function remembered(make: (given: JsonSchema) => JsonSchema): (given: JsonSchema) => JsonSchema {
  const known = new WeakMap<JsonSchema, JsonSchema>();
  return (given) => {
    const made = known.get(given) ?? make(given);
    known.set(given, made);
    return made;
  };
}

/**
 * The schema of a tool as every provider takes it, whatever a plugin or an MCP server wrote: an object with properties, plain (see {@link plainSchema});
 * a choice between whole lists of parameters becomes one list of them all.
 */
export const toolSchema = remembered(wholeSchema);

function wholeSchema(given: JsonSchema): JsonSchema {
  const { anyOf, oneOf, allOf, not: _, required: own, ...rest } = plainSchema(given);
  const all = objectsIn(allOf);
  const lists = [...all, ...objectsIn(anyOf), ...objectsIn(oneOf), rest];
  const required = new Set(
    [own, ...all.map((one) => one['required'])].flatMap((one) => (Array.isArray(one) ? one : [])),
  );
  return {
    ...rest,
    type: 'object',
    properties: Object.assign({}, ...lists.map(propertiesOf)),
    ...(required.size > 0 ? { required: [...required] } : {}),
  };
}

/**
 * A schema of JSON Schema 2020-12 that refers to nothing: references are replaced by what they mean (one that leads back to itself by anything at all),
 * arrays have `items`, no schema is only `true` or `false`, and nothing is required that is not among the properties.
 */
export function plainSchema(root: JsonSchema): JsonSchema {
  let schemas = 0;
  const visit = (value: Json | undefined, { depth, refs }: Place): JsonSchema => {
    schemas++;
    if (!isObject(value) || depth > most.depth || schemas > most.schemas) return {};
    const ref = value['$ref'];
    const own = tidy(value, { depth: depth + 1, refs });
    if (typeof ref !== 'string' || refs.includes(ref)) return own;
    return { ...visit(lookUp(root, ref), { depth: depth + 1, refs: [...refs, ref] }), ...own };
  };

  const tidy = (schema: JsonObject, at: Place): JsonSchema => {
    const out: JsonSchema = {};
    for (const [key, value] of Object.entries(schema)) {
      if (about.test(key)) continue;
      if (Array.isArray(value) && (holdsList.has(key) || key === 'items')) {
        const list = value.filter((one) => one !== false).map((one) => visit(one, at));
        if (list.length > 0) out[key === 'items' ? 'prefixItems' : key] = list;
      } else if (holdsNamed.has(key) && isObject(value)) {
        const named = Object.entries(value).filter(([, one]) => isObject(one) || one === true);
        out[key] = Object.fromEntries(named.map(([name, one]) => [name, visit(one, at)]));
      } else if (holdsOne.has(key) || (key === 'additionalProperties' && isObject(value))) {
        if (isObject(value) || value === true) out[key] = visit(value, at);
      } else if (!holdsList.has(key) && !holdsNamed.has(key) && isWellFormed(key, value)) out[key] = value;
    }
    return whole(out);
  };
  return visit(root, { depth: 0, refs: [] });
}

/** With the keywords that one provider or another wants beside others. */
function whole({ type, required, ...rest }: JsonSchema): JsonSchema {
  const known = (Array.isArray(type) ? type : [type]).filter((one) => one !== undefined && types.includes(String(one)));
  const [only] = known;
  const needed = (Array.isArray(required) ? required : []).filter(
    (name) => typeof name === 'string' && Object.hasOwn(propertiesOf(rest), name),
  );
  return {
    ...(only === undefined ? {} : { type: known.length === 1 ? only : known.map(String) }),
    ...rest,
    ...(known.includes('array') && !rest['items'] ? { items: {} } : {}),
    ...(needed.length > 0 ? { required: needed } : {}),
  };
}

function isWellFormed(key: string, value: Json): boolean {
  return forms.find(([keywords]) => keywords.test(key))?.[1](value) ?? true;
}

/** What a reference means: a place in the same schema. Others are not looked up. */
function lookUp(root: JsonSchema, ref: string): Json | undefined {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined;
  let at: Json | undefined = root;
  for (const step of ref.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = at[Number(name)];
    else at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}

/** The schemas of a list, for instance of `anyOf`. */
export const objectsIn = (list: Json | undefined): JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : []);

/** The properties of an object's schema by name. */
export const propertiesOf = (schema: JsonObject): JsonObject =>
  isObject(schema['properties']) ? schema['properties'] : {};

/** An object with each value made into another one. */
export const mapObject = (object: JsonObject, to: (value: Json) => Json): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, to(value)]));

/** True for a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
