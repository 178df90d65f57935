import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const params = v.object({ id: v.pipe(v.string(), v.maxLength(64)) });

function found(yes: boolean, id: string): { ok: true } {
  if (!yes) throw new PxError('not-found', `There is no job ${id}.`, { hint: '`px schedule list` shows them.' });
  return { ok: true };
}

/** What px does by itself. */
export const scheduleRoutes = [
  route({
    method: 'GET',
    path: '/api/schedule',
    summary: 'What px does by itself, and when next.',
    auth: 'token',
    reply: v.object({ jobs: v.array(s.job) }),
    run: async ({ app }) => ({ jobs: await app.schedule.list() }),
  }),
  route({
    method: 'POST',
    path: '/api/schedule',
    summary: 'Adds a job: a time, what px is asked, and the conversation that gets the answer.',
    auth: 'token',
    body: v.object({
      id: v.optional(v.pipe(v.string(), v.maxLength(64))),
      when: v.pipe(
        v.string(),
        v.maxLength(200),
        v.description('`cron 0 8 * * 1-5`, `at 2026-12-24T18:00`, `every 2h`.'),
      ),
      zone: v.optional(v.pipe(v.string(), v.maxLength(64))),
      to: v.optional(s.conversationId, 'cli/default'),
      text: v.pipe(v.string(), v.minLength(1), v.maxLength(10_000)),
    }),
    reply: s.job,
    status: 201,
    errors: [409],
    run: ({ app, body: { id, zone, to, ...body } }) =>
      app.schedule.add({
        ...body,
        // The schema let through `channel/chat` only.
        to: to as `${string}/${string}`,
        ...(id === undefined ? {} : { id }),
        ...(zone === undefined ? {} : { zone }),
      }),
  }),
  route({
    method: 'DELETE',
    path: '/api/schedule/{id}',
    summary: 'Removes a job.',
    auth: 'token',
    params,
    reply: s.ok,
    run: async ({ app, params }) => found(await app.schedule.remove(params.id), params.id),
  }),
  route({
    method: 'POST',
    path: '/api/schedule/{id}/run',
    summary: 'Runs a job now, beside its times.',
    auth: 'token',
    params,
    reply: s.ok,
    run: async ({ app, params }) => found(await app.schedule.run(params.id), params.id),
  }),
];
