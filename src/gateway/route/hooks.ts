import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { Attached } from '../../wire/wire.ts';
import { readBytes } from '../body.ts';
import { askHook, hookAnswer, takeHook } from '../hook.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const hookId = v.pipe(
  v.string(),
  v.regex(/^[\w.:-]{1,200}$/, 'up to 200 letters, digits, dots, dashes, colons and underscores'),
);
const asConversation = v.pipe(
  s.conversationId,
  v.transform((text) => text as `${string}/${string}`),
);
/** Longest wait for an answer, in seconds. */
const longest = 600;

/** Where others' programs come in: scripts with a token, and platforms whose messages come by webhook. */
export const hookRoutes = [
  route({
    method: 'POST',
    path: '/hooks/agent',
    summary:
      'A script says something to the agent: the same `id` is the same message, answered once. With `wait` the answer comes back.',
    auth: 'hook',
    body: v.object({
      text: v.pipe(v.string(), v.minLength(1), v.maxLength(100_000)),
      conversation: v.optional(asConversation, 'hook/default'),
      id: v.optional(
        v.pipe(hookId, v.description('Your own name of this message; the header Idempotency-Key does the same.')),
      ),
      wait: v.optional(
        v.pipe(
          v.union([v.boolean(), v.pipe(v.number(), v.minValue(0), v.maxValue(longest))]),
          v.description('Seconds to wait for the answer; `true`: two minutes. Without it the answer can be fetched.'),
        ),
        false,
      ),
      model: v.optional(s.modelName),
      deliver: v.optional(v.pipe(asConversation, v.description('A chat that gets the answer, too: `telegram/4711`.'))),
      attachments: v.optional(v.pipe(v.array(Attached), v.maxLength(10))),
    }),
    reply: s.hookReply,
    later: true,
    async run({ app, body, request, unhurried }) {
      const header = request.headers.get('idempotency-key') ?? undefined;
      if (header !== undefined && !v.is(hookId, header))
        throw new PxError('gateway.bad-request', 'Idempotency-Key is not an id px takes.');
      const { wait, ...said } = body;
      const call = { ...said, id: body.id ?? header };
      const seconds = wait === true ? 120 : wait === false ? 0 : wait;
      if (seconds > 0) {
        unhurried();
        return askHook(app, call, seconds * 1_000);
      }
      const { id, fresh } = takeHook(app, call);
      const now = fresh
        ? { accepted: true, id, conversation: call.conversation, state: 'waiting' as const }
        : await hookAnswer(app, call.conversation, id);
      return Response.json(now, { status: now.state === 'waiting' ? 202 : 200 });
    },
  }),
  route({
    method: 'GET',
    path: '/hooks/agent/{id}',
    summary: 'What became of a message of a script.',
    auth: 'hook',
    params: v.object({ id: hookId }),
    query: v.object({ conversation: v.optional(asConversation, 'hook/default') }),
    reply: s.hookReply,
    run: ({ app, params, query }) => hookAnswer(app, query.conversation, params.id),
  }),
  route({
    method: 'POST',
    path: '/hooks/channel/{channel}/{path}',
    summary:
      'Where a platform brings its messages (channels.NAME.webhook in px.yaml): its connector checks its secret.',
    auth: 'none',
    params: v.object({ channel: s.channelName, path: v.pipe(v.string(), v.maxLength(100)) }),
    reply: v.unknown(),
    async run({ app, params, request }) {
      const body = await readBytes(request, Math.min(1_000_000, app.config.current.gateway.max_body_bytes));
      const answer = await app.channels.webhook(params.channel, params.path, {
        method: request.method,
        url: new URL(request.url).pathname,
        headers: [...request.headers.entries()].filter(([name]) => name !== 'authorization' && name !== 'cookie'),
        body,
      });
      if (!answer) throw new PxError('not-found', 'There is nothing here.');
      return new Response(Buffer.from(answer.body), { status: answer.status, headers: answer.headers });
    },
  }),
  route({
    method: 'POST',
    path: '/api/channels/{channel}/{chat}/messages',
    summary:
      'Sends a text to a chat as it is, without the agent. It is kept until it has arrived: `/api/outbox` lists it.',
    auth: 'token',
    params: v.object({ channel: s.channelName, chat: s.chatName }),
    body: v.object({ text: v.pipe(v.string(), v.minLength(1), v.maxLength(100_000)) }),
    reply: s.ok,
    status: 202,
    run({ app, params, body }) {
      app.channels.send(params.channel, params.chat, body.text);
      return { ok: true };
    },
  }),
  route({
    method: 'GET',
    path: '/api/channels/{channel}/{chat}/history',
    summary: 'What was said in a chat, oldest first: as its platform tells it, or as the journal does.',
    auth: 'token',
    params: v.object({ channel: s.channelName, chat: s.chatName }),
    query: v.object({ limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500)), 50) }),
    reply: v.object({
      source: v.picklist(['platform', 'journal']),
      messages: v.array(
        v.object({ id: v.string(), sender: v.string(), name: v.string(), text: v.string(), at: v.number() }),
      ),
    }),
    run: ({ app, params, query }) => app.channels.history(params.channel, params.chat, query.limit),
  }),
];
