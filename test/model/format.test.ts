import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { AnswerFormat } from '../../src/model/model.ts';
import type { ModelRef } from '../../src/wire/wire.ts';
import { ask, never, type Opened, open, read } from './fakes.ts';

const bodies: { path: string; body: string }[] = [];
let server: Bun.Server<undefined>;
let opened: Opened;

beforeAll(async () => {
  // Gemini's and Ollama's embeddings as their documentation shows them; everything else is refused once it was read.
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url);
      bodies.push({ path: pathname, body: await request.text() });
      if (pathname.endsWith(':batchEmbedContents'))
        return Response.json({ embeddings: [{ values: [1, 2] }, { values: [3, 4] }] });
      if (pathname === '/api/embed')
        return Response.json({
          embeddings: [[1, 2], ...(bodies.at(-1)?.body.includes('odd') ? [] : [[3, 4]])],
          prompt_eval_count: 7,
        });
      return Response.json({ error: { message: 'no' } }, { status: 400 });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const at = (path: string) => ({ base_url: url + path, api_key: '${KEY}' });
  const yaml = { providers: { openai: at('/v1'), anthropic: at(''), gemini: at(''), ollama: { base_url: url } } };
  opened = await open({ yaml, env: { KEY: 'a-test-key' } });
});
afterAll(() => server.stop(true));

const schema = {
  type: 'object',
  properties: { town: { type: 'string' } },
  required: ['town'],
  additionalProperties: false,
};

test.each<[ModelRef, string, string]>([
  ['openai/gpt-4o', 'response_format', 'json_schema'],
  ['anthropic/claude-haiku-5-5', 'output_config', 'json_schema'],
  ['gemini/gemini-flash-latest', 'responseJsonSchema', 'application/json'],
  ['ollama/llama3', 'format', 'required'],
])('%s is told the schema of the answer', async (model, field, word) => {
  const format = { type: 'schema' as const, name: 'place', schema };
  await read(opened.models.stream(ask(model, 'hi', { format }), never), model);
  const { body = '' } = bodies.at(-1) ?? {};
  expect(body).toContain(`"${field}"`);
  expect(body).toContain(word);
  expect(body).toContain('"required":["town"]');
});

// As generators of schemas write them: references, bounds, a constant, two parts.
const hard = {
  type: 'object',
  $defs: { Town: { type: 'object', properties: { name: { type: 'string', minLength: 2 } }, required: ['name'] } },
  properties: { town: { $ref: '#/$defs/Town' }, kind: { const: 'place' }, near: { type: 'array', maxItems: 9 } },
  required: ['town'],
};
const sent = async (model: ModelRef, format: AnswerFormat) => {
  await read(opened.models.stream(ask(model, 'hi', { format }), never), model);
  return JSON.parse(bodies.at(-1)?.body ?? '');
};

test('Anthropic is told the part of a schema that it knows, and the rest in words', async () => {
  const { output_config } = await sent('anthropic/claude-haiku-5-5', { type: 'schema', name: 'place', schema: hard });
  const closed = { type: 'object', additionalProperties: false };
  const name = { type: 'string', description: '{minLength: 2}' };
  expect(output_config.format).toEqual({
    type: 'json_schema',
    schema: {
      ...closed,
      $defs: { Town: { ...closed, properties: { name }, required: ['name'] } },
      properties: {
        town: { $ref: '#/$defs/Town' },
        kind: { const: 'place' },
        near: { type: 'array', description: '{maxItems: 9}' },
      },
      required: ['town'],
    },
  });
});

test('Gemini is told the part of a schema that it knows', async () => {
  const { generationConfig } = await sent('gemini/gemini-x', { type: 'schema', name: 'place', schema: hard });
  const name = { type: 'string' };
  expect(generationConfig).toMatchObject({ responseMimeType: 'application/json' });
  expect(generationConfig.responseJsonSchema).toEqual({
    type: 'object',
    properties: {
      town: { type: 'object', properties: { name }, required: ['name'] },
      kind: { enum: ['place'] },
      near: { type: 'array', maxItems: 9, items: {} },
    },
    required: ['town'],
  });
});

test.each<[ModelRef, object]>([
  ['openai/gpt-4o', { response_format: { type: 'json_object' } }],
  // It has no such format, so it is asked for in words.
  [
    'anthropic/claude-haiku-5-5',
    { system: [{ text: 'You are px.' }, { text: expect.stringContaining('one JSON object') }] },
  ],
  ['gemini/gemini-flash-latest', { generationConfig: { responseMimeType: 'application/json' } }],
  ['ollama/llama3', { format: 'json' }],
])('%s is told that the answer is JSON', async (model, wanted) => {
  expect(await sent(model, { type: 'json' })).toMatchObject(wanted);
});

test.each<ModelRef>(['gemini/gemini-embedding-001', 'ollama/nomic-embed-text'])(
  '%s turns texts into vectors',
  async (model) => {
    const { vectors } = await opened.models.embed({ model, input: ['a', 'b'], dimensions: 2 }, never);
    expect(vectors).toEqual([
      [1, 2],
      [3, 4],
    ]);
  },
);

test('a server that gives fewer vectors than texts is not believed', async () => {
  const asked = opened.models.embed({ model: 'ollama/nomic-embed-text', input: ['odd', 'b'] }, never);
  expect(asked).rejects.toMatchObject({ code: 'model.bad-request' });
});
