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
  const client = await openaiClient(settings, exchange);
  const { data, usage } = await client.embeddings.create({
    model: modelName(request.model),
    input: request.input,
    // The SDK's own default is base64, which compatible servers often do not know.
    encoding_format: 'float',
    ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
  });
  return {
    vectors: data.toSorted((a, b) => a.index - b.index).map((one) => one.embedding),
    tokens: usage?.prompt_tokens ?? 0,
  };
}

async function list(settings: ProviderSettings, exchange: Exchange): Promise<string[]> {
  const client = await openaiClient(settings, exchange);
  return (await client.models.list()).data.map((model) => model.id);
}

async function open(request: ModelRequest, settings: ProviderSettings, exchange: Exchange, emit: Emit): Promise<void> {
  const client = await exchange.race(openaiClient(settings, exchange));
  const { chat } = await import('./openai-chat.ts');
  const { responses } = await import('./openai-responses.ts');
  await (settings.api === 'responses' ? responses : chat)(client, request, settings, exchange, emit);
}

async function openaiClient(settings: ProviderSettings, exchange: Exchange) {
  const { OpenAI } = await import('openai');
  return new OpenAI({
    apiKey: settings.apiKey ?? 'none',
    baseURL: settings.baseUrl,
    fetch: exchange.fetch,
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
    logLevel: 'off',
  });
}

/** Models that think: they refuse sampling parameters and `max_tokens`. */
export function isReasoningModel(model: string): boolean {
  return /(^|\/)(gpt-([5-9]|\d\d)|o\d|codex)/.test(model) && !/chat-latest/.test(model);
}
