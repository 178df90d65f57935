import type { Json } from '../../wire/wire.ts';

/**
 * Whether a message holds everything that stands in a pattern: every field of an object, for each entry of a list one that holds it, and
 * plain values as they are. `null` stands for a field that is `null` or not there.
 */
export function holds(message: Json | undefined, pattern: Json): boolean {
  if (pattern === null) return message === null || message === undefined;
  if (typeof pattern !== 'object') return message === pattern;
  if (typeof message !== 'object' || message === null) return false;
  if (Array.isArray(pattern))
    return Array.isArray(message) && pattern.every((wanted) => message.some((entry) => holds(entry, wanted)));
  if (Array.isArray(message)) return false;
  return Object.entries(pattern).every(([key, wanted]) =>
    holds(Object.hasOwn(message, key) ? message[key] : undefined, wanted),
  );
}

/** The value at a JSON pointer (`/d/seq`); undefined where there is none. */
export function valueAt(message: Json, pointer: string): Json | undefined {
  let at: Json | undefined = message;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null) return undefined;
    at = Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined;
  }
  return at;
}

/** A text as JSON; undefined when it is none. */
export function readJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
