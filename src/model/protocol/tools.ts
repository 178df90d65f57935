import { PxError } from '../../error/error.ts';
import type { Json, JsonObject, ToolCallPart } from '../../wire/wire.ts';
import type { ToolSpec } from '../model.ts';
import { isObject } from './schema.ts';

/** A tool's name as all four APIs take it: `[a-zA-Z_][a-zA-Z0-9_-]{0,63}`. */
export function wireName(name: string): string {
  const clean = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
  return /^[a-zA-Z_]/.test(clean) ? clean : `_${clean}`.slice(0, 64);
}

/** Gives a called tool its own name back when it had to be changed for the wire. */
export function neutralName(wire: string, tools: ToolSpec[]): string {
  return tools.find((tool) => wireName(tool.name) === wire)?.name ?? wire;
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
