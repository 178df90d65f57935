import { describe, expect, test } from 'bun:test';
import * as v from 'valibot';
import { check } from '../../src/gateway/input.ts';
import { EmbeddingsRequest } from '../../src/gateway/openai/embeddings.ts';
import { ChatRequest, toAgentText, toModelRequest } from '../../src/gateway/openai/request.ts';
import { ResponsesRequest, toChatRequest } from '../../src/gateway/openai/responses-request.ts';
import { hasOpenAiSchema, noSchema, nullableNames, openAiJudge } from './openai-schema.ts';

const parameters = { type: 'object', properties: {} };
const url = 'data:image/png;base64,aGk=';
const call = { id: 'c1', type: 'function', function: { name: 'now', arguments: '{}' } };
const schema = { name: 'town', schema: parameters, strict: true };

/** A request of each kind with all that px reads. */
const requests = {
  CreateChatCompletionRequest: [
    ChatRequest,
    {
      model: 'a/b',
      messages: [
        { role: 'system', content: 'x' },
        { role: 'user', content: [{ type: 'image_url', image_url: { url } }] },
        { role: 'assistant', content: 'x', tool_calls: [call] },
        { role: 'tool', content: 'x', tool_call_id: 'c1' },
        { role: 'user', content: 'x' },
      ],
      tools: [{ type: 'function', function: { name: 'now', description: 'x', parameters } }],
      tool_choice: { type: 'function', function: { name: 'now' } },
      stream_options: { include_usage: true },
      response_format: { type: 'json_schema', json_schema: schema },
    },
  ],
  CreateResponse: [
    ResponsesRequest,
    {
      model: 'a/b',
      input: [
        { type: 'message', role: 'assistant', content: 'x' },
        { type: 'function_call', call_id: 'c1', name: 'now', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'x' }] },
        {
          type: 'function_call_output',
          call_id: 'c1',
          output: [{ type: 'input_image', detail: 'auto', image_url: url }],
        },
        { type: 'item_reference', id: 'x' },
      ],
      tools: [{ type: 'function', name: 'now', description: 'x', parameters, strict: true }],
      tool_choice: { type: 'function', name: 'now' },
      text: { format: { type: 'json_schema', ...schema } },
    },
  ],
  CreateEmbeddingRequest: [EmbeddingsRequest, { model: 'a/b', input: 'x' }],
} as const;

/** The value once for each place in it: with one more field that is null. */
function* withNull(value: unknown, names: string[], path = ''): Generator<[path: string, value: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) for (const name of names) yield [`${path}.${name}`, { ...value, [name]: null }];
  for (const [key, inner] of Object.entries(value))
    for (const [at, changed] of withNull(inner, names, `${path}.${key}`))
      yield [at, Array.isArray(value) ? value.with(Number(key), changed) : { ...value, [key]: changed }];
}

/** The names of a schema that may be left out and may not be null. */
function notNull(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const inner = ['wrapped', 'item'].map((key): [string, unknown] => [path, Reflect.get(schema, key)]);
  for (const key of ['entries', 'options', 'pipe'])
    for (const [name, one] of Object.entries(Reflect.get(schema, key) ?? {}))
      inner.push([key === 'entries' ? `${path}.${name}` : path, one]);
  const strict = Reflect.get(schema, 'type') === 'optional' ? [path] : [];
  return [...strict, ...inner.flatMap(([at, one]) => notNull(one, at))];
}

describe.each(Object.entries(requests))('%s', (name, [own, full]) => {
  test('what may be left out may be null', () => {
    expect(
      notNull(v.object({ a: v.optional(v.string()), b: v.array(v.object({ c: v.optional(v.number()) })) })),
    ).toEqual(['.a', '.b.c']);
    expect(notNull(own)).toEqual([]);
    check(own, full, 'body');
  });

  test.skipIf(!hasOpenAiSchema)(
    `what may be null for OpenAI may be null for px${hasOpenAiSchema ? '' : ` (skipped: ${noSchema})`}`,
    () => {
      const judge = openAiJudge();
      expect(judge(name, full)).toEqual([]);
      const changed = [...withNull(full, nullableNames(name))];
      expect([name, changed.length > 10]).toEqual([name, name !== 'CreateEmbeddingRequest']);
      const refused = changed.filter(([, value]) => !v.is(own, value) && judge(name, value).length === 0);
      // Without these there is nothing to pass on.
      expect(refused.map(([path]) => path)).toEqual(
        name === 'CreateResponse' ? ['.input.2.call_id', '.input.3.call_id', '.input.3.output.0.image_url'] : [],
      );
    },
    60_000,
  );
});

test('a null is the same as nothing', () => {
  const plain = { model: 'a/b', messages: [{ role: 'user', content: 'x' }] };
  const tools = [{ type: 'function', function: { name: 'now' } }];
  const nulls = { user: null, tools: null, stop: null, seed: null, temperature: null, response_format: null, n: null };
  const chat = (body: unknown) => toModelRequest(check(ChatRequest, body, 'body'), 'a/b', 100);
  expect(chat({ ...plain, ...nulls })).toEqual(chat(plain));
  expect(chat({ ...plain, stop: [] })).toEqual(chat(plain));
  const given = { name: 'now', description: null, parameters: null, strict: null };
  expect(chat({ ...plain, tools: [{ type: 'function', function: given }] })).toEqual(chat({ ...plain, tools }));
  const history = { ...plain, messages: [...plain.messages, { role: 'assistant', content: 'y' }, ...plain.messages] };
  expect(toAgentText(check(ChatRequest, { ...history, user: null }, 'body'))).toContain('assistant: y');

  const none = { find: () => undefined };
  const response = (body: unknown) => toChatRequest(check(ResponsesRequest, body, 'body'), none);
  const asked = { model: 'a/b', input: [{ role: 'user', content: 'x' }] };
  const more = { user: null, text: { format: null }, instructions: null, metadata: null, include: null };
  const { response_format, ...same } = response({
    ...asked,
    ...more,
    input: [{ type: null, role: 'user', content: 'x' }],
  });
  expect(same).toEqual(response(asked));
  expect(response_format).toBeNull();
  expect(() => response({ ...asked, input: [{ type: null, id: 'gone' }] })).toThrow('Item gone is not known');
});

test('an answer may come back as a program keeps it, with all its nulls', () => {
  // As `model_dump()` of OpenAI's Python client writes it.
  const call = { id: 'c1', function: { arguments: '{"city":"Graz"}', name: 'now' }, type: 'function' };
  const said = { content: null, refusal: null, role: 'assistant', annotations: null, audio: null, function_call: null };
  const item = { arguments: '{"city":"Graz"}', call_id: 'c1', name: 'now', type: 'function_call', id: 'fc_1' };
  const thought = { id: 'rs_1', summary: [], type: 'reasoning', content: null, encrypted_content: null, status: null };
  const result = { role: 'tool', tool_call_id: 'c1', content: 'sun' };
  const asked = { role: 'user', content: 'x' };
  const chat = check(ChatRequest, { model: 'a/b', messages: [asked, { ...said, tool_calls: [call] }, result] }, 'body');
  const input = [
    asked,
    thought,
    { ...item, async_: null, caller: null, namespace: null, status: null },
    { type: 'function_call_output', call_id: 'c1', output: 'sun', id: null, status: null },
  ];
  const response = toChatRequest(check(ResponsesRequest, { model: 'a/b', input }, 'body'), { find: () => undefined });
  for (const one of [chat, response])
    expect(toModelRequest(one, 'a/b', 100).messages).toEqual([
      { role: 'user', parts: [{ type: 'text', text: 'x' }] },
      { role: 'assistant', parts: [{ type: 'tool-call', id: 'c1', name: 'now', args: { city: 'Graz' } }] },
      {
        role: 'tool',
        parts: [
          { type: 'tool-result', callId: 'c1', name: 'now', content: [{ type: 'text', text: 'sun' }], isError: false },
        ],
      },
    ]);
});

test('a refusal names the innermost place that is wrong', () => {
  const refusal = (input: unknown) => {
    try {
      check(ResponsesRequest, { model: 'a/b', input }, 'body');
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  };
  expect(refusal([{ role: 'bot', content: 'x' }])).toMatchObject({ data: { param: 'input.0.role' } });
  expect(refusal([{ type: 'function_call', name: 'x' }])).toMatchObject({ data: { param: 'input.0.call_id' } });
  expect(refusal([{ role: 'user', content: [{ type: 'input_audio' }] }])).toMatchObject({
    data: { param: 'input.0.content.0.type' },
  });
});
