import { expect, test } from 'bun:test';
import { openaiProvider } from '../../src/model/provider/openai.ts';
import { ask, never, open, read } from './fakes.ts';
import { serve, speakers, streamed } from './speakers.ts';

const cache = { key: 'px-abc', stable: 7 };
const request = { system: 'Stable.\n\nToday is Monday.', cache };

test('Anthropic gets a mark at the end of the stable part, and what changes after it', async () => {
  const speaker = speakers.find((one) => one.provider === 'anthropic');
  if (!speaker) throw new Error('no speaker');
  await using server = serve(speaker, () => streamed(speaker, { text: ['x'] }));
  const { models } = await open({ yaml: server.yaml(), env: { ANTHROPIC_API_KEY: 'sk-test-1234567' } });
  await read(models.stream(ask(speaker.ref, 'hello', request), never));
  expect(server.bodies[0]?.['system']).toEqual([
    { type: 'text', text: 'Stable.', cache_control: { type: 'ephemeral' } },
    { type: 'text', text: '\n\nToday is Monday.' },
  ]);
});

for (const speaker of speakers.filter((one) => one.provider === 'openai'))
  for (const customBaseUrl of [false, true])
    test(`${speaker.title} ${customBaseUrl ? 'of another server gets no' : 'gets a'} prompt_cache_key`, async () => {
      await using server = serve(speaker, () => streamed(speaker, { text: ['x'] }));
      const provider = openaiProvider(() => ({
        apiKey: 'k',
        baseUrl: server.url + speaker.path,
        customBaseUrl,
        timeoutMs: 5000,
        api: speaker.api ?? 'chat',
      }));
      await read(provider.stream(ask(speaker.ref, 'hello', request), never));
      expect(server.bodies[0]?.['prompt_cache_key']).toBe(customBaseUrl ? undefined : 'px-abc');
    });

test('the window of a local model is read from Ollama', async () => {
  await using server = serve(speakers[0] as never, (body) =>
    Response.json({
      model_info: {
        'general.architecture': 'qwen3',
        'qwen3.context_length': body['model'] === 'a' ? 40_960 : 9_999_999,
      },
    }),
  );
  const { models } = await open({ yaml: { providers: { ollama: { base_url: server.url } } } });
  expect(await models.window('ollama/a')).toBe(40_960);
  expect(await models.window('ollama/a')).toBe(40_960);
  expect(server.bodies.filter((body) => body['model'] === 'a').length).toBe(1);
  expect(await models.window('ollama/b')).toBe(131_072);
  expect(await models.window('openai/gpt-5')).toBe(400_000);
  const { models: away } = await open();
  expect(await away.window('ollama/a')).toBeUndefined();
});
