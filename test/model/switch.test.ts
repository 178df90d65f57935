import { describe, expect, test } from 'bun:test';
import { PxError } from '../../src/error/error.ts';
import { contextSize } from '../../src/model/provider/ollama.ts';
import { ollamaAddress, readSettings } from '../../src/model/settings.ts';
import { stopwatch } from '../stopwatch.ts';
import { ask, fakeConfig, fakeSecrets, listed, never, open, read } from './fakes.ts';
import { serve, speakers, streamed } from './speakers.ts';

/** An Ollama that has these models; `asked` counts how often it was looked at. */
function ollama(names: string[], delayMs = 0) {
  let asked = 0;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch() {
      asked++;
      await Bun.sleep(delayMs);
      return Response.json({ models: names.map((name) => ({ name })) });
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    get asked() {
      return asked;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function refused(work: () => unknown): PxError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof PxError) return thrown;
  }
  throw new Error('not refused');
}

describe('auto', () => {
  test('takes the first provider with a key, in the documented order, and says why', async () => {
    const env: Record<string, string> = { GEMINI_API_KEY: 'g' };
    const { models } = await open({ env });
    expect(models.default).toEqual({ ref: 'gemini/gemini-flash-latest', why: 'GEMINI_API_KEY is set' });
    const both = await open({ env: { GEMINI_API_KEY: 'g', ANTHROPIC_API_KEY: 'a' } });
    expect(both.models.default.ref).toBe('anthropic/claude-haiku-5-5');
    const all = await open({ env: { GEMINI_API_KEY: 'g', ANTHROPIC_API_KEY: 'a', OPENAI_API_KEY: 'o' } });
    expect(all.models.default.ref).toBe('openai/gpt-5.4-mini');
  });

  test('takes a key that is stored later, without a restart, and tells who watches', async () => {
    const { models, secrets, events } = await open();
    expect(models.default.ref).toBe('offline/px');
    secrets.set('ANTHROPIC_API_KEY', 'a');
    expect(models.default).toEqual({
      ref: 'anthropic/claude-haiku-5-5',
      why: 'ANTHROPIC_API_KEY is in the secret store',
    });
    expect(events).toMatchObject([
      { type: 'model.changed', conversation: undefined, model: 'anthropic/claude-haiku-5-5', by: 'config' },
    ]);
  });

  test('starts offline at once and changes to Ollama when it answers', async () => {
    await using server = ollama(['nomic-embed-text:latest', 'tinyllama:latest', 'qwen3:4b'], 60);
    const took = stopwatch();
    const { models, events } = await open({ env: { OLLAMA_HOST: server.host } });
    expect(took()).toBeLessThan(50);
    expect(models.default.ref).toBe('offline/px');
    await models.detect();
    expect(models.default.ref).toBe('ollama/qwen3:4b');
    expect(models.default.why).toBe('Ollama answers and has qwen3:4b');
    expect(events.map((e) => e.type)).toEqual(['model.changed']);
  });

  test('does not wait for an Ollama that hangs', async () => {
    await using server = ollama(['qwen3:4b'], 5000);
    const { models } = await open({ env: { OLLAMA_HOST: server.host } });
    const took = stopwatch();
    await models.detect();
    expect(took()).toBeLessThan(450);
    expect(models.default.ref).toBe('offline/px');
    expect(models.default.why).toContain('offline');
  });

  test('does not ask Ollama when a key is set', async () => {
    await using server = ollama(['qwen3:4b']);
    const { models } = await open({ env: { OLLAMA_HOST: server.host, OPENAI_API_KEY: 'o' } });
    expect(models.default.ref).toBe('openai/gpt-5.4-mini');
    // Any earlier question would have been counted before this one.
    await fetch(`http://${server.host}/`);
    expect(server.asked).toBe(1);
  });
});

describe('names', () => {
  test('references, aliases, providers and well-known models are found', async () => {
    const { models } = await open({
      yaml: { model: { aliases: { fast: 'openai/gpt-5-mini', home: 'ollama/qwen3:4b' } } },
    });
    expect(models.resolve('fast')).toBe('openai/gpt-5-mini');
    expect(models.resolve(' fast ')).toBe('openai/gpt-5-mini');
    expect(models.resolve('home')).toBe('ollama/qwen3:4b');
    expect(models.resolve('openai/org/model:tag')).toBe('openai/org/model:tag');
    expect(models.resolve('gemini')).toBe('gemini/gemini-flash-latest');
    expect(models.resolve('gpt-5')).toBe('openai/gpt-5');
    expect(models.resolve('offline')).toBe('offline/px');
    expect(models.resolve('auto')).toBe('offline/px');
  });

  test('an unknown name is refused with the nearest', async () => {
    const { models } = await open({ yaml: { model: { aliases: { fast: 'openai/gpt-5-mini' } } } });
    expect(refused(() => models.resolve('fats'))).toMatchObject({
      code: 'model.unknown',
      hint: 'Did you mean `fast`?',
    });
    expect(refused(() => models.resolve('antropic/claude-opus-5')).hint).toContain('`anthropic/claude-opus-5`');
    expect(refused(() => models.resolve('toString')).code).toBe('model.unknown');
    expect(refused(() => models.resolve('')).code).toBe('model.unknown');
    expect(refused(() => models.resolve('openai/')).code).toBe('model.unknown');
  });

  test('a default that does not exist stays on this machine and says so', async () => {
    const { models } = await open({ yaml: { model: { default: 'opnai/gpt-5' } }, env: { ANTHROPIC_API_KEY: 'a' } });
    expect(models.default.ref).toBe('offline/px');
    expect(models.default.why).toContain('opnai/gpt-5');
    expect(models.default.why).toContain('`openai/gpt-5`');
  });

  test('a request to a provider that does not exist ends as data', async () => {
    const { models } = await open();
    expect((await read(models.stream(ask('nope/x', 'hello'), never))).end?.error?.code).toBe('model.unknown');
  });
});

describe('an edit of px.yaml', () => {
  test('changes the default live and tells who watches', async () => {
    const { models, edit, events, listeners } = await open({ yaml: { model: { default: 'openai/gpt-5' } } });
    expect(models.default.why).toContain('openai/gpt-5');
    edit({ model: { default: 'ollama/qwen3' } }, ['model.default']);
    expect(models.default.ref).toBe('ollama/qwen3');
    expect(events).toMatchObject([{ type: 'model.changed', model: 'ollama/qwen3', by: 'config' }]);
    models.close();
    expect(listeners.size).toBe(0);
  });

  test('of key and address counts for the next request', async () => {
    const speaker = speakers[0];
    if (!speaker) throw new Error('no speaker');
    await using one = serve(speaker, () => streamed(speaker, { text: ['one'] }));
    await using two = serve(speaker, () => streamed(speaker, { text: ['two'] }));
    const { models, edit } = await open({
      yaml: one.yaml({ api_key: 'secret:ONE' }),
      secrets: { ONE: 'first', TWO: 'second' },
    });
    expect((await read(models.stream(ask(speaker.ref, 'x'), never))).text).toBe('one');
    edit(two.yaml({ api_key: 'secret:OTHER' }), ['providers.openai.base_url']);
    // The secret it names is missing: said as data, and nothing is sent with another key.
    expect((await read(models.stream(ask(speaker.ref, 'x'), never))).end?.error?.code).toBe('secret.missing');
    edit(two.yaml({ api_key: 'secret:TWO' }), ['providers.openai.api_key']);
    expect((await read(models.stream(ask(speaker.ref, 'x'), never))).text).toBe('two');
    expect([one, two].map((s) => s.headers[0]?.get('authorization'))).toEqual(['Bearer first', 'Bearer second']);
  });
});

test('the list has offline, what servers offer, and aliases; a dead server is left out', async () => {
  const speaker = speakers[0];
  if (!speaker) throw new Error('no speaker');
  await using server = serve(speaker, () =>
    Response.json({ object: 'list', data: [{ id: 'm1', object: 'model', created: 1, owned_by: 'x' }] }),
  );
  const { models } = await open({
    yaml: { ...server.yaml(), model: { aliases: { fast: 'openai/m1', far: 'gemini/g1' } } },
  });
  expect(await listed(models)).toEqual([
    { ref: 'offline/px', provider: 'offline', offline: true, contextWindow: 8000, cost: 'free: offline' },
    { ref: 'openai/m1', provider: 'openai', offline: false, aliases: ['fast'], cost: 'free: local' },
    {
      ref: 'gemini/g1',
      provider: 'gemini',
      offline: false,
      aliases: ['far'],
      cost: '$4.00 in, $18.00 out (unknown price, counted as the dearest of gemini)',
    },
  ]);
});

test('OLLAMA_HOST is read as its users write it', () => {
  expect(ollamaAddress(undefined)).toBe('http://127.0.0.1:11434');
  expect(ollamaAddress('0.0.0.0')).toBe('http://127.0.0.1:11434');
  expect(ollamaAddress(':8000')).toBe('http://127.0.0.1:8000');
  expect(ollamaAddress('box.lan')).toBe('http://box.lan:11434');
  expect(ollamaAddress('https://ollama.example/')).toBe('https://ollama.example');
  expect(ollamaAddress('::not a url::')).toBe('http://127.0.0.1:11434');
});

test('Ollama is asked for more context only when the conversation needs it', () => {
  expect(contextSize(3000, 4096)).toBeUndefined();
  expect(contextSize(12_000, 4096)).toBe(8192);
  expect(contextSize(10_000_000, 4096)).toBe(131_072);
});

test('Gemini models that cannot chat are left out of the list', async () => {
  const speaker = speakers.find((s) => s.provider === 'gemini');
  if (!speaker) throw new Error('no speaker');
  await using server = serve(speaker, () =>
    Response.json({
      models: [
        { name: 'models/gemini-x', supportedGenerationMethods: ['generateContent', 'countTokens'] },
        { name: 'models/embedding-1', supportedGenerationMethods: ['embedContent'] },
      ],
    }),
  );
  const { models } = await open({ yaml: server.yaml({ api_key: '${KEY}' }), env: { KEY: 'k' } });
  expect((await listed(models)).map((m) => m.ref)).toEqual(['offline/px', 'gemini/gemini-x']);
});

test('OpenAI itself is spoken to over Responses, other servers over Chat Completions, unless px.yaml says which', () => {
  const read = (openai: object) =>
    readSettings('openai', fakeConfig({ providers: { openai } }).store, fakeSecrets({ OPENAI_API_KEY: 'k' })).api;
  expect(read({})).toBe('responses');
  expect(read({ base_url: 'https://api.openai.com/v1' })).toBe('responses');
  expect(read({ base_url: 'http://127.0.0.1:8080/v1' })).toBe('chat');
  expect(read({ api: 'chat' })).toBe('chat');
  expect(read({ base_url: 'http://127.0.0.1:8080/v1', api: 'responses' })).toBe('responses');
});

describe('a server of providers.compatible', () => {
  const yaml = (base_url: string) => ({
    providers: { compatible: { 'my-lab': { base_url } } },
    model: { default: 'my-lab/big', aliases: { big: 'my-lab/big' } },
  });

  test('is named in references, aliases and lists, and its key is NAME_API_KEY', async () => {
    const chat = speakers[0];
    if (!chat) throw new Error('no speaker');
    await using server = serve(chat, () => streamed(chat, { text: ['here'] }));
    const { models, edit } = await open({ yaml: yaml(`${server.url}/v1`), secrets: { MY_LAB_API_KEY: 'k-1234567' } });
    expect(models.default.ref).toBe('my-lab/big');
    expect(models.resolve('big')).toBe('my-lab/big');
    expect((await read(models.stream(ask('my-lab/big', 'x'), never), 'openai/x')).text).toBe('here');
    expect(server.headers[0]?.get('authorization')).toBe('Bearer k-1234567');
    expect((await listed(models)).find((one) => one.ref === 'my-lab/big')?.aliases).toEqual(['big']);
    edit({}, ['providers']);
    expect(refused(() => models.resolve('my-lab/big')).code).toBe('model.unknown');
    const { end } = await read(models.stream(ask('my-lab/big', 'x'), never), 'openai/x');
    expect(end?.error).toMatchObject({ code: 'model.unknown', hint: expect.stringContaining('Use one of openai') });
  });

  test('elsewhere is charged as the dearest until its price is told', async () => {
    const { models } = await open({ yaml: yaml('https://llm.example.com/v1') });
    expect(models.spend.tariff('my-lab/big')).toMatchObject({ known: false, price: { output: 180 } });
  });
});
