import type { Memory } from '../../memory/memory.ts';
import type { Tool } from '../tool.ts';
import { integer, labelsOfNote, text } from './read.ts';

/** `memory_search`: full-text recall over every note and past conversation. */
export function memorySearch(memory: Memory): Tool {
  return {
    name: 'memory_search',
    description: 'Search notes and past conversations. Cite hits as file#line.',
    parameters: {
      type: 'object',
      properties: {
        query: { type: 'string', minLength: 1, maxLength: 500 },
        limit: { type: 'integer', minimum: 1, maximum: 20 },
      },
      required: ['query'],
      additionalProperties: false,
    },
    origin: 'px',
    reach: 'inside',
    async run(args) {
      const query = text(args, 'query') ?? '';
      // What was said a moment ago counts too.
      await memory.fresh();
      const hits = memory.search(query, { limit: integer(args, 'limit') ?? 6 });
      if (hits.length === 0) return `Nothing in memory matches "${query}".`;
      const outside = new Set<string>();
      for (const path of new Set(hits.map((hit) => hit.path)))
        for (const label of await labelsOfNote(memory, path)) outside.add(label);
      const answer = hits
        .map((hit) => `${hit.path}#${hit.line}${hit.heading ? ` (${hit.heading})` : ''}\n${hit.snippet.trim()}`)
        .join('\n\n');
      return { text: answer, outside: [...outside] };
    },
  };
}
