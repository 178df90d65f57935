import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { refuse, serve, speakers, streamed } from '../model/speakers.ts';
import { notBuilt, Px } from './px.ts';

describe.skipIf(notBuilt !== undefined)('the executable, four providers and a compatible server', () => {
  const four = speakers.filter((one) => one.api !== 'responses');
  const usage = { input: 1000, output: 100, cachedInput: 0 };
  let away = false;
  const servers = four.map((one) =>
    serve(one, () =>
      away && one.provider === 'openai'
        ? refuse(one, 401, 'no')
        : streamed(one, { text: [`from ${one.provider}`], usage }),
    ),
  );
  let px: Px;

  beforeAll(async () => {
    const providers = Object.assign({}, ...servers.map((one) => one.yaml({ api_key: '${K}' }).providers));
    const aliases = { claude: 'anthropic/claude-haiku-5-5' };
    const model = { default: 'openai/gpt-4o', fallbacks: ['claude'], aliases };
    px = new Px({ config: { providers, model }, env: { K: 'sk-test-1234567' } });
    await px.serve();
  });
  afterAll(async () => {
    await px[Symbol.asyncDispose]();
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  test('one conversation goes through all of them, chosen for a message, for the conversation, by px.yaml', async () => {
    for (const one of four)
      expect((await px.run('chat', '--model', one.ref, 'hi')).stdout).toBe(`from ${one.provider}\n`);
    expect((await px.run('chat', '/model gemini what do you say?')).stdout).toBe('from gemini\n');
    expect((await px.run('chat', '/model claude')).stdout).toContain('From now on anthropic/claude-haiku-5-5');
    expect((await px.run('chat', 'hi')).stdout).toBe('from anthropic\n');
    await px.run('chat', '/model default');
    expect((await px.run('chat', 'hi')).stdout).toBe('from openai\n');
    // Each was sent what the others had said.
    for (const said of ['from openai', 'from anthropic', 'from gemini', 'from ollama'])
      expect(JSON.stringify(servers[0]?.bodies.at(-1))).toContain(said);
  });

  test('a picture and a document go with the message, and stay', async () => {
    const file = join(px.home, 'prices.csv');
    writeFileSync(file, 'plum,3\n');
    await px.run('chat', '--file', file, 'how much?');
    await px.run('chat', '--model', 'ollama/qwen3', 'and now?');
    for (const at of [0, 3]) expect(JSON.stringify(servers[at]?.bodies.at(-1))).toContain('plum,3');
  });

  test('the default that fails is replaced and that is said; a chosen one is not; what it cost is in the ledger', async () => {
    away = true;
    const { stdout } = await px.run('chat', 'hi');
    expect(stdout).toContain('from anthropic');
    expect(stdout).toContain('anthropic/claude-haiku-5-5 answered instead of openai/gpt-4o');
    const chosen = await px.run('chat', '--model', 'openai/gpt-4o', 'hi');
    expect(chosen.code).toBe(1);
    expect(chosen.stdout).toContain('[model.auth]');
    const spent = await px.run('usage');
    expect(spent.stdout).toMatch(/openai\/gpt-4o +\d+ .*prices of/);
    expect(spent.stdout).toMatch(/ollama\/qwen3 .*free: local/);
  });
});
