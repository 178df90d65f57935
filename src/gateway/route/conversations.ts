import * as v from 'valibot';
import type { JournalEntry } from '../../memory/memory.ts';
import { SendMessage } from '../../wire/wire.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';
import { sseResponse } from '../sse.ts';
import { finishTurn, followTurn } from '../turn.ts';

const params = v.object({ channel: s.channelName, chat: s.chatName });
const idOf = (p: { channel: string; chat: string }) => `${p.channel}/${p.chat}` as const;

/** Talking to the agent, and reading what was said. */
export const conversationRoutes = [
  route({
    method: 'GET',
    path: '/api/conversations',
    summary: 'Every conversation that has a journal, latest first.',
    auth: 'token',
    reply: v.object({ conversations: v.array(s.conversationSummary) }),
    run: async ({ app }) => ({ conversations: await app.memory.journal.conversations() }),
  }),
  route({
    method: 'GET',
    path: '/api/conversations/{channel}/{chat}',
    summary: 'The latest journal entries of a conversation, oldest first.',
    auth: 'token',
    params,
    query: v.object({
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 100),
      pictures: v.optional(v.picklist(['yes', 'no']), 'no'),
    }),
    reply: v.object({ conversation: v.string(), model: v.nullable(v.string()), entries: v.array(s.journalEntry) }),
    run: async ({ app, params, query }) => ({
      conversation: idOf(params),
      model: (await app.sessions.open(idOf(params))).model ?? null,
      entries: seen(
        await app.memory.journal.read(idOf(params), query.limit),
        query.pictures === 'yes' ? mostPictures : 0,
      ),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/conversations/{channel}/{chat}/messages',
    summary: 'Says something to the agent and waits for the answer, or follows it as Server-Sent Events.',
    auth: 'token',
    params,
    body: SendMessage,
    // 20 MB of attachments in base64, and the words.
    maxBytes: 30_000_000,
    reply: s.turnReply,
    events: 'Turn events (`turn.start`, `turn.text`, `turn.tool`, …, `turn.end` last), one JSON object each.',
    async run({ app, params, body, request, unhurried }) {
      unhurried();
      const ask = {
        conversation: idOf(params),
        text: body.text,
        attachments: body.attachments,
        ...(body.model === undefined ? {} : { model: app.models.resolve(body.model) }),
      };
      if (!(request.headers.get('accept') ?? '').includes('text/event-stream')) return finishTurn(app, ask);
      return sseResponse(sseEvents(followTurn(app, ask)));
    },
  }),
  route({
    method: 'POST',
    path: '/api/conversations/{channel}/{chat}/stop',
    summary: 'Stops the running turn.',
    auth: 'token',
    params,
    reply: v.object({ stopped: v.boolean() }),
    run: ({ app, params }) => ({ stopped: app.sessions.stop(idOf(params)) }),
  }),
  route({
    method: 'POST',
    path: '/api/conversations/{channel}/{chat}/model',
    summary: 'Chooses the model of one conversation, from the next message on; `default`: it follows px.yaml again.',
    auth: 'token',
    params,
    body: v.object({ model: s.modelName }),
    reply: v.object({ conversation: v.string(), model: v.string() }),
    run: async ({ app, params, body }) => {
      const model = ['default', 'auto'].includes(body.model) ? undefined : app.models.resolve(body.model);
      await app.setModel(idOf(params), model);
      return { conversation: idOf(params), model: model ?? app.models.default.ref };
    },
  }),
];

/** The most that is told of pictures, in characters of base64. */
const mostPictures = 1_500_000;

/** Attachments by name and size, since their bytes are files beside the journal; the latest pictures whole, as far as there is `room`. */
function seen(entries: JournalEntry[], room: number) {
  let left = room;
  const latestFirst = entries.toReversed().map((entry) => {
    if (entry.kind !== 'user' || !entry.attachments) return entry;
    const attachments = entry.attachments.map(({ data, ...part }) => {
      const whole = part.type === 'image' && data.length <= left;
      if (whole) left -= data.length;
      return { ...part, bytes: Buffer.byteLength(data, 'base64'), ...(whole && { data }) };
    });
    return { ...entry, attachments };
  });
  return latestFirst.reverse();
}

function sseEvents<E extends { type: string }>(events: AsyncIterable<E>) {
  return {
    [Symbol.asyncIterator]() {
      const inner = events[Symbol.asyncIterator]();
      return {
        async next() {
          const next = await inner.next();
          if (next.done) return { done: true as const, value: undefined };
          return { done: false as const, value: { event: next.value.type, data: JSON.stringify(next.value) } };
        },
        async return() {
          await inner.return?.();
          return { done: true as const, value: undefined };
        },
      };
    },
  };
}
