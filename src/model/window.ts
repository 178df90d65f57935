/** Longest wait for what Ollama says about a model, in ms. */
const askMs = 2_000;

/** The context window of a model of Ollama in tokens, as its server tells; undefined when it does not. The SDK is not loaded for this. */
export async function askOllamaWindow(baseUrl: string, apiKey: string | undefined, model: string) {
  try {
    const response = await fetch(`${baseUrl}/api/show`, {
      method: 'POST',
      body: JSON.stringify({ model }),
      signal: AbortSignal.timeout(askMs),
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
    });
    const body: unknown = await response.json();
    const info: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'model_info') : undefined;
    if (typeof info !== 'object' || info === null) return undefined;
    const found = Object.entries(info).find(([key]) => key.endsWith('.context_length'))?.[1];
    return typeof found === 'number' && found > 0 ? found : undefined;
  } catch {
    return undefined;
  }
}
