import { PxError } from '../error/error.ts';
import type { ProviderSettings } from './settings.ts';

/** How long Ollama may take to say that it is there, in ms. */
const probeMs = 300;
/** The same for what it says about a model. */
const askMs = 2_000;
/** px never asks Ollama for a larger window, in tokens (`contextSize` in provider/ollama.ts). */
const largest = 131_072;

type Server = Pick<ProviderSettings, 'baseUrl' | 'apiKey'>;

/** The models an Ollama server has; none when it does not answer in time. The SDK is not loaded for this. */
export async function listLocal(server: () => Server): Promise<string[]> {
  try {
    const models = field(await askOllama(server(), '/api/tags', probeMs), 'models');
    if (!Array.isArray(models)) return [];
    return models.flatMap((model: unknown) => {
      const name = field(model, 'name');
      return typeof name === 'string' && name !== '' ? [name] : [];
    });
  } catch {
    return [];
  }
}

/** The context window of a model of Ollama in tokens, as its server tells. The SDK is not loaded for this. Throws when it does not. */
export async function askOllamaWindow(server: Server, model: string): Promise<number> {
  const info = field(await askOllama(server, '/api/show', askMs, { model }), 'model_info');
  const found = Object.entries(info ?? {}).find(([key]) => key.endsWith('.context_length'))?.[1];
  if (typeof found === 'number' && found > 0) return Math.min(found, largest);
  throw new PxError('model.unknown', `Ollama does not tell the context window of ${model}.`);
}

async function askOllama({ baseUrl, apiKey }: Server, path: string, ms: number, body?: object): Promise<unknown> {
  const response = await fetch(`${baseUrl}${path}`, {
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(ms),
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
  });
  return response.json();
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
