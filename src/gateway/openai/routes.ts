import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { route } from '../route.ts';
import { sseResponse } from '../sse.ts';
import { agentEvents } from './agent.ts';
import { ChatReply } from './reply.ts';
import { ChatRequest, toModelRequest } from './request.ts';
import { chunks, collect, envelope, peek } from './stream.ts';

/** OpenAI's wire API, so that any program made for it can talk to px. */
export const openAiRoutes = [
  route({
    method: 'POST',
    path: '/v1/chat/completions',
    summary: 'OpenAI-compatible chat completion: model `px` is the agent, `provider/model` that model alone.',
    auth: 'token',
    shape: 'openai',
    body: ChatRequest,
    reply: ChatReply,
    events: "OpenAI's `chat.completion.chunk` objects, then `[DONE]`; sent when `stream` is true.",
    errors: [422, 502, 503, 504],
    async run({ app, body, request, unhurried }) {
      unhurried();
      if ((body.n ?? 1) > 1) throw new PxError('gateway.bad-request', 'px gives one answer: n must be 1.');
      const { signal } = request;
      const events =
        body.model === 'px'
          ? agentEvents(app, body, signal)
          : app.models.stream(
              toModelRequest(body, app.models.resolve(body.model), app.config.current.model.max_output_tokens),
              signal,
            );
      const head = envelope(body.model);
      if (!body.stream) return collect(head, events);
      return sseResponse(chunks(head, await peek(events), body.stream_options?.include_usage ?? false));
    },
  }),
  route({
    method: 'GET',
    path: '/v1/models',
    summary: 'OpenAI-compatible list of what `model` may be.',
    auth: 'token',
    shape: 'openai',
    reply: v.object({
      object: v.literal('list'),
      data: v.array(
        v.object({ id: v.string(), object: v.literal('model'), created: v.number(), owned_by: v.string() }),
      ),
    }),
    async run({ app, request, unhurried }) {
      unhurried();
      const model = (id: string, owned_by: string) => ({ id, object: 'model', created: 0, owned_by });
      const models = await app.models.list(request.signal);
      return { object: 'list', data: [model('px', 'px'), ...models.map((m) => model(m.ref, m.provider))] };
    },
  }),
];
