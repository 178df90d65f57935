import { PxError } from '../../error/error.ts';
import type { Json, JsonObject, JsonSchema, ToolCallPart } from '../../wire/wire.ts';
import type { ToolSpec } from '../model.ts';

/** A tool's name as all four APIs take it: `[a-zA-Z_][a-zA-Z0-9_-]{0,63}`. */
export function wireName(name: string): string {
  const clean = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
  return /^[a-zA-Z_]/.test(clean) ? clean : `_${clean}`.slice(0, 64);
}

/** Gives a called tool its own name back when it had to be changed for the wire. */
export function neutralName(wire: string, tools: ToolSpec[]): string {
  return tools.find((tool) => wireName(tool.name) === wire)?.name ?? wire;
}

/** A schema as the root of a tool: always an object with properties, without what no provider takes at the root. */
export function objectSchema(schema: JsonSchema): JsonSchema {
  const { $schema: _, anyOf: __, oneOf: ___, allOf: ____, not: _____, ...rest } = schema;
  return { ...rest, type: 'object', properties: isObject(schema['properties']) ? schema['properties'] : {} };
}

const geminiKeys = new Set(
  '$id $defs $ref $anchor type format title description enum items prefixItems minItems maxItems minimum maximum anyOf oneOf properties additionalProperties required propertyOrdering'.split(
    ' ',
  ),
);

/** The part of JSON Schema that Gemini's `parametersJsonSchema` takes; `const` becomes an `enum` of one. */
export function geminiSchema(schema: JsonSchema): JsonSchema {
  return geminiObject(objectSchema(schema));
}

function geminiObject(schema: JsonObject): JsonSchema {
  const out: JsonSchema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'const') out['enum'] = [value];
    else if ((key === 'properties' || key === '$defs') && isObject(value))
      out[key] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, geminiInner(inner)]));
    else if (key === 'items' || key === 'additionalProperties') out[key] = geminiInner(value);
    else if (Array.isArray(value) && ['anyOf', 'oneOf', 'prefixItems'].includes(key)) out[key] = value.map(geminiInner);
    else if (geminiKeys.has(key)) out[key] = value;
  }
  return out;
}

function geminiInner(value: Json): Json {
  return isObject(value) ? geminiObject(value) : value;
}

/** A finished call: its arguments arrive as JSON text. Throws PxError `model.stream` when they are not an object. */
export function finishCall(call: { id: string; name: string; args: string }, tools: ToolSpec[]): ToolCallPart {
  return { type: 'tool-call', id: call.id || newCallId(), name: neutralName(call.name, tools), args: parseArgs(call) };
}

/** An id for a provider that gives none. */
export function newCallId(): string {
  return `call_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`;
}

function parseArgs(call: { name: string; args: string }): JsonObject {
  if (call.args.trim() === '') return {};
  let value: Json | undefined;
  try {
    value = JSON.parse(call.args);
  } catch {
    // Reported below.
  }
  // Some servers send arguments as JSON inside a JSON string.
  if (typeof value === 'string') return parseArgs({ name: call.name, args: value });
  if (value === null) return {};
  if (isObject(value)) return value;
  throw new PxError('model.stream', `The model called ${call.name} with arguments that are not a JSON object.`, {
    retryable: true,
    hint: 'Try again.',
  });
}

/** Collects calls whose arguments are streamed in pieces, by the provider's index. */
export class CallCollector {
  readonly #calls: { key: string; id: string; name: string; args: string }[] = [];

  /** Adds a piece. A new id under a known index is a new call (some servers number every call 0). */
  add(key: string, piece: { id?: string | undefined; name?: string | undefined; args?: string | undefined }): void {
    let call = this.#calls.findLast((c) => c.key === key);
    if (!call || (piece.id && call.id && piece.id !== call.id)) {
      call = { key, id: '', name: '', args: '' };
      this.#calls.push(call);
    }
    if (piece.id) call.id = piece.id;
    if (piece.name) call.name = piece.name;
    if (piece.args) call.args += piece.args;
  }

  get size(): number {
    return this.#calls.length;
  }

  /** All calls, in order. Throws PxError `model.stream` when one's arguments are broken. */
  finish(tools: ToolSpec[]): ToolCallPart[] {
    return this.#calls.filter((c) => c.name !== '').map((c) => finishCall(c, tools));
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
