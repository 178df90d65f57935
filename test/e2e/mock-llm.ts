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

/** What {@link chatRules} answers slowly. */
export const slowAnswer = 'This answer comes slowly, word by word, and is whole in the end. '.repeat(6);

/**
 * What a messenger's tests ask of a model: it sends a picture, reacts, answers slowly, says these texts where these words are in a message, and
 * has heard anything else.
 */
export function chatRules(mock: LLMock, texts: [words: string, answer: string][]): void {
  const tool = (words: string, name: string, args: Record<string, unknown>, then: string) => {
    mock.on({ userMessage: words, hasToolResult: false }, { toolCalls: [{ name, arguments: args }] });
    mock.on({ userMessage: words, hasToolResult: true }, { content: then });
  };
  tool('picture', 'send_file', { path: 'files/out.png', caption: 'a *dot*' }, 'There it is.');
  tool('like it', 'react', { emoji: '👍' }, 'I do.');
  for (const [words, answer] of texts) mock.on({ userMessage: words }, { content: answer });
  mock.on({ userMessage: 'slowly' }, { content: slowAnswer }, { latency: 150 });
  mock.on({ userMessage: /.*/ }, { content: 'Heard.' });
}
