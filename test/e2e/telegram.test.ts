import { describe, expect, test } from 'bun:test';
import { clockMock, providers } from './mock-llm.ts';
import { notBuilt, Px, until } from './px.ts';
import { fakeTelegram } from './telegram.ts';

describe.skipIf(notBuilt !== undefined)('a Telegram message', () => {
  for (const provider of providers) {
    test(`leads to a plugin tool call and an answer with ${provider.name}`, async () => {
      await using telegram = await fakeTelegram();
      await using mock = await clockMock();
      await using px = new Px({
        config: { ...telegram.config(), model: { default: provider.model }, providers: provider.config(mock.url) },
        env: { TELEGRAM_TOKEN: telegram.token, TEST_KEY: 'sk-test-1234567890' },
      });
      await px.serve();
      await px.installed();
      await telegram.say('what time is it?');
      const answer = await until('an answer', () => telegram.answers()[0]);
      expect(answer).toContain('The clock plugin told me the time.');

      const journal = px.journal();
      expect(journal).toContain('what time is it?');
      expect(journal).toContain('clock_now');
      expect(journal).toContain('The clock plugin told me the time. ☕ Done.');
      expect(journal).not.toContain(telegram.token);
      await until(
        'the answer in the index',
        async () => (await px.run('memory', 'search', 'clock plugin told')).stdout.includes('journal/') || undefined,
      );
    });
  }

  test('from a stranger is answered with a pairing code, and after approval with an answer', async () => {
    await using telegram = await fakeTelegram();
    await using px = new Px({ config: telegram.config({ open: false }), env: { TELEGRAM_TOKEN: telegram.token } });
    await px.serve();
    await telegram.say('hello?');
    const ask = await until('the pairing code', () => telegram.answers()[0]);
    const code = /\b[A-Z2-9]{8}\b/.exec(ask)?.[0] ?? '';
    expect(code).not.toBe('');
    expect((await px.run('pairing', 'approve', code)).code).toBe(0);
    await telegram.say('help');
    await until('an answer', () => telegram.answers().find((a) => /offline/i.test(a)));
    expect((await px.run('pairing', 'approve', code)).code).toBe(1);
  });

  test('is answered minutes after the first start, by the commands of the README, without a restart', async () => {
    await using telegram = await fakeTelegram();
    await using px = new Px();
    await px.serve();
    await px.installed();
    const host = new URL(telegram.url).host;
    const commands: [string[], string?][] = [
      [['config', 'set', 'plugins.telegram.settings.api', telegram.url]],
      [['config', 'set', 'plugins.telegram.grants.egress', `["GET,POST ${telegram.url}/"]`]],
      [['config', 'set', 'plugins.telegram.grants.private_hosts', `["${host}"]`]],
      [['config', 'set', 'plugins.telegram.grants.secrets.TELEGRAM_TOKEN', `["${telegram.url}/"]`]],
      [['secret', 'set', 'TELEGRAM_TOKEN'], `${telegram.token}\n`],
      [['config', 'set', 'channels.telegram.enabled', 'true']],
    ];
    for (const [args, input] of commands)
      expect([args, await px.pipe(input, ...args)]).toMatchObject([args, { code: 0, stderr: '' }]);
    await telegram.say('hello');
    const ask = await until('the pairing code', () => telegram.answers()[0]);
    const code = /\b[A-Z2-9]{8}\b/.exec(ask)?.[0] ?? '';
    expect((await px.run('pairing', 'list')).stdout).toContain(code);
    expect((await px.run('pairing', 'approve', code)).stdout).toContain('may talk to px');
    await telegram.say('what time is it?');
    await until('the time', () => telegram.answers().find((a) => /It is \w+day, /.test(a)));
    expect((await px.run('pairing', 'revoke', 'telegram', '1')).code).toBe(0);
    const before = telegram.answers().length;
    await telegram.say('what time is it?');
    const refused = await until('a new code', () => telegram.answers()[before]);
    expect(refused).toMatch(/\b[A-Z2-9]{8}\b/);
    expect((await px.run('doctor')).stdout).toContain('channel telegram');
    expect(px.log).not.toContain(telegram.token);
  });

  test('is answered exactly once when px is killed while the model answers', async () => {
    await using telegram = await fakeTelegram();
    await using mock = await clockMock();
    mock.on({ userMessage: 'slowly' }, { content: 'A slow but single answer. '.repeat(8) }, { latency: 40 });
    await using px = new Px({
      config: { ...telegram.config(), model: { default: 'openai/gpt-4o' }, providers: providers[0].config(mock.url) },
      env: { TELEGRAM_TOKEN: telegram.token, TEST_KEY: 'sk-test-1234567890' },
    });
    await px.serve();
    await telegram.say('answer slowly');
    await until('the request to reach the model', () => mock.getRequests().length > 0);
    await px.kill9();
    await px.serve();
    await until('an answer', () => telegram.answers()[0]);
    await telegram.say('hello');
    await until('the next answer', () => telegram.answers().find((a) => a.includes('Hello from the mock')));
    expect(telegram.answers().filter((a) => a.includes('slow but single'))).toHaveLength(1);
    expect(px.journal().match(/answer slowly/g)).toHaveLength(1);
  });
});
