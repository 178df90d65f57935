import { describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clockMock, providers } from './mock-llm.ts';
import { notBuilt, Px, until } from './px.ts';

const env = { TEST_KEY: 'sk-test-1234567890' };
const model = async (px: Px) =>
  (JSON.parse((await px.run('status', '--json')).stdout) as { model: { ref: string } }).model.ref;

describe.skipIf(notBuilt !== undefined)('while px runs', () => {
  test('an edit of px.yaml switches the model, and the conversation goes on with its tool calls', async () => {
    await using mock = await clockMock();
    const [openai, , anthropic] = providers;
    const both = { ...openai.config(mock.url), ...anthropic.config(mock.url) };
    await using px = new Px({ config: { model: { default: openai.model }, providers: both }, env });
    await px.serve();
    await px.installed();
    expect((await px.run('chat', 'the time please')).stdout).toContain('told me the time');
    px.writeConfig({ model: { default: anthropic.model }, providers: both });
    await until('the switch', async () => (await model(px)) === anthropic.model);
    const before = mock.getRequests().length;
    expect((await px.run('chat', 'hello again')).stdout).toContain('Hello from the mock.');
    const request = JSON.stringify(
      mock
        .getRequests()
        .slice(before)
        .map((r) => [r.path, r.body]),
    );
    expect(request).toContain('/v1/messages');
    expect(request).toContain('clock_now');
  });

  test('/model in a chat switches that conversation only', async () => {
    await using mock = await clockMock();
    await using px = new Px({
      config: {
        model: { default: 'offline/px', aliases: { mock: 'openai/gpt-4o' } },
        providers: providers[0].config(mock.url),
      },
      env,
    });
    await px.serve();
    await px.run('chat', '--conversation', 'one', '/model mock');
    expect((await px.run('chat', '--conversation', 'one', 'hello')).stdout).toContain('Hello from the mock.');
    expect((await px.run('chat', '--conversation', 'two', 'hello')).stdout).toContain('offline');
    expect((await px.run('chat', '--conversation', 'one', '/model nonsense/at-all')).stdout).toContain('nonsense');
  });

  test('bad YAML leaves the last good config in force and says where it is wrong', async () => {
    await using px = new Px({ config: 'model:\n  default: offline/px\n' });
    await px.serve();
    px.writeConfig('model:\n  defualt: openai/gpt-4o\n');
    await until('the complaint', () => /px\.yaml:2:3/.test(px.log) && px.log.includes('default'));
    px.writeConfig('model: [unclosed\n');
    await until('the second complaint', () => (px.log.match(/px\.yaml:\d+:\d+/g)?.length ?? 0) > 1);
    expect(await model(px)).toBe('offline/px');
    expect((await px.run('chat', 'help')).code).toBe(0);
  });

  test('px config set keeps comments and order, and refuses what is wrong', async () => {
    await using px = new Px({ config: '# mine\nlog:\n  level: info # quiet\nmodel:\n  default: offline/px\n' });
    expect((await px.run('config', 'set', 'log.level', 'debug')).code).toBe(0);
    const file = join(px.home, 'px.yaml');
    expect(readFileSync(file, 'utf8')).toBe('# mine\nlog:\n  level: debug # quiet\nmodel:\n  default: offline/px\n');
    const wrong = await px.run('config', 'set', 'log.level', 'loud');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('log.level');
    writeFileSync(file, 'log:\n  levle: info\n');
    const check = await px.run('config', 'check');
    expect(check.code).toBe(1);
    expect(check.stderr).toContain('px.yaml:2:3');
    expect(check.stderr).toContain('level');
  });
});
