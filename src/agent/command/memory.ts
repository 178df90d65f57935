import { clip } from '../request.ts';
import type { Command } from './command.ts';

/** Most passages shown. */
const MOST = 5;

/** `/memory WORDS`: looks in the notes without asking a model; alone: how many there are, and what changed last. */
export const memory: Command = {
  name: 'memory',
  argument: '[WORDS]',
  summary: 'search my notes; alone: what I wrote last',
  urgent: true,
  owner: true,
  async run({ memory, argument }) {
    if (argument === '') {
      const { notes, chunks } = memory.stats();
      const changes = await memory.history.log({ limit: MOST });
      const lines = changes.map(
        ({ n, path, at, added, removed }) =>
          `#${n} ${path} (${new Date(at).toLocaleString('sv').slice(0, 16)}, +${added} −${removed})`,
      );
      return [
        `${notes} notes, ${chunks} passages.`,
        ...(lines.length > 0 ? ['Written last (/undo N takes one back, if it was from here):', ...lines] : []),
      ].join('\n');
    }
    await memory.fresh();
    const hits = memory.search(argument, { limit: MOST });
    if (hits.length === 0) return `Nothing in memory matches "${clip(argument, 100)}".`;
    return hits
      .map(
        (hit) => `${hit.path}#${hit.line}${hit.heading ? ` (${hit.heading})` : ''}\n${clip(hit.snippet.trim(), 400)}`,
      )
      .join('\n\n');
  },
};
