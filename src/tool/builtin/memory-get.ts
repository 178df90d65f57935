import type { Memory } from '../../memory/memory.ts';
import type { Tool } from '../tool.ts';
import { integer, labelsOfNote, text } from './read.ts';

/** Lines given when a call does not say how many. */
const LINES = 80;

/** `memory_get`: lines of one note, by path or by a citation `file#line`. */
export function memoryGet(memory: Memory): Tool {
  return {
    name: 'memory_get',
    description: 'Read lines of a note. path may be a citation file#line.',
    parameters: {
      type: 'object',
      properties: {
        path: { type: 'string', minLength: 1, maxLength: 400 },
        from: { type: 'integer', minimum: 1 },
        lines: { type: 'integer', minimum: 1, maximum: 1000 },
      },
      required: ['path'],
      additionalProperties: false,
    },
    origin: 'px',
    reach: 'inside',
    async run(args) {
      const [, path = '', line] = /^(.*?)(?:#L?(\d+))?$/.exec(text(args, 'path') ?? '') ?? [];
      const from = integer(args, 'from') ?? (line ? Math.max(1, Number(line)) : 1);
      const note = await memory.get(path, from, integer(args, 'lines') ?? LINES);
      if (note.totalLines < note.from) return `${note.path} has only ${note.totalLines} lines.`;
      const last = Math.min(note.totalLines, note.from + note.text.replace(/\n$/, '').split('\n').length - 1);
      const answer = `${note.path}#${note.from} (lines ${note.from}-${last} of ${note.totalLines})\n${note.text}`;
      return { text: answer, outside: await labelsOfNote(memory, note.path) };
    },
  };
}
