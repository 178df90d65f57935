import type { Memory } from '../../memory/memory.ts';
import { labelsIn } from '../../policy/policy.ts';
import type { JsonObject } from '../../wire/wire.ts';

/** A string argument, already checked against the schema; undefined when left out. */
export function text(args: JsonObject, key: string): string | undefined {
  const value = args[key];
  return typeof value === 'string' ? value : undefined;
}

/** An integer argument, already checked against the schema; undefined when left out. */
export function integer(args: JsonObject, key: string): number | undefined {
  const value = args[key];
  return typeof value === 'number' ? value : undefined;
}

/** Where text from outside in a note or a day's transcript comes from; a file that cannot be read says nothing. */
export async function labelsOfNote(memory: Pick<Memory, 'get'>, path: string): Promise<string[]> {
  const note = await memory.get(path, 1, Number.MAX_SAFE_INTEGER).catch(() => undefined);
  return note ? labelsIn(note.text) : [];
}
