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
