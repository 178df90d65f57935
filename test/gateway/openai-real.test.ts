import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import OpenAI, { APIError } from 'openai';
import { type App, startApp } from '../../src/app/app.ts';
import { homeAt } from '../../src/config/config.ts';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import { hasOpenAiSchema, noSchema, openAiJudge } from './openai-schema.ts';

const root = mkdtempSync(join(tmpdir(), 'px-openai-'));
const mock = new LLMock({ port: 0 });
let app: App;
let gateway: Gateway;
let openai: OpenAI;

beforeAll(async () => {
  mock.on(
    { userMessage: 'weather', hasToolResult: false },
    { toolCalls: [{ name: 'weather', arguments: { town: 'Graz' } }] },
  );
  mock.on({ userMessage: 'weather', hasToolResult: true }, { content: 'It is sunny in Graz.' });
  mock.on({ userMessage: 'json' }, { content: '{"town":"Graz"}' });
  mock.on({ userMessage: 'think' }, { reasoning: 'let me see', content: 'Thought through.' });
  mock.on({ userMessage: 'slow down' }, { error: { message: 'slow down', type: 'rate_limit_error' }, status: 429 });
  mock.on({ userMessage: 'hello' }, { content: 'Hello there, friend. 🦊' });
  await mock.start();
  const home = homeAt(root);
  const server = (path: string) => `{ base_url: "${mock.url}${path}", api_key: "\${TEST_KEY}" }`;
  writeFileSync(
    home.config,
    `model: { default: offline/px }\nproviders:\n  openai: ${server('/v1')}\n  anthropic: ${server('')}\n  gemini: ${server('')}\n  ollama: { base_url: "${mock.url}" }\n`,
  );
  const get = (name: string) => (name === 'TEST_KEY' ? 'test-key-123' : undefined);
  app = await startApp({ home, env: { home: undefined, userHome: root, get }, version: '1.2.3', quiet: true });
  gateway = await startGateway({ app, port: 0 });
  openai = new OpenAI({ apiKey: gateway.token, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
}, 30_000);
afterAll(async () => {
  await gateway.stop();
  await app.close();
  await mock.stop();
  rmSync(root, { recursive: true, force: true });
});

const models = ['openai/gpt-4o', 'anthropic/claude-sonnet-4-5', 'gemini/gemini-2.5-flash', 'ollama/llama3'];
const parameters = { type: 'object', properties: { town: { type: 'string' } } };
const chatTool = { type: 'function' as const, function: { name: 'weather', parameters } };
const tool = { type: 'function' as const, name: 'weather', parameters, strict: false };
const refused = (work: PromiseLike<unknown>) =>
  Promise.resolve(work).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

describe.each(models)("OpenAI's own client on a real px, model %s", (model) => {
  test('chats and calls its own tool, streaming and not', async () => {
    const ask = { model, messages: [{ role: 'user' as const, content: 'hello' }] };
    expect((await openai.chat.completions.create(ask)).choices[0]?.message.content).toBe('Hello there, friend. 🦊');
    const weather = { ...ask, messages: [{ role: 'user' as const, content: 'weather' }], tools: [chatTool] };
    const final = await openai.chat.completions.stream(weather).finalChatCompletion();
    const call = final.choices[0]?.message.tool_calls?.[0];
    expect(call).toMatchObject({ function: { name: 'weather', arguments: '{"town":"Graz"}' } });
    const reply = await openai.chat.completions.create({
      ...weather,
      messages: [
        ...weather.messages,
        { role: 'assistant', content: null, tool_calls: call ? [call] : [] },
        { role: 'tool', tool_call_id: call?.id ?? '', content: 'sunny' },
      ],
    });
    expect(reply.choices[0]?.message.content).toBe('It is sunny in Graz.');
  });

  test('gets responses and continues after its tool, streaming and not', async () => {
    const plain = await openai.responses.create({ model, input: 'hello' });
    expect(plain.output_text).toBe('Hello there, friend. 🦊');
    const stream = openai.responses.stream({ model, input: 'weather', tools: [tool] });
    const first = await stream.finalResponse();
    const call = first.output.find((item) => item.type === 'function_call');
    expect(call).toMatchObject({ name: 'weather', arguments: '{"town":"Graz"}', status: 'completed' });
    const second = await openai.responses.create({
      model,
      tools: [tool],
      instructions: 'be brief',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'weather' }] },
        ...first.output.filter((item) => item.type === 'function_call'),
        { type: 'function_call_output', call_id: call?.call_id ?? '', output: 'sunny' },
      ],
    });
    expect([second.status, second.output_text]).toEqual(['completed', 'It is sunny in Graz.']);
  });
});

describe("OpenAI's own client on a real px", () => {
  test.each(['openai/text-embedding-3-small', 'text-embedding-3-small'])(
    'gets embeddings of %s, as base64 and as numbers alike',
    async (model) => {
      const input = ['hello', 'world'];
      const packed = await openai.embeddings.create({ model, input });
      const plain = await openai.embeddings.create({ model, input, encoding_format: 'float' });
      expect(plain.data.map((one) => one.index)).toEqual([0, 1]);
      const [a = [], b = []] = [packed.data[1]?.embedding, plain.data[1]?.embedding];
      expect(b.length).toBeGreaterThan(10);
      expect(Array.from(a)).toEqual(Array.from(new Float32Array(b)));
    },
  );

  test.each(['offline/px', 'anthropic/claude-haiku-4-5'])('is told that %s has no embeddings', async (model) => {
    expect(await refused(openai.embeddings.create({ model, input: 'x' }))).toMatchObject({
      status: 400,
      code: 'model.bad-request',
      message: expect.stringContaining('embeddings'),
    });
  });

  test('passes a JSON schema on to every provider that can hold to it', async () => {
    const schema = { type: 'object', properties: { town: { type: 'string' } }, required: ['town'] };
    for (const model of models) {
      const reply = await openai.chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'json' }],
        response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } },
      });
      expect(JSON.parse(reply.choices[0]?.message.content ?? '')).toEqual({ town: 'Graz' });
      const response = await openai.responses.create({
        model,
        input: 'json',
        text: { format: { type: 'json_schema', name: 'place', schema, strict: true } },
      });
      expect(JSON.parse(response.output_text)).toEqual({ town: 'Graz' });
    }
    const format = { type: 'json_object' as const };
    const cannot = ['offline/px', 'px'].map((model) =>
      refused(
        openai.chat.completions.create({
          model,
          messages: [{ role: 'user', content: 'json' }],
          response_format: format,
        }),
      ),
    );
    for (const thrown of await Promise.all(cannot)) expect(thrown).toMatchObject({ status: 400 });
    // Anthropic has no such mode and is asked for it in words.
    const asked = { model: 'anthropic/claude-haiku-4-5', messages: [{ role: 'user' as const, content: 'json' }] };
    const { choices } = await openai.chat.completions.create({ ...asked, response_format: format });
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ town: 'Graz' });
    expect(JSON.stringify(mock.getRequests().at(-1)?.body)).toContain('one JSON object');
  });

  test('talks to the agent over responses, and one user keeps one conversation', async () => {
    await openai.responses.create({ model: 'px', input: 'remember that my bicycle is called Gudrun', user: 'anna' });
    const { output_text } = await openai.responses.create({ model: 'px', input: 'what is 2+2?', user: 'anna' });
    expect(output_text.length).toBeGreaterThan(0);
    expect((await app.memory.journal.conversations()).map((one) => one.conversation)).toContain('api/anna');
  });

  test('sees the summary of a thought before the answer', async () => {
    const { output } = await openai.responses.create({ model: 'anthropic/claude-sonnet-4-5', input: 'think' });
    expect(output.map((item) => item.type)).toEqual(['reasoning', 'message']);
  });

  test('retrieves one model by its reference', async () => {
    expect(await openai.models.retrieve('openai/gpt-4o')).toMatchObject({ id: 'openai/gpt-4o', owned_by: 'openai' });
    expect(await openai.models.retrieve('px')).toMatchObject({ id: 'px' });
    expect(await refused(openai.models.retrieve('nope'))).toMatchObject({ status: 404 });
  });

  test('learns why px cannot do it, with the parameter’s name', async () => {
    const asks: [object, string | null][] = [
      [{ model: 'openai/gpt-4o', input: 'x', previous_response_id: 'resp_1' }, 'previous_response_id'],
      [{ model: 'openai/gpt-4o', input: 'x', background: true }, 'background'],
      [{ model: 'openai/gpt-4o', input: 'x', tools: [{ type: 'web_search' }] }, 'tools.0.type'],
      [{ model: 'openai/gpt-4o', input: [] }, 'input'],
      [
        {
          model: 'openai/gpt-4o',
          input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'http://169.254.169.254/' }] }],
        },
        null,
      ],
    ];
    for (const [body, param] of asks) {
      const thrown = await refused(openai.post('/responses', { body }));
      expect(thrown).toBeInstanceOf(APIError);
      expect([body, thrown]).toMatchObject([body, { status: 400, type: 'invalid_request_error', param }]);
    }
    const limited = await refused(openai.responses.create({ model: 'openai/gpt-4o', input: 'slow down' }));
    expect(limited).toMatchObject({ status: 429, type: 'rate_limit_error' });
  }, 60_000);
});

describe.skipIf(!hasOpenAiSchema)(
  `valid against OpenAI's own schema${hasOpenAiSchema ? '' : ` (skipped: ${noSchema})`}`,
  () => {
    const call = (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') =>
      fetch(`${gateway.url}/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const events = async (response: Response): Promise<unknown[]> =>
      [...(await response.text()).matchAll(/^data: (\{.*)$/gm)].map((line) => JSON.parse(line[1] ?? ''));

    test('chat, chunks, responses and their events, models, embeddings, errors', async () => {
      const judge = openAiJudge();
      expect(judge('Response', { id: 1 }).length).toBeGreaterThan(3);
      const expectValid = (schema: string, value: unknown) =>
        expect([schema, value, judge(schema, value)]).toEqual([schema, value, []]);
      for (const model of [...models, 'px'])
        for (const text of model === 'px' ? ['hello'] : ['hello', 'weather', 'think']) {
          const chat = {
            model,
            messages: [{ role: 'user', content: text }],
            ...(model === 'px' ? {} : { tools: [chatTool] }),
          };
          expectValid('CreateChatCompletionResponse', await (await call('/chat/completions', chat)).json());
          const chunks = await events(
            await call('/chat/completions', { ...chat, stream: true, stream_options: { include_usage: true } }),
          );
          expect(chunks.length).toBeGreaterThan(2);
          for (const chunk of chunks) expectValid('CreateChatCompletionStreamResponse', chunk);
          const ask = { model, input: text, ...(model === 'px' ? {} : { tools: [tool] }), metadata: { a: 'b' } };
          expectValid('Response', await (await call('/responses', ask)).json());
          const told = await events(await call('/responses', { ...ask, stream: true }));
          expect(told.length).toBeGreaterThan(5);
          for (const event of told) expectValid('ResponseStreamEvent', event);
          expect(told.map((event) => Reflect.get(Object(event), 'sequence_number'))).toEqual(told.map((_, i) => i));
        }
      expectValid('ListModelsResponse', await (await call('/models')).json());
      expectValid('Model', await (await call('/models/openai%2Fgpt-4o')).json());
      expectValid(
        'CreateEmbeddingResponse',
        await (await call('/embeddings', { model: 'openai/text-embedding-3-small', input: 'x' })).json(),
      );
      const wrong: [Response, number][] = [
        [await call('/chat/completions', { messages: 'nope' }), 400],
        [await call('/responses', { model: 'nope/x', input: 'x' }), 404],
        [
          await call('/chat/completions', {
            model: 'openai/gpt-4o',
            messages: [{ role: 'user', content: 'slow down' }],
          }),
          429,
        ],
        [await call('/nothing', {}), 404],
        [await call('/responses'), 405],
        [await fetch(`${gateway.url}/v1/models`), 401],
        [await fetch(`${gateway.url}/v1/models`, { headers: { origin: 'http://evil.example' } }), 403],
      ];
      for (const [response, status] of wrong) {
        expect([response.url, response.status]).toEqual([response.url, status]);
        expectValid('ErrorResponse', await response.json());
      }
    }, 60_000);
  },
);
