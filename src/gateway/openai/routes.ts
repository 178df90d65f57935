import * as v from 'valibot';
import type { App } from '../../app/app.ts';
import { PxError } from '../../error/error.ts';
import { type ModelEvent, type ModelInfo, providerName } from '../../model/model.ts';
import { route } from '../route.ts';
import { sseResponse } from '../sse.ts';
import { agentEvents } from './agent.ts';
import { EmbeddingsReply, EmbeddingsRequest, embeddingsReply } from './embeddings.ts';
import { itemsOf } from './items.ts';
import { ChatReply } from './reply.ts';
import { ChatRequest, toModelRequest } from './request.ts';
import { type OutputItem, openResponse, ResponsesReply } from './responses-reply.ts';
import { ResponsesRequest, toChatRequest } from './responses-request.ts';
import { collectResponse, responseEvents } from './responses-stream.ts';
import { chunks, collect, envelope, peek } from './stream.ts';

const modelReply = v.object({
  id: v.string(),
  object: v.literal('model'),
  created: v.number(),
  owned_by: v.string(),
});
const modelObject = (id: string, owned_by: string): v.InferOutput<typeof modelReply> => ({
  id,
  object: 'model',
  created: 0,
  owned_by,
});

/** The agent, or one model alone. */
function answering(app: App, body: ChatRequest, signal: AbortSignal): AsyncIterable<ModelEvent> {
  if (body.model === 'px') return agentEvents(app, body, signal);
  const most = app.config.current.model.max_output_tokens;
  return app.models.stream(toModelRequest(body, app.models.resolve(body.model), most), signal);
}

/** OpenAI's wire API, so that any program made for it can talk to px. */
export const openAiRoutes = [
  route({
    method: 'POST',
    path: '/v1/chat/completions',
    summary: 'OpenAI-compatible chat completion: model `px` is the agent, `provider/model` that model alone.',
    auth: 'token',
    shape: 'openai',
    // Pictures and documents come within.
    maxBytes: 30_000_000,
    body: ChatRequest,
    reply: ChatReply,
    events: "OpenAI's `chat.completion.chunk` objects, then `[DONE]`; sent when `stream` is true.",
    errors: [402, 422, 502, 503, 504],
    async run({ app, body, request, unhurried }) {
      unhurried();
      if ((body.n ?? 1) > 1) throw new PxError('gateway.bad-request', 'px gives one answer: n must be 1.');
      const events = answering(app, body, request.signal);
      const head = envelope(body.model);
      if (!body.stream) return collect(head, events);
      return sseResponse(chunks(head, await peek(events), body.stream_options?.include_usage ?? false));
    },
  }),
  route({
    method: 'POST',
    path: '/v1/responses',
    summary:
      'OpenAI-compatible response: model `px` is the agent, `provider/model` that model alone. Nothing is stored.',
    auth: 'token',
    shape: 'openai',
    maxBytes: 30_000_000,
    body: ResponsesRequest,
    reply: ResponsesReply,
    events: "OpenAI's response events, `response.created` first; sent when `stream` is true.",
    errors: [402, 422, 502, 503, 504],
    async run({ app, body, request, unhurried }) {
      unhurried();
      const items = itemsOf(app);
      const keep = (output: OutputItem[]) => body.store !== false && items.keep(output);
      const events = answering(app, toChatRequest(body, items), request.signal);
      const open = openResponse(body);
      if (!body.stream) {
        const response = await collectResponse(open, events);
        keep(response.output);
        return response;
      }
      return sseResponse(responseEvents(open, await peek(events), keep));
    },
  }),
  route({
    method: 'POST',
    path: '/v1/embeddings',
    summary: 'OpenAI-compatible embeddings, by a model of openai, gemini or ollama.',
    auth: 'token',
    shape: 'openai',
    body: EmbeddingsRequest,
    reply: EmbeddingsReply,
    errors: [402, 422, 502, 503, 504],
    async run({ app, body, request, unhurried }) {
      unhurried();
      const made = await app.models.embed(
        {
          model: embeddingModel(app, body.model),
          input: typeof body.input === 'string' ? [body.input] : body.input,
          ...(typeof body.dimensions === 'number' ? { dimensions: body.dimensions } : {}),
        },
        request.signal,
      );
      return embeddingsReply(body, made);
    },
  }),
  route({
    method: 'GET',
    path: '/v1/models',
    summary: 'OpenAI-compatible list of what `model` may be.',
    auth: 'token',
    shape: 'openai',
    reply: v.object({ object: v.literal('list'), data: v.array(modelReply) }),
    async run({ app, request, unhurried }) {
      unhurried();
      const models: ModelInfo[] = await app.models.list(request.signal);
      return { object: 'list', data: [modelObject('px', 'px'), ...models.map((m) => modelObject(m.ref, m.provider))] };
    },
  }),
  route({
    method: 'GET',
    path: '/v1/models/{model}',
    summary: 'OpenAI-compatible description of one model, by reference or alias.',
    auth: 'token',
    shape: 'openai',
    params: v.object({ model: v.pipe(v.string(), v.minLength(1), v.maxLength(200)) }),
    reply: modelReply,
    run({ app, params }) {
      if (params.model === 'px') return modelObject('px', 'px');
      const ref = app.models.resolve(params.model);
      return modelObject(params.model, providerName(ref));
    },
  }),
];

/** OpenAI's own embedding models may be named as its SDK names them, without the provider. */
function embeddingModel(app: App, name: string) {
  return /^text-embedding-[\w-]+$/.test(name) && !Object.hasOwn(app.config.current.model.aliases, name)
    ? (`openai/${name}` as const)
    : app.models.resolve(name);
}
