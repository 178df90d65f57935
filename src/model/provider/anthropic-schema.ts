import type { Json, JsonObject, JsonSchema } from '../../wire/wire.ts';
import { isObject, mapObject, propertiesOf } from '../protocol/schema.ts';

/** Names of parameters that Anthropic takes; one other name refuses the whole request. */
const taken = /^[a-zA-Z0-9_.-]{1,64}$/;

/** A plain schema with names that Anthropic takes: `filter[id]` becomes `filter_id_`. */
export function anthropicSchema(plain: JsonSchema): JsonSchema {
  const names = wireNames(plain);
  const wire = (name: Json) => names.get(String(name)) ?? String(name);
  const { properties, required, items } = plain;
  return {
    ...plain,
    ...(isObject(properties) ? { properties: renamed(mapObject(properties, inner), wire) } : {}),
    ...(Array.isArray(required) ? { required: required.map(wire) } : {}),
    ...(items === undefined ? {} : { items: inner(items) }),
  };
}

const inner = (value: Json): Json => (isObject(value) ? anthropicSchema(value) : value);

/** Arguments as they were named by {@link anthropicSchema}, under the tool's own names. */
export function ownArguments(plain: JsonSchema, args: JsonObject): JsonObject {
  const own = new Map([...wireNames(plain)].map(([name, wire]) => [wire, name]));
  const properties = propertiesOf(plain);
  const named = renamed(args, (wire) => own.get(wire) ?? wire);
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, ownValue(properties[name], value)]));
}

function ownValue(plain: Json | undefined, value: Json): Json {
  if (!isObject(plain)) return value;
  if (Array.isArray(value)) return value.map((one) => ownValue(plain['items'], one));
  return isObject(value) ? ownArguments(plain, value) : value;
}

const renamed = (object: JsonObject, to: (name: string) => string): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [to(name), value]));

/** The names of properties that have another one on the wire, which no two share. */
function wireNames(plain: JsonSchema): Map<string, string> {
  const all = Object.keys(propertiesOf(plain));
  const used = new Set(all.filter((name) => taken.test(name)));
  const wires = new Map<string, string>();
  for (const name of all.filter((one) => !used.has(one))) {
    const clean = name.replace(/[^a-zA-Z0-9_.-]/g, '_').slice(0, 50) || '_';
    let wire = clean;
    for (let n = 2; used.has(wire); n++) wire = `${clean}_${n}`;
    used.add(wire);
    wires.set(name, wire);
  }
  return wires;
}
