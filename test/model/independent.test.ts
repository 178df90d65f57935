import { afterAll, beforeAll, expect, test } from 'bun:test';
import { LLMock } from '@copilotkit/aimock';
import type { Message, ToolCallPart } from '../../src/wire/wire.ts';
import { ask, listed, never, open, read } from './fakes.ts';

// A server nobody here wrote, that speaks all wire formats; one for the whole file.
const mock = new LLMock({ port: 0 });
const tools = [
  {
    name: 'get_weather',
    description: 'Weather.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
];

beforeAll(async () => {
  mock.onMessage('hello', { content: 'Hi there! 🎉 This is a longer streamed reply.' });
  mock.on(
    { userMessage: 'weather', hasToolResult: false },
    {
      toolCalls: [
        { name: 'get_weather', arguments: { city: 'Paris' } },
        { name: 'get_weather', arguments: { city: 'Rome' } },
      ],
    },
  );
  mock.on({ userMessage: 'weather', hasToolResult: true }, { content: 'It is sunny in both.' });
  await mock.start();
});
afterAll(() => mock.stop());

const resultsFor = (calls: ToolCallPart[]): Message => ({
  role: 'tool',
  parts: calls.map((c) => ({
    type: 'tool-result',
    callId: c.id,
    name: c.name,
    content: [{ type: 'text', text: 'sun' }],
    isError: false,
  })),
});

const kinds = [
  ['openai/gpt-4o', 'chat'],
  ['openai/gpt-4o', 'responses'],
  ['anthropic/claude-haiku-5-5', 'chat'],
  ['gemini/gemini-2.5-flash', 'chat'],
  ['ollama/llama3', 'chat'],
] as const;

const openAt = (api: 'chat' | 'responses') =>
  open({
    yaml: {
      providers: {
        openai: { base_url: `${mock.url}/v1`, api },
        anthropic: { base_url: mock.url },
        gemini: { base_url: mock.url },
        ollama: { base_url: mock.url },
      },
    },
    env: { OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'x', GEMINI_API_KEY: 'x' },
  });

test.each(kinds)('%s (%s): text, then parallel tools, then the answer', async (ref, api) => {
  const { models } = await openAt(api);
  const hello = await read(models.stream(ask(ref, 'hello'), never), ref);
  expect(hello.text).toBe('Hi there! 🎉 This is a longer streamed reply.');

  const request = ask(ref, 'weather', { tools });
  const asked = await read(models.stream(request, never), ref);
  expect(asked.calls.map((c) => c.args)).toEqual([{ city: 'Paris' }, { city: 'Rome' }]);
  expect(asked.end).toEqual({ type: 'end', reason: 'tool-calls' });

  const results = resultsFor(asked.calls);
  const answered = await read(
    models.stream({ ...request, messages: [...request.messages, asked.message, results] }, never),
    ref,
  );
  expect(answered.text).toBe('It is sunny in both.');
  expect(answered.end).toEqual({ type: 'end', reason: 'stop' });
  models.close();
});

test('a conversation goes through all of them in turn, tool calls included', async () => {
  let messages: Message[] = [];
  for (const [ref, api] of kinds) {
    const { models } = await openAt(api);
    messages = [...messages, { role: 'user', parts: [{ type: 'text', text: 'weather' }] }];
    for (const _ of [1, 2]) {
      const step = await read(models.stream(ask(ref, '', { messages, tools }), never), ref);
      expect(step.end?.error).toBeUndefined();
      messages.push(step.message);
      if (step.calls.length === 0) break;
      messages.push(resultsFor(step.calls));
    }
    models.close();
  }
  expect(messages.filter((m) => m.role === 'assistant').length).toBeGreaterThanOrEqual(kinds.length);
});

test('the models each server lists are offered (this one lists none for Gemini)', async () => {
  const { models } = await openAt('chat');
  const providers = new Set((await listed(models)).map((m) => m.provider));
  expect([...providers].sort()).toEqual(['anthropic', 'offline', 'ollama', 'openai']);
});
