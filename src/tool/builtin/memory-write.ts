import { PxError } from '../../error/error.ts';
import type { Memory } from '../../memory/memory.ts';
import type { Tool } from '../tool.ts';
import { text } from './read.ts';

/** `memory_write`: keeps something for later, in MEMORY.md unless told otherwise. */
export function memoryWrite(memory: Memory): Tool {
  return {
    name: 'memory_write',
    description: 'Keep a lasting fact: appends Markdown to a note (default MEMORY.md).',
    parameters: {
      type: 'object',
      properties: {
        text: { type: 'string', minLength: 1, maxLength: 100_000 },
        path: { type: 'string', minLength: 1, maxLength: 400 },
        mode: { enum: ['append', 'replace'] },
      },
      required: ['text'],
      additionalProperties: false,
    },
    origin: 'px',
    async run(args, { conversation, turn }) {
      const path = text(args, 'path');
      const mode = args['mode'] === 'replace' ? 'replace' : 'append';
      if (mode === 'replace' && path === undefined)
        throw new PxError('tool.arguments', 'replace needs a path.', {
          hint: 'Name the note to replace, or leave mode out to append to MEMORY.md.',
        });
      const at = await memory.write(path ?? 'MEMORY.md', text(args, 'text') ?? '', mode, { conversation, turn });
      return `Kept in ${at.path}#${at.line}.`;
    },
  };
}
