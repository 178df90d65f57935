import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { group, verb } from '../verb.ts';
import { when } from './outbox.ts';

const name = { id: { type: 'positional', required: true, description: 'Its name; list shows it.' } } as const;

const list = verb({
  name: 'list',
  summary: 'List what px does by itself, and when next.',
  args: {},
  examples: ['px schedule list'],
  async run(context) {
    await using backend = await openBackend(context);
    const jobs = await backend.client.schedule();
    if (context.json) context.io.data(jobs);
    else if (jobs.length === 0) context.io.line('Nothing is scheduled.');
    else
      context.io.line(
        table(
          jobs.map((job) => [
            job.id,
            job.when,
            job.zone,
            job.next === undefined ? 'over' : `next ${when(job.next)}`,
            job.to,
            job.text.replace(/\s+/g, ' ').slice(0, 50),
          ]),
        ),
      );
    return 0;
  },
});

const add = verb({
  name: 'add',
  summary: 'Let px do something by itself.',
  details:
    'WHEN is `cron 0 8 * * 1-5`, `at 2026-12-24T18:00`, `every 2h` or `heartbeat 30m` (asks only when HEARTBEAT.md has something open). A run missed while px was off is caught up once, within a day. The truth is memory/schedule.md.',
  args: {
    when: { type: 'positional', required: true, description: 'The time, in quotes.' },
    text: { type: 'positional', required: true, description: 'What px is asked then.' },
    to: { type: 'string', description: 'The conversation that gets the answer.', valueHint: 'CHANNEL/CHAT' },
    name: { type: 'string', description: 'A name for it.', valueHint: 'NAME' },
    zone: { type: 'string', description: 'The time zone; left out: that of this machine.', valueHint: 'ZONE' },
  },
  examples: [
    'px schedule add "cron 0 8 * * 1-5" "what is on today?" --to telegram/4711',
    'px schedule add "at 2026-12-24T18:00" "wish me a merry Christmas" --zone Europe/Zurich',
  ],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const job = await backend.client.addJob({
      when: args.when,
      text: args.text,
      ...(args.to === undefined ? {} : { to: args.to }),
      ...(args.name === undefined ? {} : { id: args.name }),
      ...(args.zone === undefined ? {} : { zone: args.zone }),
    });
    if (context.json) context.io.data(job);
    else context.io.line(`${job.id}: next ${job.next === undefined ? 'never' : when(job.next)}.`);
    return 0;
  },
});

const remove = verb({
  name: 'remove',
  summary: 'Take something off the schedule.',
  args: name,
  examples: ['px schedule remove morning'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.removeJob(args.id);
    if (context.json) context.io.data({ removed: args.id });
    else context.io.line(`${args.id} is off the schedule.`);
    return 0;
  },
});

const run = verb({
  name: 'run',
  summary: 'Do something on the schedule now.',
  args: name,
  examples: ['px schedule run morning'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.runJob(args.id);
    if (context.json) context.io.data({ running: args.id });
    else context.io.line(backend.running ? `${args.id} runs.` : `${args.id} runs when px runs.`);
    return 0;
  },
});

/** `px schedule …`. */
export const schedule = group({
  name: 'schedule',
  summary: 'Let px do something by itself, at a time.',
  examples: ['px schedule list', 'px schedule add "every 2h" "any news?" --to telegram/4711'],
  verbs: { list: async () => list, add: async () => add, remove: async () => remove, run: async () => run },
});
