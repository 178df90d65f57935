import { PxError } from '../../error/error.ts';
import { auditTools } from '../../memory/memory.ts';
import { openBackend } from '../backend.ts';
import { withProgress } from '../progress.ts';
import { group, verb } from '../verb.ts';

const under = { type: 'string', description: 'Only below this folder of memory/.', valueHint: 'FOLDER' } as const;

const search = verb({
  name: 'search',
  summary: 'Search everything px remembers.',
  args: {
    text: { type: 'positional', required: true, description: 'Words to look for.' },
    limit: { type: 'string', default: '10', description: 'Most hits.', valueHint: 'N' },
    under,
    when: {
      type: 'string',
      description: 'Only transcripts and daily notes of a day or time: tuesday, 2025-11, 2025-11-01..2025-11-07.',
      valueHint: 'WHEN',
    },
    speaker: { type: 'string', description: 'Only where this person, or px, speaks.', valueHint: 'NAME' },
    tag: {
      type: 'string',
      description: 'Only passages with this #tag, and notes with it in their front matter.',
      valueHint: 'TAG',
    },
  },
  examples: [
    'px memory search bicycle',
    'px memory search dentist --when "last 7 days" --speaker Ada',
    'px memory search \'"blue whale" ocean*\' --tag animals',
    'px memory search "what did I plant" --limit 3',
    'px memory search tea --under journal',
  ],
  variadic: true,
  async run({ args, words, ...context }) {
    if (words.join('').trim() === '')
      throw new PxError('usage', 'There is nothing to look for.', { hint: 'px memory search bicycle' });
    const limit = Number(args.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 100)
      throw new PxError('usage', '--limit takes a number from 1 to 100.', { hint: 'px memory search tea --limit 5' });
    if (args.when !== undefined && !(await auditTools()).periodOf(args.when))
      throw new PxError('usage', `“${args.when}” is no day px knows.`, {
        hint: 'today, yesterday, tuesday, last 7 days, 2025-11-22, 2025-11, 2025-11-01..2025-11-07',
      });
    await using backend = await openBackend(context, { prepare: (app) => app.memory.settled() });
    const hits = await backend.client.search(words.join(' '), {
      limit,
      ...(args.under === undefined ? {} : { under: args.under }),
      ...(args.when === undefined ? {} : { when: args.when }),
      ...(args.speaker === undefined ? {} : { speaker: args.speaker }),
      ...(args.tag === undefined ? {} : { tag: args.tag }),
    });
    const { io } = context;
    if (context.json) io.data(hits);
    else if (hits.length === 0) io.line('Nothing found.');
    for (const hit of context.json ? [] : hits) {
      io.line(`${io.bold(`${hit.path}#${hit.line}`)}${hit.heading ? `  ${io.dim(hit.heading)}` : ''}`);
      io.line(`  ${hit.snippet.trim().replace(/\s*\n\s*/g, '\n  ')}`);
    }
    return 0;
  },
});

const rebuild = verb({
  name: 'rebuild',
  summary: 'Remake from Markdown what lost databases held: the index, and who may talk to px.',
  args: {},
  examples: ['px memory rebuild'],
  async run(context) {
    await using backend = await openBackend(context);
    const { client } = backend;
    const { notes: total } = (await client.status()).memory;
    const stats = await withProgress(context.io, 'indexing', client.rebuildMemory(), async () => ({
      done: (await client.status()).memory.notes,
      total,
      unit: 'notes',
    }));
    if (context.json) context.io.data(stats);
    else
      context.io.line(
        `${stats.notes} notes, ${stats.chunks} passages indexed.${stats.people > 0 ? ` ${stats.people} people may talk to px again.` : ''}`,
      );
    return 0;
  },
});

const list = verb({
  name: 'list',
  summary: 'List notes.',
  args: { under },
  examples: ['px memory list', 'px memory list --under journal'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const notes = await backend.client.notes(args.under);
    if (context.json) context.io.data(notes);
    else for (const note of notes) context.io.line(note);
    return 0;
  },
});

/** `px memory …`. */
export const memory = group({
  name: 'memory',
  summary: 'Search and list what px remembers, and take back what it wrote.',
  examples: ['px memory search bicycle', 'px memory undo'],
  verbs: {
    search: async () => search,
    list: async () => list,
    show: async () => (await import('./memory-show.ts')).show,
    log: async () => (await import('./memory-history.ts')).log,
    diff: async () => (await import('./memory-history.ts')).diff,
    undo: async () => (await import('./memory-history.ts')).undo,
    rebuild: async () => rebuild,
  },
});
