import { PxError } from '../../error/error.ts';
import { findFact, type Memory } from '../../memory/memory.ts';
import { markOutside } from '../../policy/policy.ts';
import type { Tool } from '../tool.ts';
import { text } from './read.ts';

/** Notes that every turn or a heartbeat begins with: what stands there px takes as its owner's. */
const instructing = new Set(['memory.md', 'user.md', 'soul.md', 'agents.md', 'heartbeat.md']);

/** Those of them that hold facts, a line each: what one of them says is not written into the other again. */
const factual = ['MEMORY.md', 'USER.md'];

function instructs(path = 'MEMORY.md'): boolean {
  const name = topNote(path);
  return name !== undefined && instructing.has(name);
}

function keepsFacts(path = 'MEMORY.md'): boolean {
  const name = topNote(path);
  return factual.some((one) => one.toLowerCase() === name);
}

/** The name of a note right below memory/, in small letters. */
function topNote(path: string): string | undefined {
  const parts = path
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  return parts.length <= 2 ? parts.at(-1)?.normalize('NFKC').toLowerCase() : undefined;
}

/** The lines that are kept already, with where. Text of another form than facts, a line each, is kept as it is. */
async function knownIn(memory: Memory, said: string): Promise<Map<string, string>> {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const known = new Map<string, string>();
  if (lines.length > 1 && !lines.every((line) => /^[-*+] /.test(line))) return known;
  for (const line of lines) {
    const place = await findFact(memory, line, factual);
    if (place !== undefined) known.set(line, place);
  }
  return known;
}

/** `memory_write`: keeps something for later, in MEMORY.md unless told otherwise. */
export function memoryWrite(memory: Memory): Tool {
  return {
    name: 'memory_write',
    description: 'Keep a lasting fact: appends Markdown to a note (default MEMORY.md; USER.md: who your owner is).',
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
      const given = text(args, 'text') ?? '';
      const known = mode === 'append' && keepsFacts(path) ? await knownIn(memory, given) : new Map<string, string>();
      const said = given
        .split('\n')
        .filter((line) => !known.has(line))
        .join('\n');
      const kept = [...known.values()].join(', ');
      if (said.trim() === '') return `Already kept in ${kept}.`;
      // A page that instructs is only written with the owner's word after text from outside was read, and then it is theirs.
      const marked = instructs(path) ? said : markOutside(said, labels?.() ?? []);
      const at = await memory.write(path ?? 'MEMORY.md', marked, mode, { conversation, turn });
      return `Kept in ${at.path}#${at.line}.${kept === '' ? '' : ` The rest was already in ${kept}.`}`;
    },
  };
}
