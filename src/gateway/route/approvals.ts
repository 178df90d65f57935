import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const params = v.object({ id: v.pipe(v.string(), v.maxLength(64)) });

/** Calls that wait for a person's word, and what was allowed for longer. */
export const approvalRoutes = [
  route({
    method: 'GET',
    path: '/api/approvals',
    summary: "Tool calls that wait for a person's word, oldest first, and what is allowed without asking again.",
    auth: 'token',
    reply: v.object({ approvals: v.array(s.approval), standing: v.array(s.standing) }),
    run: ({ app }) => ({ approvals: app.approvals.list(), standing: app.approvals.standing() }),
  }),
  route({
    method: 'POST',
    path: '/api/approvals/{id}',
    summary: 'Decides about a waiting call: once, until the end of its session, for some time, or no.',
    auth: 'token',
    params,
    body: v.object({
      decision: v.picklist(['once', 'session', 'time', 'deny']),
      minutes: v.optional(
        v.pipe(v.number(), v.minValue(1), v.maxValue(44_640), v.description('For `time`; an hour when left out.')),
      ),
    }),
    reply: s.approval,
    run: ({ app, params, body }) => app.approvals.decide(params.id, body.decision, 'owner', body.minutes),
  }),
  route({
    method: 'DELETE',
    path: '/api/approvals/{id}',
    summary: 'Takes back what was allowed for longer.',
    auth: 'token',
    params,
    reply: s.ok,
    run({ app, params }) {
      if (app.approvals.revoke(params.id)) return { ok: true };
      throw new PxError('not-found', `Nothing is allowed under ${params.id}.`, {
        hint: '`px approvals list` shows what is.',
      });
    },
  }),
];
