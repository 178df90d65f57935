import { importTools } from '../../memory/memory.ts';
import { group, verb } from '../verb.ts';

const args = {
  folder: { type: 'positional', required: true, description: 'The folder to bring in.' },
  'dry-run': { type: 'boolean', description: 'Only say what would be done.' },
} as const;

function importVerb(kind: 'markdown' | 'openclaw', summary: string, details: string) {
  return verb({
    name: kind,
    summary,
    details,
    args,
    examples: [
      `px import ${kind} ${kind === 'openclaw' ? '~/.openclaw' : '~/notes'} --dry-run`,
      `px import ${kind} ${kind === 'openclaw' ? '~/.openclaw' : '~/notes'}`,
    ],
    async run({ args, home, io, json }) {
      const { importFolder } = await importTools();
      const dryRun = args['dry-run'] === true;
      const { mkdir, realpath } = await import('node:fs/promises');
      await mkdir(home.memory, { recursive: true, mode: 0o700 });
      const steps = await importFolder(await realpath(home.memory), args.folder, kind, dryRun);
      const count = (what: string) => steps.filter((one) => one.what === what).length;
      if (json) io.data({ dryRun, steps });
      else {
        for (const { from, to, what, why } of steps)
          io.line(`${what.padEnd(8)}  ${from}${to === '' ? '' : ` → memory/${to}`}${why === '' ? '' : `  (${why})`}`);
        const [fresh, same, left] = [count('new') + count('beside'), count('same'), count('left out')];
        io.line(
          `${dryRun ? 'Would bring in' : 'Brought in'} ${fresh} notes; ${same} are there already, ${left} left out.`,
        );
      }
      return 0;
    },
  });
}

const markdown = importVerb(
  'markdown',
  'Bring in a folder of Markdown or an Obsidian vault.',
  'The notes go to a folder of the same name below memory/. Nothing that is there is overwritten; links are not followed; what is not Markdown is named and left out.',
);

const openclaw = importVerb(
  'openclaw',
  'Bring in the notes of an OpenClaw home or workspace.',
  'MEMORY.md, USER.md, SOUL.md, AGENTS.md, daily notes and all other Markdown keep their names. A note px has already with other words stays; the imported one goes beside it. Sessions and schedules are not brought in.',
);

/** `px import …`. */
export const importing = group({
  name: 'import',
  summary: 'Bring your past: notes of other programs.',
  examples: ['px import markdown ~/notes --dry-run', 'px import openclaw ~/.openclaw --dry-run'],
  verbs: { markdown: async () => markdown, openclaw: async () => openclaw },
});
