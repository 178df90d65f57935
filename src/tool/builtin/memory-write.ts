import { PxError } from '../../error/error.ts';
import type { Memory } from '../../memory/memory.ts';
import { markOutside } from '../../policy/policy.ts';
import type { Tool } from '../tool.ts';
import { text } from './read.ts';

/** Notes that every turn or a heartbeat begins with: what stands there px takes as its owner's. */
const instructing = new Set(['memory.md', 'user.md', 'soul.md', 'agents.md', 'heartbeat.md']);

function instructs(path = 'MEMORY.md'): boolean {
  const parts = path
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  return parts.length <= 2 && instructing.has(parts.at(-1)?.normalize('NFKC').toLowerCase() ?? '');
}

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
    reach: (args) => (instructs(text(args, 'path')) ? 'sends' : 'inside'),
    async run(args, { conversation, turn, labels }) {
      const path = text(args, 'path');
      const mode = args['mode'] === 'replace' ? 'replace' : 'append';
      if (mode === 'replace' && path === undefined)
        throw new PxError('tool.arguments', 'replace needs a path.', {
          hint: 'Name the note to replace, or leave mode out to append to MEMORY.md.',
        });
      const said = text(args, 'text') ?? '';
      // A page that instructs is only written with the owner's word after text from outside was read, and then it is theirs.
      const kept = instructs(path) ? said : markOutside(said, labels?.() ?? []);
      const at = await memory.write(path ?? 'MEMORY.md', kept, mode, { conversation, turn });
      return `Kept in ${at.path}#${at.line}.`;
    },
  };
}
