import { LLMock } from '@copilotkit/aimock';

/** The four wire formats, as the npm package aimock speaks them, and how px.yaml points at them. */
export const providers = [
  {
    name: 'openai',
    model: 'openai/gpt-4o',
    config: (url: string) => ({ openai: { base_url: `${url}/v1`, api_key: '${TEST_KEY}' } }),
  },
  {
    name: 'openai responses',
    model: 'openai/gpt-4o',
    config: (url: string) => ({ openai: { base_url: `${url}/v1`, api_key: '${TEST_KEY}', api: 'responses' } }),
  },
  {
    name: 'anthropic',
    model: 'anthropic/claude-sonnet-4-5',
    config: (url: string) => ({ anthropic: { base_url: url, api_key: '${TEST_KEY}' } }),
  },
  {
    name: 'gemini',
    model: 'gemini/gemini-2.5-flash',
    config: (url: string) => ({ gemini: { base_url: url, api_key: '${TEST_KEY}' } }),
  },
  { name: 'ollama', model: 'ollama/llama3', config: (url: string) => ({ ollama: { base_url: url } }) },
] as const;

/** A started mock that asks for clock_now when the person says "time" and answers from its result. */
export async function clockMock(): Promise<LLMock & AsyncDisposable> {
  const mock = new LLMock({ port: 0 });
  mock.on({ userMessage: 'time', hasToolResult: false }, { toolCalls: [{ name: 'clock_now', arguments: {} }] });
  mock.on({ userMessage: 'time', hasToolResult: true }, { content: 'The clock plugin told me the time. ☕ Done.' });
  mock.on({ userMessage: 'hello' }, { content: 'Hello from the mock.' });
  await mock.start();
  return Object.assign(mock, { [Symbol.asyncDispose]: async () => void (await mock.stop()) });
}
