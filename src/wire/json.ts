/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** A JSON object. */
export type JsonObject = { [key: string]: Json };
/** A JSON Schema (2020-12), as models and editors take it. */
export type JsonSchema = { [key: string]: Json };

/** Deepest nesting px takes from outside. Nothing honest comes near it, and every walk over a value stays far from the end of the stack. */
const deepest = 200;

/** Whether a parsed value is nested deeper than px takes: `JSON.parse` has no limit, but `JSON.stringify` and schemas run out of stack. */
export function tooDeep(value: unknown, levels = deepest): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) if (tooDeep(inner, levels - 1)) return true;
  return false;
}
