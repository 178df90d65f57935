import { describe, expect, test } from 'bun:test';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary, notBuilt, Px, until } from './px.ts';

/** A server that answers as Ollama does when it is asked what it has. */
function fakeOllama() {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) =>
      new URL(request.url).pathname === '/api/tags'
        ? Response.json({
            models: [{ name: 'qwen3:4b', model: 'qwen3:4b', modified_at: '', size: 1, digest: '', details: {} }],
          })
        : Response.json({ version: '0.12.0' }),
  });
  return { host: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

describe.skipIf(notBuilt !== undefined)('in the first hour', () => {
  test.each(['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY'])(
    '%s in the environment is picked and named',
    async (name) => {
      await using px = await new Px({ env: { [name]: 'sk-test-1234567890' } }).serve();
      expect(px.ready).toContain(`(${name} is set)`);
      expect(px.ready).not.toContain('offline');
    },
  );

  test('Ollama is picked and named', async () => {
    using ollama = fakeOllama();
    await using px = await new Px({ env: { OLLAMA_HOST: ollama.host } }).serve();
    expect(px.ready).toContain('ollama/qwen3:4b');
  });

  test('a key that is stored makes its provider answer at once, and its removal gives the offline model back', async () => {
    await using px = await new Px().serve();
    expect((await px.pipe('sk-test-1234567890', 'secret', 'set', 'OPENAI_API_KEY')).stdout).toContain(
      'From now on openai/',
    );
    expect((await px.run('status')).stdout).toContain('openai/');
    expect((await px.run('secret', 'remove', 'OPENAI_API_KEY')).code).toBe(0);
    await until('the offline model', async () => (await px.run('status')).stdout.includes('offline/px'));
  });

  test('the first message may come with the ready line, and what it says is found at once', async () => {
    await using px = await new Px().serve();
    expect((await px.run('chat', 'what time is it in Tokyo?')).stdout).toMatch(/It is \w+day, .* in Tokyo/);
    await px.run('chat', 'remember that my bicycle is called Gudrun');
    const search = await px.run('memory', 'search', 'bicycle', '--json');
    const [hit]: { path: string; line: number; snippet: string }[] = JSON.parse(search.stdout);
    expect(hit).toMatchObject({ path: 'MEMORY.md', snippet: 'my bicycle is called Gudrun' });
    expect((await px.run('chat', 'what did I say about my bicycle?')).stdout).toContain(`(MEMORY.md#${hit?.line})`);
  });

  test('a second px in the same home is refused and told which one has it', async () => {
    await using px = await new Px().serve();
    const second = await px.run('serve', '--port', '0', '--json');
    expect(second.code).toBe(1);
    expect(JSON.parse(second.stdout).error).toMatchObject({ code: 'store.locked' });
    expect(second.stdout).toContain(String(px.pid));
  });

  test('a px.yaml that is not taken over shows in the status until it is right again', async () => {
    await using px = await new Px({ config: 'model:\n  default: offline/px\n' }).serve();
    const problem = async () => JSON.parse((await px.run('status', '--json')).stdout).config.problem as string;
    px.writeConfig('model:\n  defualt: offline/px\n');
    await until('the problem', async () => (await problem()).includes('px.yaml:2:3'));
    px.writeConfig('model:\n  default: offline/px\n');
    await until('no problem', async () => (await problem()) === '');
  });

  test('a plugin is inspected, installed with the lines that grant what it asks for, denied without them', async () => {
    await using px = await new Px().serve();
    await px.installed();
    const file = join(px.home, 'weather.ts');
    writeFileSync(
      file,
      `import { httpRequest } from 'px';
export const manifest = { name: 'weather', version: '1.0.0', description: '', egress: ['GET https://weather.test/'] };
export function forecast(city: string) { return httpRequest({ url: 'https://weather.test/' + city }).status; }`,
    );
    const seen = await px.run('plugin', 'inspect', file);
    expect(seen.stdout).toContain('not installed');
    expect((await px.run('plugin', 'list')).stdout).not.toContain('weather');
    const added = await px.run('plugin', 'add', file);
    expect(added.stdout).toContain('not granted  make GET requests to https://weather.test');
    expect(added.stdout).toContain('px plugin grant weather --all');
    const denied = await px.run('plugin', 'call', 'weather', 'forecast', '["Graz"]');
    expect(denied).toMatchObject({ code: 1 });
    expect(denied.stderr).toContain('plugins.weather.grants');
    expect((await px.run('plugin', 'grant', 'weather', '--all')).code).toBe(0);
    expect((await px.run('plugin', 'inspect', 'weather')).stdout).not.toContain('not granted');
    expect((await px.run('chat', 'fetch https://example.com/a')).stdout).toContain(
      'plugins.web-fetch.grants.egress: ["GET https://example.com/"]',
    );
  });

  test('a conversation goes on after kill -9 and without the databases', async () => {
    await using px = await new Px().serve();
    await px.run('chat', 'remember that my boat is called Tove');
    await px.kill9();
    for (const file of readdirSync(join(px.home, 'state')))
      if (/\.db(-wal|-shm)?$/.test(file)) rmSync(join(px.home, 'state', file));
    await px.serve();
    expect((await px.run('chat', 'what did I say about my boat?')).stdout).toContain('(MEMORY.md#');
    expect((await px.run('chat', '/status')).stdout).toMatch(/Conversation: cli\/default, [1-9]\d* messages/);
  });

  test.each([
    [['nope'], 2],
    [['chat', '--conversation', 'a//b', 'hi'], 2],
    [['status'], 1],
    [['config', 'set', 'modle.default', 'x'], 1],
    [['plugin', 'call', 'nope', 'f'], 1],
    [['memory', 'search'], 2],
  ])('px %j --json fails with JSON on stdout, before and after --home', async (args, code) => {
    await using px = new Px();
    for (const home of [
      ['--home', px.home, ...args],
      [...args, '--home', px.home],
    ]) {
      const ran = Bun.spawnSync([binary, ...home, '--json'], { env: { HOME: px.home }, stdin: 'ignore' });
      expect(JSON.parse(ran.stdout.toString())).toMatchObject({
        error: { code: expect.any(String), message: expect.any(String) },
      });
      expect([args, ran.exitCode]).toEqual([args, code]);
    }
  });

  test('a reader that goes away is no error', async () => {
    await using px = new Px();
    const ran = Bun.spawnSync(['sh', '-c', `"${binary}" --home "${px.home}" config get | head -1`], {
      env: { HOME: px.home, PATH: process.env['PATH'] ?? '' },
    });
    expect(ran.stderr.toString()).toBe('');
  });
});
