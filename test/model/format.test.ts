import { afterAll, beforeAll, expect, test } from 'bun:test';
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
