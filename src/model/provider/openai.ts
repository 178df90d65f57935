import type { ModelEvent, ModelRequest, Provider } from '../model.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { wireProvider } from '../protocol/run.ts';
import type { ProviderSettings } from '../settings.ts';

/** OpenAI and every server that speaks its Chat Completions or Responses API. */
export function openaiProvider(settings: () => ProviderSettings): Provider {
  return wireProvider({ provider: 'openai', settings, open, list });
}

async function list(settings: ProviderSettings, exchange: Exchange): Promise<string[]> {
  const client = await openaiClient(settings, exchange);
  return (await client.models.list()).data.map((model) => model.id);
}

async function* open(request: ModelRequest, settings: ProviderSettings, exchange: Exchange): AsyncIterable<ModelEvent> {
  const client = await exchange.race(openaiClient(settings, exchange));
  const { chat } = await import('./openai-chat.ts');
  const { responses } = await import('./openai-responses.ts');
  yield* settings.api === 'responses'
    ? responses(client, request, exchange)
    : chat(client, request, settings, exchange);
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
