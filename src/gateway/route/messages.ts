import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const number = v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'the number that the list shows'), v.transform(Number));
const params = v.object({ id: number });

function found(yes: boolean, message: string, list: string): { ok: true } {
  if (!yes) throw new PxError('not-found', message, { hint: `\`px ${list} list\` shows what there is.` });
  return { ok: true };
}

/** Messages on their way: what has come in and has no answer, what has not arrived. */
export const messageRoutes = [
  route({
    method: 'GET',
    path: '/api/inbox',
    summary: 'Messages without an answer: those in hand, and those that came too late and are only listed.',
    auth: 'token',
    reply: v.object({ messages: v.array(s.openMessage) }),
    run: ({ app }) => ({ messages: app.channels.inbox() }),
  }),
  route({
    method: 'POST',
    path: '/api/inbox/{id}/answer',
    summary: 'Answers a message that came too late to be answered by itself.',
    auth: 'token',
    params,
    reply: s.ok,
    run: ({ app, params }) =>
      found(app.channels.answerOld(params.id), `No message ${params.id} was set aside.`, 'inbox'),
  }),
  route({
    method: 'DELETE',
    path: '/api/inbox/{id}',
    summary: 'Drops a message without an answer.',
    auth: 'token',
    params,
    reply: s.ok,
    run: ({ app, params }) => found(app.channels.dismiss(params.id), `There is no open message ${params.id}.`, 'inbox'),
  }),
  route({
    method: 'GET',
    path: '/api/outbox',
    summary: 'Texts that have not arrived: waiting ones, refused ones, and those of which it is not known.',
    auth: 'token',
    reply: v.object({ parts: v.array(s.openPart) }),
    run: ({ app }) => ({ parts: app.channels.outbox() }),
  }),
  route({
    method: 'POST',
    path: '/api/outbox/{id}/retry',
    summary: 'Sends a dead letter again.',
    auth: 'token',
    params,
    reply: s.ok,
    run: ({ app, params }) =>
      found(app.channels.redeliver(params.id), `There is no dead letter ${params.id}.`, 'outbox'),
  }),
  route({
    method: 'DELETE',
    path: '/api/outbox/{id}',
    summary: 'Forgets a dead letter.',
    auth: 'token',
    params,
    reply: s.ok,
    run: ({ app, params }) => found(app.channels.discard(params.id), `There is no dead letter ${params.id}.`, 'outbox'),
  }),
];
