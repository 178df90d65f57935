import { PxError } from '../error/error.ts';
import type { Tool } from '../tool/tool.ts';
import type { JsonObject } from '../wire/wire.ts';
import type { Schedule } from './schedule.ts';

/** The tools that let the agent set what px does by itself. Answers come to the conversation it is asked in. */
export function scheduleTools(schedule: Schedule): Tool[] {
  return [
    {
      name: 'schedule_add',
      description:
        'Do something later or again and again: the text is asked in this chat then. when: "at 2026-12-24T18:00", "cron 0 8 * * 1-5", "every 2h".',
      parameters: {
        type: 'object',
        properties: {
          when: { type: 'string', maxLength: 200 },
          text: { type: 'string', minLength: 1, maxLength: 2000 },
          zone: { type: 'string', maxLength: 64 },
        },
        required: ['when', 'text'],
        additionalProperties: false,
      },
      origin: 'px',
      reach: 'sends',
      wants: 'it sets what px does later by itself',
      async run(args, { conversation }) {
        const zone = word(args, 'zone');
        const job = await schedule.add({
          when: word(args, 'when') ?? '',
          text: word(args, 'text') ?? '',
          to: conversation,
          ...(zone === undefined ? {} : { zone }),
        });
        return `Set as ${job.id}; next ${job.next === undefined ? 'never' : new Date(job.next).toISOString()}.`;
      },
    },
    {
      name: 'schedule_list',
      description: 'What is scheduled for this chat.',
      parameters: { type: 'object', properties: {}, additionalProperties: false },
      origin: 'px',
      reach: 'inside',
      async run(_args, { conversation }) {
        const jobs = (await schedule.list()).filter((job) => job.to === conversation);
        const line = ({ id, when, zone, next, text }: (typeof jobs)[number]) =>
          `${id}: ${when} (${zone}), ${next === undefined ? 'over' : `next ${new Date(next).toISOString()}`}: ${text}`;
        return jobs.map(line).join('\n') || 'Nothing is scheduled here.';
      },
    },
    {
      name: 'schedule_remove',
      description: 'Take something off the schedule of this chat.',
      parameters: {
        type: 'object',
        properties: { id: { type: 'string', maxLength: 64 } },
        required: ['id'],
        additionalProperties: false,
      },
      origin: 'px',
      reach: 'sends',
      wants: 'it changes what px does by itself',
      async run(args, { conversation }) {
        const id = word(args, 'id') ?? '';
        // One chat cannot take away what another has set.
        const own = (await schedule.list()).some((job) => job.id === id && job.to === conversation);
        if (!own || !(await schedule.remove(id)))
          throw new PxError('not-found', `There is no job ${id} here.`, { hint: 'schedule_list shows them.' });
        return `${id} is off the schedule.`;
      },
    },
  ];
}

function word(args: JsonObject, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' ? value : undefined;
}
