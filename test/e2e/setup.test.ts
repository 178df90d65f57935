import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { FakeSystemd } from '../service/systemctl.ts';
import { BotApi } from './bot-api.ts';
import { binary, notBuilt, Px, until } from './px.ts';
import { noTmux, Tmux } from './tmux.ts';

const goodKey = 'sk-good-1234567890';

/** A provider that knows one key and refuses others in its own words. `models`: what it says it has. */
async function provider(models?: string[]) {
  const mock = new LLMock({ port: 0 });
  mock.on({ userMessage: /.*/ }, { content: 'Yes, I am here.' });
  await mock.start();
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (request.headers.get('authorization') !== `Bearer ${goodKey}`)
        return Response.json({ error: { message: 'Incorrect API key provided: sk-w…' } }, { status: 401 });
      if (models && pathname.endsWith('/models'))
        return Response.json({ object: 'list', data: models.map((id) => ({ id, object: 'model' })) });
      return fetch(mock.url + pathname, { method: request.method, headers: request.headers, body: request.body });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    calls: () => mock.getRequests().length,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      await mock.stop();
    },
  };
}

/** A server that has models as Ollama has them, and says a word. */
function fakeOllama() {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/api/chat')
        return new Response(
          `${JSON.stringify({ model: 'x', created_at: '', message: { role: 'assistant', content: 'Hello' }, done: false })}\n${JSON.stringify({ model: 'x', created_at: '', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' })}\n`,
          { headers: { 'content-type': 'application/x-ndjson' } },
        );
      const models = ['llama3.2:3b', 'qwen3:4b'].map((name) => ({
        name,
        model: name,
        modified_at: '',
        size: 1,
        digest: '',
        details: {},
      }));
      return Response.json(pathname === '/api/tags' ? { models } : { model_info: {} });
    },
  });
  return { host: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

describe.skipIf(notBuilt !== undefined)('px setup with flags', () => {
  let model: Awaited<ReturnType<typeof provider>>;
  beforeAll(async () => {
    model = await provider();
  });
  afterAll(() => model[Symbol.asyncDispose]());

  test('does what the flags say, and the second time finds it done and writes to nobody', async () => {
    await using telegram = new BotApi();
    await using px = new Px({ env: { OPENAI_BASE_URL: model.url, BOT: telegram.token, KEY: goodKey } });
    const flags = ['--provider', 'openai', '--key-env', 'KEY', '--telegram-token-env', 'BOT', '--owner', '7'];
    const first = await px.run('setup', ...flags, '--telegram-server', telegram.url, '--json');
    const told: { ok: boolean; steps: { step: string; state: string }[] } = JSON.parse(first.stdout);
    expect(told.steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
      'model done',
      'telegram done',
      'owner done',
      'service skipped',
      'greeting done',
    ]);
    expect([first.code, told.ok]).toEqual([0, true]);
    expect(telegram.texts()).toEqual([expect.stringContaining('px is set up')]);
    expect(first.stdout + first.stderr).not.toContain(goodKey);
    const again = await px.run('setup');
    expect(again.stdout).toContain('ok    openai/gpt-5.4-mini answers');
    expect(again.stdout).toContain('ok    px obeys 7 on Telegram.');
    expect(telegram.texts()).toHaveLength(1);
  }, 60_000);

  test('with --service yes px runs as a service, and says so in Telegram itself', async () => {
    await using telegram = new BotApi();
    await using systemd = new FakeSystemd();
    await using px = new Px({ config: { gateway: { port: 0 } }, env: { ...systemd.env, BOT: telegram.token } });
    const flags = ['--provider', 'offline', '--telegram-token-env', 'BOT', '--owner', '7', '--service', 'yes'];
    const ran = await px.run('setup', ...flags, '--telegram-server', telegram.url);
    expect(ran.stdout).toContain('ok    px runs as a service, at http://127.0.0.1:');
    expect(ran.stdout).toContain('ok    A message from px is in your Telegram.');
    expect(telegram.texts().at(-1)).toContain('Just write to me');
    telegram.say('what time is it?');
    await until('an answer', () => telegram.texts().at(-1)?.startsWith('It is '));
    expect((await px.run('setup')).stdout).toContain('ok    px runs as a service: active (running).');
    expect(telegram.texts().filter((text) => text.includes('set up'))).toHaveLength(1);
  }, 60_000);

  test('works through a px that runs, with the key from stdin', async () => {
    await using px = await new Px({ env: { OPENAI_BASE_URL: model.url } }).serve();
    const ran = await px.pipe(`${goodKey}\n`, 'setup', '--provider', 'openai', '--key-file', '-', '--no-telegram');
    expect(ran.stdout).toContain('ok    openai/gpt-5.4-mini answers: “Yes, I am here.”');
    expect((await px.run('chat', 'hello')).stdout).toBe('Yes, I am here.\n');
  }, 60_000);

  test('a key the provider refuses is told in its own words, is not kept, and fails', async () => {
    await using px = new Px({ env: { OPENAI_BASE_URL: model.url } });
    const ran = await px.pipe('sk-wrong', 'setup', '--provider', 'openai', '--key-file', '-', '--no-telegram');
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringContaining('Incorrect API key provided')]);
    expect((await px.run('secret', 'list')).stdout).toBe('');
    expect((await px.run('config', 'get', 'model.default')).stdout).toContain('auto');
  }, 60_000);

  test('a token Telegram refuses fails, and the channel stays off', async () => {
    await using telegram = new BotApi();
    await using px = new Px();
    const flags = ['--provider', 'offline', '--telegram-token-file', '-', '--telegram-server', telegram.url];
    const ran = await px.pipe('4711:WRONG', 'setup', ...flags);
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringContaining('Telegram does not know this bot token')]);
    expect((await px.run('config', 'get', 'channels.telegram.enabled')).stdout).toContain('false');
  }, 60_000);

  test('without anybody to ask and without flags it says what is open, and changes nothing', async () => {
    await using px = new Px({ config: '# mine\n' });
    const ran = await px.run('setup');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('todo  The built-in model answers');
    expect(ran.stdout).toContain('px setup --provider openai --key-file FILE');
    expect(ran.stdout).toContain('todo  No Telegram bot is connected.');
    expect(readFileSync(join(px.home, 'px.yaml'), 'utf8')).toBe('# mine\n');
  }, 60_000);

  test('a running Ollama needs no key, and its best model is taken', async () => {
    using ollama = fakeOllama();
    await using px = new Px({ env: { OLLAMA_HOST: ollama.host } });
    const ran = await px.run('setup', '--provider', 'ollama', '--no-telegram');
    expect(ran.stdout).toContain('ok    ollama/qwen3:4b answers: “Hello”');
    expect((await px.run('config', 'get', 'model.default')).stdout).toContain('ollama/qwen3:4b');
  }, 60_000);

  test('another server is named by its address', async () => {
    await using px = new Px();
    const flags = ['--provider', 'lab', '--base-url', model.url, '--model', 'some-model', '--key-file', '-'];
    const ran = await px.pipe(goodKey, 'setup', ...flags, '--no-telegram');
    expect(ran.stdout).toContain('ok    lab/some-model answers');
  }, 60_000);

  test.each([
    [['--key-file', '-'], 'Whose key is it?'],
    [['--provider', 'openai', '--key-env', 'NOT_THERE'], 'NOT_THERE is not in the environment'],
    [['--provider', 'openai', '--key-file', '/nowhere/key'], 'There is no file /nowhere/key'],
    [['--provider', 'openai'], 'OpenAI needs a key'],
    [['--provider', 'openia', '--no-telegram'], 'No provider is named openia'],
    [['--provider', 'openai', '--key-env', 'A', '--key-file', 'b'], 'the variable or the file, not both'],
  ])('px setup %j is a mistake it explains', async (flags, words) => {
    await using px = new Px();
    const ran = await px.pipe('sk-x', 'setup', ...flags);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});

describe.skipIf(notBuilt !== undefined || noTmux !== undefined)('px setup on a terminal', () => {
  /** A terminal with a home of its own; `screen` also keeps what it showed, to be looked at. */
  async function terminal(env: Record<string, string>) {
    const folder = mkdtempSync(join(tmpdir(), 'px-setup-'));
    const tmux = await new Tmux().open({ columns: 90, rows: 50, env: { HOME: folder, PS1: '$ ', ...env } });
    return {
      tmux,
      home: join(folder, 'home'),
      async answer(text: string) {
        if (text !== '') await tmux.type(text);
        await tmux.keys('Enter');
      },
      async [Symbol.asyncDispose]() {
        await tmux[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }

  test('a person gets from nothing to a message in their Telegram, mistakes included', async () => {
    await using model = await provider();
    await using telegram = new BotApi();
    await using at = await terminal({ OPENAI_BASE_URL: model.url });
    const { tmux, home, answer } = at;
    await answer(`${binary} --home ${home} setup --telegram-server ${telegram.url}`);
    await tmux.saw('1 to 6 [1] ›');
    await answer('nine');
    await tmux.saw('Type a number from 1 to 6.');
    await answer('');
    await tmux.saw('https://platform.openai.com/api-keys');
    await answer('sk-wrong-key-1234567');
    await tmux.saw('Incorrect API key provided');
    await tmux.saw('Another key');
    await answer(goodKey);
    await tmux.saw('ok    openai/gpt-5.4-mini answers: “Yes, I am here.”');
    await tmux.saw('Token of your bot');
    await answer('4711:WRONG');
    await tmux.saw('Telegram does not know this bot token');
    await answer(telegram.token);
    await tmux.saw('ok    Telegram: px is @px_test_bot, https://t.me/px_test_bot');
    await tmux.saw('Waiting for your message');
    telegram.say('let me in', { from: { id: 9, is_bot: false, first_name: 'Eve' }, chat: { id: 9, type: 'private' } });
    await tmux.saw('Eve wrote');
    await answer('');
    await tmux.saw('Eve is not let in.');
    telegram.say('hello px');
    await tmux.saw('Ada wrote');
    const code = await until('the code', () => /code: (\w+)/.exec(telegram.texts().join('\n'))?.[1]);
    await tmux.saw(`the code ${code}`);
    await answer('y');
    await tmux.saw('ok    px obeys Ada on Telegram.');
    if ((await tmux.saw(/^(ok|-) {4,5}(A message|No service)|by itself, also/m)).includes('by itself'))
      await answer('n');
    await tmux.saw('ok    A message from px is in your Telegram.');
    const screen = await tmux.saw(`Start it: px --home ${home} serve`);
    expect(screen).not.toContain(goodKey);
    expect(screen).not.toContain(telegram.token);
    expect(telegram.texts().at(-1)).toContain('px is set up');
    expect(telegram.texts().at(-1)).toContain('px serve');
    expect(telegram.texts(9).join('\n')).not.toContain('set up');
  }, 90_000);

  test('another server: its address, a wrong key, and of many models one by a part of its name', async () => {
    const many = Array.from({ length: 25 }, (_, n) => `google/gemini-${n}`);
    await using model = await provider([...many, 'openai/gpt-5', 'openai/gpt-5-mini', 'openai/gpt-4.1-mini']);
    await using at = await terminal({});
    const { tmux, home, answer } = at;
    await answer(`${binary} --home ${home} setup --no-telegram`);
    await tmux.saw('1 to 6 [1] ›');
    await answer('5');
    await tmux.saw('Its address');
    await answer('');
    await until('the providers again', async () => (await tmux.screen()).match(/1 to 6/g)?.length === 2);
    await answer('5');
    await until('the address again', async () => (await tmux.screen()).match(/Its address/g)?.length === 2);
    await answer('nonsense');
    await tmux.saw('That is no address.');
    await answer(model.url);
    await tmux.saw('Its key');
    await answer('sk-wrong-key-1234567');
    await tmux.saw('Another key (not shown');
    await answer(goodKey);
    await tmux.saw('Which one?');
    await answer('mini');
    expect(await tmux.saw('1 to 21 [1] ›')).toMatch(
      / 1 {2}openai\/gpt-5-mini\n +2 {2}openai\/gpt-4.1-mini\n +3 {2}google/,
    );
    await answer('2');
    await tmux.saw('ok    local/openai/gpt-4.1-mini answers');
  }, 90_000);

  test('Ctrl-C leaves a home that works, and the next setup goes on from there', async () => {
    await using model = await provider();
    await using telegram = new BotApi();
    await using at = await terminal({ OPENAI_BASE_URL: model.url, OPENAI_API_KEY: goodKey });
    const { tmux, home, answer } = at;
    const clear = async () => {
      await answer('clear');
      await until('a clear screen', async () => !(await tmux.screen()).includes('code'));
    };
    const setup = `${binary} --home ${home} setup --telegram-server ${telegram.url}; echo "code $?"`;
    await answer(setup);
    await tmux.saw('OPENAI_API_KEY is in the environment');
    await answer('');
    await tmux.saw('ok    openai/gpt-5.4-mini answers');
    await tmux.saw('Token of your bot');
    await tmux.keys('C-c');
    await tmux.saw('`px setup` goes on from there.');
    await tmux.saw('code 130');
    expect(existsSync(join(home, 'state/px.pid'))).toBe(false);
    await clear();
    await answer(`unset OPENAI_API_KEY; ${setup}`);
    await tmux.saw('ok    openai/gpt-5.4-mini answers');
    expect(await tmux.saw('Token of your bot')).not.toContain('Which model');
    await answer(telegram.token);
    await tmux.saw('Waiting for your message');
    await tmux.keys('C-c');
    await tmux.saw('code 130');
    await clear();
    await answer(setup);
    await tmux.saw('ok    Telegram: px is @px_test_bot');
    expect(await tmux.saw('Waiting for your message')).not.toContain('Token of');
    await answer('');
    await tmux.saw('todo  Nobody is paired on Telegram yet.');
    await tmux.saw('code 0');
  }, 90_000);

  test.each(['1 to 6 [1] ›', 'not shown'])(
    'ends with its terminal, at %j',
    async (question) => {
      await using at = await terminal({});
      await at.answer(`${binary} --home ${at.home} setup`);
      await at.tmux.saw('1 to 6 [1] ›');
      if (question !== '1 to 6 [1] ›') await at.answer('1');
      await at.tmux.saw(question);
      const pid = await at.tmux.child();
      expect(existsSync(`/proc/${pid}`)).toBe(true);
      await at.tmux.tmux('kill-server');
      await until('px setup to end', () => !existsSync(`/proc/${pid}`));
    },
    90_000,
  );

  test('goes through a px that runs', async () => {
    await using telegram = new BotApi();
    await using px = await new Px().serve();
    await using at = await terminal({});
    await at.answer(`${binary} --home ${px.home} setup --provider offline --telegram-server ${telegram.url}`);
    await at.tmux.saw('ok    The small built-in model answers');
    await at.tmux.saw('Token of your bot');
    await at.answer(telegram.token);
    await at.tmux.saw('Waiting for your message');
    telegram.say('hello px');
    await at.tmux.saw('Ada wrote');
    await at.answer('y');
    await at.tmux.saw('A message from px is in your Telegram.');
    expect(telegram.texts().at(-1)).toContain('Just write to me');
    telegram.say('what time is it?');
    await until('an answer', () => telegram.texts().at(-1)?.startsWith('It is '));
  }, 60_000);
});
