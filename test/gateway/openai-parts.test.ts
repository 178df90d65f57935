import { afterEach, beforeEach, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import { Items } from '../../src/gateway/openai/items.ts';
import { type Fake, fakeApp } from './fake-app.ts';

let fake: Fake;
let gateway: Gateway;
let openai: OpenAI;
beforeEach(async () => {
  fake = fakeApp();
  gateway = await startGateway({ app: fake.app, port: 0 });
  openai = new OpenAI({ apiKey: gateway.token, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
});
afterEach(() => gateway.stop());

const broke = { code: 'model.stream' as const, message: 'it broke', retryable: true };
const pixel = 'data:image/png;base64,iVBORw0KGgo=';
const told = async (stream: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>) => {
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
};

test('an image reaches the model, through chat and through responses', async () => {
  const image = { type: 'image', mime: 'image/png', data: 'iVBORw0KGgo=' };
  await openai.chat.completions.create({
    model: 'a/b',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what?' },
          { type: 'image_url', image_url: { url: pixel } },
        ],
      },
    ],
  });
  await openai.responses.create({
    model: 'a/b',
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'what?' },
          { type: 'input_image', image_url: pixel, detail: 'auto' },
        ],
      },
    ],
  });
  for (const request of fake.requests)
    expect(request.messages).toEqual([{ role: 'user', parts: [{ type: 'text', text: 'what?' }, image as never] }]);
});

test('a response keeps calls beside what was said, and names its tool when one is demanded', async () => {
  await openai.responses.create({
    model: 'a/b',
    input: [
      { role: 'user', content: 'weather?' },
      { role: 'assistant', content: 'Let me look.' },
      { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"town":"Graz"}' },
      { type: 'function_call', call_id: 'c2', name: 'weather', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'sunny' },
      { type: 'function_call_output', call_id: 'c2', output: [{ type: 'input_text', text: 'rain' }] },
    ],
    tools: ['weather', 'other'].map((name) => ({
      type: 'function',
      name,
      parameters: { type: 'object' },
      strict: null,
    })),
    tool_choice: { type: 'function', name: 'weather' },
    max_output_tokens: 99,
    temperature: 0.5,
  });
  const [request] = fake.requests;
  expect(request?.messages.map((m) => [m.role, m.parts.map((p) => p.type)])).toEqual([
    ['user', ['text']],
    ['assistant', ['text', 'tool-call', 'tool-call']],
    ['tool', ['tool-result', 'tool-result']],
  ]);
  expect(request).toMatchObject({ toolChoice: 'required', maxOutputTokens: 99, temperature: 0.5 });
  expect(request?.tools.map((tool) => tool.name)).toEqual(['weather']);
});

test('a response that breaks off in the middle ends as failed, one that is cut as incomplete', async () => {
  fake.events = [
    { type: 'text', text: 'half' },
    { type: 'end', reason: 'error', error: broke },
  ];
  const failed = (await told(await openai.responses.create({ model: 'a/b', input: 'x', stream: true }))).at(-1);
  expect(failed).toMatchObject({
    type: 'response.failed',
    response: { status: 'failed', error: { code: 'server_error' } },
  });
  fake.events = [
    { type: 'text', text: 'half' },
    { type: 'end', reason: 'length' },
  ];
  const cut = (await told(await openai.responses.create({ model: 'a/b', input: 'x', stream: true }))).at(-1);
  expect(cut).toMatchObject({
    type: 'response.incomplete',
    response: { incomplete_details: { reason: 'max_output_tokens' } },
  });
});

test('a provider that asks to wait is passed on with its time', async () => {
  fake.events = [
    { type: 'end', reason: 'error', error: { ...broke, code: 'model.rate-limit', data: { retryAfterMs: 2500 } } },
  ];
  for (const path of ['chat/completions', 'responses']) {
    const response = await fetch(`${gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'a/b', input: 'x', messages: [{ role: 'user', content: 'x' }] }),
    });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
  }
});

test('a client that goes away stops the model of a response', async () => {
  const gone = Promise.withResolvers<void>();
  fake.app.models.stream = async function* (_request, signal) {
    yield { type: 'text' as const, text: 'a' };
    signal.addEventListener('abort', () => gone.resolve());
    await gone.promise;
    yield { type: 'end' as const, reason: 'aborted' as const };
  };
  const stream = await openai.responses.create({ model: 'a/b', input: 'x', stream: true });
  for await (const event of stream) if (event.type === 'response.output_text.delta') break;
  await gone.promise;
});

test('a call px answered with may be referred to by its id; one it does not know is refused', async () => {
  const call = { type: 'tool-call' as const, id: 'c9', name: 'weather', args: { town: 'Graz' } };
  const answer = { type: 'end' as const, reason: 'tool-calls' as const };
  for (const stream of [false, true]) {
    fake.events = [{ type: 'text', text: 'Let me look.' }, { type: 'tool-call', call }, answer];
    const asked = { model: 'a/b', input: [{ role: 'user' as const, content: 'weather?' }] };
    const output = stream
      ? (await openai.responses.stream(asked).finalResponse()).output
      : (await openai.responses.create(asked)).output;
    const refer = output.map(({ id = '' }) => ({ type: 'item_reference' as const, id }));
    await openai.responses.create({
      ...asked,
      input: [...asked.input, ...refer, { type: 'function_call_output', call_id: 'c9', output: 'sunny' }],
    });
    expect(fake.requests.at(-1)?.messages.slice(1)).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'text', text: 'Let me look.' },
          { type: 'tool-call', id: 'c9', name: 'weather', args: { town: 'Graz' } },
        ],
      },
      {
        role: 'tool',
        parts: [
          {
            type: 'tool-result',
            callId: 'c9',
            name: 'weather',
            content: [{ type: 'text', text: 'sunny' }],
            isError: false,
          },
        ],
      },
    ]);
  }
  const unknown = openai.responses.create({ model: 'a/b', input: [{ type: 'item_reference', id: 'fc_none' }] });
  const refusal = await unknown.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(refusal).toMatchObject({ status: 404, param: 'input' });
});

test('what was answered is kept in bounds: the oldest items go, and all after an hour', () => {
  const items = new Items();
  const item = (n: number, text = 'x') => ({
    type: 'function_call' as const,
    id: `fc_${n}`,
    call_id: `c${n}`,
    name: text,
    arguments: '{}',
    status: 'completed' as const,
  });
  items.keep(
    Array.from({ length: 600 }, (_, n) => item(n)),
    0,
  );
  expect(items.find('fc_0', 1)).toBeUndefined();
  expect(items.find('fc_599', 1)).toMatchObject({ call_id: 'c599' });
  items.keep([item(1000, 'y'.repeat(2_000_000))], 1);
  expect(items.find('fc_599', 1)).toBeUndefined();
  items.keep([item(1)], 10);
  expect(items.find('fc_1', 3_600_009)).toBeDefined();
  expect(items.find('fc_1', 3_600_011)).toBeUndefined();
});
