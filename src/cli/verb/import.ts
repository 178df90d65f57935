import type { ImportKind, ImportStep } from '../../memory/memory.ts';
import { importTools, shownPath } from '../../memory/memory.ts';
import { some } from '../count.ts';
import { type Context, group, verb } from '../verb.ts';
import type { JobStep } from './import-jobs.ts';

const args = {
  folder: { type: 'positional', required: true, description: 'The folder to bring in.' },
  'dry-run': { type: 'boolean', description: 'Only say what would be done.' },
} as const;

/** Brings notes in, or says what would become of them; an empty folder stands in for a memory that is not there yet. */
async function bring({ home }: Context, folder: string, kind: ImportKind, dryRun: boolean): Promise<ImportStep[]> {
  const { importFolder } = await importTools();
  const { mkdir, mkdtemp, realpath, rm } = await import('node:fs/promises');
  if (!dryRun) await mkdir(home.memory, { recursive: true, mode: 0o700 });
  const memory = await realpath(home.memory).catch(() => undefined);
  if (memory !== undefined) return importFolder(memory, folder, kind, dryRun);
  const { tmpdir } = await import('node:os');
  const empty = await realpath(await mkdtemp(`${tmpdir()}/px-import-`));
  try {
    return await importFolder(empty, folder, kind, true);
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
}

function tell({ io }: Context, steps: ImportStep[], dryRun: boolean): void {
  for (const { from, to, what, why } of steps)
    io.line(
      `${what.padEnd(8)}  ${shownPath(from)}${to === '' ? '' : ` → memory/${to}`}${why === '' ? '' : `  (${why})`}`,
    );
  const count = (which: (one: ImportStep) => boolean) => steps.filter(which).length;
  const comes = ({ what }: ImportStep) => what !== 'same' && what !== 'left out';
  const [notes, sessions] = [
    count((one) => comes(one) && !one.session),
    count((one) => comes(one) && one.session === true),
  ];
  const fresh = [some(notes, 'note'), ...(sessions === 0 ? [] : [some(sessions, 'conversation')])].join(' and ');
  const [same, left] = [count(({ what }) => what === 'same'), count(({ what }) => what === 'left out')];
  io.line(`${dryRun ? 'Would bring in' : 'Brought in'} ${fresh}; ${same} are there already, ${left} left out.`);
}

function tellJobs({ io }: Context, steps: JobStep[], line: (step: JobStep) => string, dryRun: boolean): void {
  for (const step of steps) io.line(line(step));
  const count = (what: JobStep['what']) => steps.filter((one) => one.what === what).length;
  const [fresh, added] = [count('new'), count('added')];
  if (added > 0) io.line(`Added ${some(added, 'job')} to the schedule: px schedule list shows them.`);
  else if (fresh > 0 && dryRun)
    io.line(`${some(fresh, 'job')} could be added: with --jobs, and px runs them from then on.`);
  else if (fresh > 0) io.line(`${some(fresh, 'job')} not added: say --jobs to add them; px runs them from then on.`);
}

const markdown = verb({
  name: 'markdown',
  summary: 'Bring in a folder of Markdown or an Obsidian vault.',
  details:
    'The notes go to a folder of the same name below memory/. Nothing that is there is overwritten; links are not followed; what is not Markdown is named and left out.',
  args,
  examples: ['px import markdown ~/notes --dry-run', 'px import markdown ~/notes'],
  async run({ args, ...context }) {
    const dryRun = args['dry-run'] === true;
    const steps = await bring(context, args.folder, 'markdown', dryRun);
    if (context.json) context.io.data({ dryRun, steps });
    else tell(context, steps, dryRun);
    return 0;
  },
});

const openclaw = verb({
  name: 'openclaw',
  summary: 'Bring in the notes, conversations and jobs of OpenClaw.',
  details:
    'DIR is its home (~/.openclaw, ~/.clawdbot, ~/.moltbot) or a workspace. MEMORY.md, USER.md, SOUL.md, AGENTS.md, daily notes and all other Markdown keep their names; a note px has already with other words stays, and the imported one goes beside it. Each conversation becomes a note below memory/imported/openclaw/, marked as text from outside; it is no part of px’s own journal. Jobs are only shown until you say --jobs. A second import adds nothing twice.',
  args: {
    ...args,
    jobs: { type: 'boolean', description: 'Put its jobs on the schedule; px runs them from then on.' },
    to: {
      type: 'string',
      description:
        'The conversation that gets the answers of the jobs; left out: the Telegram chat OpenClaw answered, else cli/default.',
      valueHint: 'CHANNEL/CHAT',
    },
  },
  examples: [
    'px import openclaw ~/.openclaw --dry-run',
    'px import openclaw ~/.openclaw',
    'px import openclaw ~/.openclaw --jobs --to telegram/4711',
  ],
  async run({ args, ...context }) {
    const dryRun = args['dry-run'] === true;
    const steps = await bring(context, args.folder, 'openclaw', dryRun);
    const [{ openclawJobs }, { addJobs, jobLine, planJobs }] = await Promise.all([
      importTools(),
      import('./import-jobs.ts'),
    ]);
    const planned = await planJobs(context.home.memory, await openclawJobs(args.folder), args.to);
    const jobs = args.jobs === true && !dryRun ? await addJobs(context, planned) : planned;
    if (context.json) context.io.data({ dryRun, steps, jobs });
    else {
      tell(context, steps, dryRun);
      tellJobs(context, jobs, jobLine, dryRun);
    }
    return 0;
  },
});

/** `px import …`. */
export const importing = group({
  name: 'import',
  summary: 'Bring your past: notes, conversations and jobs of other programs.',
  examples: ['px import markdown ~/notes --dry-run', 'px import openclaw ~/.openclaw --dry-run'],
  verbs: { markdown: async () => markdown, openclaw: async () => openclaw },
});
