import type { OpenAI } from 'openai';
import type { Embeddings, EmbedRequest, ModelRequest, Provider } from '../model.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { type Emit, wireProvider } from '../protocol/run.ts';
import { modelName } from '../ref.ts';
import type { ProviderSettings } from '../settings.ts';

/** OpenAI and every server that speaks its Chat Completions or Responses API. */
export function openaiProvider(settings: () => ProviderSettings, provider = 'openai'): Provider {
  return wireProvider({ provider, settings, open, list, embed });
}

async function embed(request: EmbedRequest, settings: ProviderSettings, exchange: Exchange): Promise<Embeddings> {
  const client = await openaiClient(settings);
  const { data, usage } = await client.embeddings.create(
    {
      model: modelName(request.model),
      input: request.input,
      // The SDK's own default is base64, which compatible servers often do not know.
      encoding_format: 'float',
      ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
    },
    through(exchange),
  );
  return {
    vectors: data.toSorted((a, b) => a.index - b.index).map((one) => one.embedding),
    tokens: usage?.prompt_tokens ?? 0,
  };
}

async function list(settings: ProviderSettings, exchange: Exchange): Promise<string[]> {
  const client = await openaiClient(settings);
  return (await client.models.list(through(exchange))).data.map((model) => model.id);
}

async function open(request: ModelRequest, settings: ProviderSettings, exchange: Exchange, emit: Emit): Promise<void> {
  const client = await exchange.race(openaiClient(settings));
  apis ??= { ...(await import('./openai-chat.ts')), ...(await import('./openai-responses.ts')) };
  const { chat, responses } = apis;
  await (settings.api === 'responses' ? responses : chat)(client, request, settings, exchange, emit);
}

type Apis = typeof import('./openai-chat.ts') & typeof import('./openai-responses.ts');
let apis: Apis | undefined;
/** The client made last: it takes as long to make one, and to look the SDK up again, as to prepare a request. */
let last: { key: string; client: OpenAI } | undefined;

async function openaiClient({ apiKey = 'none', baseUrl }: ProviderSettings): Promise<OpenAI> {
  const key = `${apiKey}\n${baseUrl}`;
  if (last?.key === key) return last.client;
  const { OpenAI } = await import('openai');
  const client = new OpenAI({
    apiKey,
    baseURL: baseUrl,
    fetch: (input, init: RequestInit & Carried = {}) => {
      const { exchange, ...rest } = init;
      return exchange ? exchange.fetch(input, rest) : Promise.reject(new Error('a request without an exchange'));
    },
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
    logLevel: 'off',
  });
  last = { key, client };
  return client;
}

/** What a request of the SDK carries along to its `fetch`, beside a field that both know. */
type Carried = { exchange?: Exchange } & Pick<RequestInit, 'keepalive'>;

/** The SDK's options of a request that an exchange makes. */
export function through(exchange: Exchange): { fetchOptions: Carried } {
  return { fetchOptions: { exchange } };
}

/** Models that think: they refuse sampling parameters and `max_tokens`. */
export function isReasoningModel(model: string): boolean {
  return /(^|\/)(gpt-([5-9]|\d\d)|o\d|codex)/.test(model) && !/chat-latest/.test(model);
}
