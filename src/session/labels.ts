import type { JournalEntry } from '../memory/memory.ts';

/**
 * Where the text from outside came from that stands in these entries, or in a summary among them: `plugin/web-fetch`, `mcp/github`,
 * `guest/Bob`. Empty when all of it is the owner's and px's own.
 */
export function labelsOf(entries: JournalEntry[]): string[] {
  const labels = new Set<string>();
  for (const entry of entries) {
    const outside = entry.kind === 'note' ? noted(entry.data) : 'outside' in entry ? entry.outside : undefined;
    for (const label of outside ?? []) labels.add(label);
  }
  return [...labels];
}

function noted(data: unknown): string[] {
  const outside: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'outside') : undefined;
  return Array.isArray(outside) ? outside.filter((label) => typeof label === 'string') : [];
}
