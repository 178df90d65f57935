import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import OpenAI, { APIError } from 'openai';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
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

const user = (content: string) => [{ role: 'user' as const, content }];
const weather = {
  type: 'function' as const,
  function: { name: 'weather', parameters: { type: 'object', properties: { town: { type: 'string' } } } },
};

describe("OpenAI's own client", () => {
  test('lists the agent and the models', async () => {
    const { data } = await openai.models.list();
    expect(data.map((m) => m.id)).toEqual(['px', 'offline/px']);
  });

  test('gets an answer from a model', async () => {
    const reply = await openai.chat.completions.create({ model: 'offline/px', messages: user('hi') });
    expect(reply.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'Hello' });
    expect(reply.choices[0]?.finish_reason).toBe('stop');
    expect(reply.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
  });

  test('streams an answer, with usage when asked', async () => {
    const stream = await openai.chat.completions.create({
      model: 'offline/px',
      messages: user('hi'),
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let total: number | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      total ??= chunk.usage?.total_tokens;
    }
    expect([text, total]).toEqual(['Hello', 5]);
  });

  test('gets what the model thought, streaming and not, under the name other servers give it', async () => {
    fake.events = [
      { type: 'thinking', text: 'let me see' },
      { type: 'thinking', text: '', signature: 'x' },
      { type: 'text', text: 'yes' },
      { type: 'end', reason: 'stop' },
    ];
    const ask = { model: 'a/b', messages: user('?') };
    const reply = await openai.chat.completions.create(ask);
    expect(reply.choices[0]?.message).toMatchObject({ content: 'yes', reasoning_content: 'let me see' });
    const chunks = await Array.fromAsync(await openai.chat.completions.create({ ...ask, stream: true }));
    const thoughts = chunks.map((chunk) => Reflect.get(chunk.choices[0]?.delta ?? {}, 'reasoning_content'));
    expect(thoughts.filter((one) => one !== undefined)).toEqual(['let me see']);
  });

  test('passes its own tools to the model and gets the calls back, streaming and not', async () => {
    fake.events = [
      { type: 'tool-call', call: { type: 'tool-call', id: 'c1', name: 'weather', args: { town: 'Graz' } } },
      { type: 'tool-call', call: { type: 'tool-call', id: 'c2', name: 'weather', args: { town: 'Linz' } } },
      { type: 'end', reason: 'tool-calls' },
    ];
    const ask = { model: 'a/b', messages: user('weather?'), tools: [weather], tool_choice: 'required' as const };
    const reply = await openai.chat.completions.create(ask);
    expect(fake.requests[0]?.tools).toEqual([
      { name: 'weather', description: '', parameters: weather.function.parameters },
    ]);
    expect(fake.requests[0]?.toolChoice).toBe('required');
    expect(reply.choices[0]?.finish_reason).toBe('tool_calls');
    expect(reply.choices[0]?.message.tool_calls?.map((c) => c.id)).toEqual(['c1', 'c2']);
    const streamed = await openai.chat.completions.stream(ask).finalChatCompletion();
    const calls = streamed.choices[0]?.message.tool_calls ?? [];
    expect(calls.map((c) => (c.type === 'function' ? c.function.arguments : ''))).toEqual([
      '{"town":"Graz"}',
      '{"town":"Linz"}',
    ]);
  });

  test('sends a whole conversation with tool results, and it arrives as it was meant', async () => {
    const call = { id: 'c1', type: 'function' as const, function: { name: 'weather', arguments: '{"town":"Graz"}' } };
    await openai.chat.completions.create({
      model: 'a/b',
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'developer', content: 'very' },
        { role: 'user', content: [{ type: 'text', text: 'weather?' }] },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
      ],
      temperature: 0,
      max_completion_tokens: 50,
      stop: 'END',
    });
    expect(fake.requests[0]).toMatchObject({
      model: 'a/b',
      system: 'be brief\n\nvery',
      maxOutputTokens: 50,
      temperature: 0,
      stop: ['END'],
      messages: [
        { role: 'user', parts: [{ type: 'text', text: 'weather?' }] },
        { role: 'assistant', parts: [{ type: 'tool-call', id: 'c1', name: 'weather', args: { town: 'Graz' } }] },
        { role: 'tool', parts: [{ callId: 'c1', name: 'weather', content: [{ type: 'text', text: 'sunny' }] }] },
      ],
    });
  });

  test('talks to the agent as model px, and one user keeps one conversation', async () => {
    const ask = (content: string) =>
      openai.chat.completions.create({ model: 'px', user: 'anna/../x', messages: user(content) });
    expect((await ask('one')).choices[0]?.message.content).toBe('you said one');
    await ask('two');
    const conversations = fake.submitted.map((m) => m.conversation);
    expect(new Set(conversations).size).toBe(1);
    expect(conversations[0]).toMatch(/^api\/[\w.@-]+$/);
  });

  test('gives the agent what was said before when it names no user', async () => {
    await openai.chat.completions.create({
      model: 'px',
      messages: [...user('I am Anna'), { role: 'assistant', content: 'Hello Anna' }, ...user('who am I?')],
    });
    expect(fake.submitted[0]?.text).toContain('user: I am Anna');
    expect(fake.submitted[0]?.text).toEndWith('who am I?');
  });

  test("gets the provider's refusal as a status, also when it streams", async () => {
    const error = { code: 'model.rate-limit' as const, message: 'slow down', retryable: true };
    fake.events = [{ type: 'end', reason: 'error', error }];
    for (const stream of [false, true]) {
      const failed = openai.chat.completions.create({ model: 'a/b', messages: user('hi'), stream });
      const thrown: unknown = await failed.then(() => undefined).catch((e: unknown) => e);
      expect(thrown).toBeInstanceOf(APIError);
      expect(thrown).toMatchObject({ status: 429, code: 'model.rate-limit', type: 'rate_limit_error' });
    }
  });

  test('sees an error that comes in the middle of a stream', async () => {
    const error = { code: 'model.stream' as const, message: 'it broke', retryable: true };
    fake.events = [
      { type: 'text', text: 'half' },
      { type: 'end', reason: 'error', error },
    ];
    const stream = await openai.chat.completions.create({ model: 'a/b', messages: user('hi'), stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    expect(read()).rejects.toThrow('it broke');
  });

  test('learns what is wrong in its own error shape', async () => {
    const cases: [object, number][] = [
      [{ model: 'nope', messages: user('x') }, 404],
      [{ model: 'a/b', messages: [] }, 400],
      [{ model: 'a/b' }, 400],
      [{ model: 'a/b', messages: user('x'), n: 2 }, 400],
      [{ model: 'px', messages: user('x'), tools: [weather] }, 400],
      [{ model: 'px', messages: [{ role: 'system', content: 'x' }] }, 400],
      [
        {
          model: 'a/b',
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://169.254.169.254/' } }] }],
        },
        400,
      ],
    ];
    for (const [body, status] of cases) {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect([body, response.status]).toEqual([body, status]);
      expect(await response.json()).toMatchObject({
        error: { message: expect.any(String), type: 'invalid_request_error' },
      });
    }
    const bad = new OpenAI({ apiKey: 'wrong', baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    expect(bad.models.list().then()).rejects.toMatchObject({ status: 401, type: 'authentication_error' });
  });

  test('that goes away stops the model', async () => {
    const never = Promise.withResolvers<void>();
    fake.app.models.stream = async function* (_request, signal) {
      fake.signals.push(signal);
      yield { type: 'text' as const, text: 'a' };
      signal.addEventListener('abort', () => never.resolve());
      await never.promise;
      yield { type: 'end' as const, reason: 'aborted' as const };
    };
    const stream = await openai.chat.completions.create({ model: 'a/b', messages: user('hi'), stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await never.promise;
    expect(fake.signals[0]?.aborted).toBe(true);
  });
});
