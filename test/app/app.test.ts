import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, startApp } from '../../src/app/app.ts';
import { type Environment, type Home, homeAt } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import type { PxEvent } from '../../src/wire/wire.ts';
import { inbound } from '../agent/fakes.ts';
import { openaiServer } from './openai-server.ts';

const values: Record<string, string> = { TEST_KEY: 'a-key-for-tests' };
const env: Environment = { home: undefined, userHome: tmpdir(), get: (name) => values[name] };
const offline = 'model: { default: offline/px }\n';

function newHome(yaml = offline): Home {
  const home = homeAt(mkdtempSync(join(tmpdir(), 'px-app-')));
  writeFileSync(home.config, yaml);
  return home;
}

const start = (home: Home) => startApp({ home, env, version: '0.0.0', log: () => {} });

/** Waits for an event; begin to wait before what causes it. */
function event<T extends PxEvent['type']>(
  app: App,
  type: T,
  fits: (event: Extract<PxEvent, { type: T }>) => boolean = () => true,
) {
  return new Promise<Extract<PxEvent, { type: T }>>((resolve) => {
    const off = app.bus.on((one) => {
      if (one.type !== type || !fits(one as Extract<PxEvent, { type: T }>)) return;
      off();
      resolve(one as Extract<PxEvent, { type: T }>);
    });
  });
}

async function ask(app: App, text: string, id: string): Promise<string> {
  const end = event(app, 'turn.end');
  app.submit(inbound(text, id));
  return (await end).text;
}

function journal(home: Home): string {
  const folder = join(home.memory, 'journal', 'cli-default');
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

const openai = (url: string) =>
  `model: { default: openai/m }\nproviders: { openai: { api_key: "\${TEST_KEY}", base_url: "${url}" } }\n`;

describe('px in a home', () => {
  test('answers without a network, uses a sandboxed tool, and can be asked about it later', async () => {
    const home = newHome();
    const app = await start(home);
    expect(await ask(app, 'what time is it?', 'a')).toContain(String(new Date().getUTCFullYear()));
    await ask(app, 'remember that my bicycle is called Gudrun', 'b');
    await app.memory.settled();
    expect(await ask(app, 'what did I say about my bicycle?', 'c')).toContain('Gudrun');
    await app.close();
    expect(journal(home)).toContain('clock_now');
    expect(readFileSync(join(home.memory, 'MEMORY.md'), 'utf8')).toContain('Gudrun');
  }, 30_000);

  test('continues a conversation, and its model, after every database was deleted', async () => {
    const home = newHome();
    const first = await start(home);
    await ask(first, 'hello', 'a');
    await first.setModel('cli/default', 'offline/px');
    await first.close();
    rmSync(home.state, { recursive: true });
    const second = await start(home);
    const session = await second.sessions.open('cli/default');
    expect(JSON.stringify(session.messages)).toContain('hello');
    expect(session.model).toBe('offline/px');
    await second.close();
  });

  test('belongs to one px: a second is refused, and the first may be closed twice', async () => {
    const home = newHome();
    const app = await start(home);
    const second = await start(home).catch((error: unknown) => error);
    expect(second instanceof PxError && second.code).toBe('store.locked');
    await Promise.all([app.close(), app.close()]);
    await (await start(home)).close();
  });

  test('that is broken is not half opened: the next start works', async () => {
    const home = newHome('gateway: { prot: 1 }\n');
    const refused = await start(home).catch((error: unknown) => error);
    expect(refused instanceof PxError && refused.code).toBe('config.unknown-key');
    writeFileSync(home.config, offline);
    await (await start(home)).close();
  });

  test('tells what it is doing', async () => {
    const app = await start(newHome());
    await app.settled();
    const status = app.status();
    expect(status).toMatchObject({ version: '0.0.0', model: { ref: 'offline/px', offline: true } });
    expect(status.plugins.map((plugin) => plugin.name)).toContain('clock');
    expect(Object.keys(status.sandbox.layers)).not.toEqual([]);
    await app.close();
  }, 30_000);
});

describe('a real provider', () => {
  test('gets a first request of at most 6 KB, with every tool px carries', async () => {
    using server = openaiServer(['Good day.']);
    const app = await start(newHome(openai(server.url)));
    await app.settled();
    expect(await ask(app, 'hello', 'a')).toBe('Good day.');
    await app.close();
    expect(server.requests[0]).toContain('web_fetch');
    expect(Buffer.byteLength(server.requests[0] ?? '')).toBeLessThanOrEqual(6 * 1024);
  }, 30_000);

  test('is switched live by an edit of px.yaml, and by /model, keeping the conversation', async () => {
    using server = openaiServer(['from the server']);
    const home = newHome();
    const app = await start(home);
    await app.settled();
    await ask(app, 'first', 'a');
    const changed = event(app, 'config.changed');
    writeFileSync(home.config, openai(server.url));
    await changed;
    expect(await ask(app, 'second', 'b')).toBe('from the server');
    expect(server.requests[0]).toContain('first');
    await ask(app, '/model offline/px', 'c');
    expect(await ask(app, 'third', 'd')).toContain('offline model');
    await app.close();
  }, 30_000);

  test('a mistake in px.yaml is told, and what was good stays in force', async () => {
    const home = newHome();
    const app = await start(home);
    await app.settled();
    const rejected = event(app, 'config.rejected');
    writeFileSync(home.config, 'model: { defualt: openai/m }\n');
    expect((await rejected).error.message).toContain('default');
    expect(await ask(app, 'still there?', 'a')).toContain('offline');
    await app.close();
  }, 30_000);
});

describe('kill -9', () => {
  /** Another px of this home that is asked something and killed once `ready` holds. */
  async function killed(home: Home, text: string, ready: () => Promise<unknown>): Promise<void> {
    const script = `import { startApp } from ${JSON.stringify(join(import.meta.dir, '../../src/app/app.ts'))};
      const env = { userHome: '/tmp', get: (name) => (name === 'TEST_KEY' ? 'a-key-for-tests' : undefined) };
      const app = await startApp({ home: ${JSON.stringify(home)}, env, version: '0.0.0', log: () => {} });
      app.submit(${JSON.stringify(inbound(text, 'm1'))});`;
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'inherit', stderr: 'inherit' });
    await Promise.race([ready(), child.exited]);
    child.kill('SIGKILL');
    await child.exited;
  }

  test('in the middle of an answer: it is given after the restart, once, and the question is journalled once', async () => {
    using server = openaiServer([{ begin: 'Half an', hang: true }, 'The whole answer.']);
    const home = newHome(openai(server.url));
    await killed(home, 'a long question', () => server.asked(1));
    const app = await start(home);
    const end = await event(app, 'turn.end');
    expect(end.text).toBe('The whole answer.');
    await app.close();
    expect(journal(home).split('a long question')).toHaveLength(2);
    const again = await start(home);
    await again.settled();
    await again.close();
    expect(server.requests).toHaveLength(2);
  }, 30_000);

  test('stopping px in the middle of an answer is no different', async () => {
    using server = openaiServer([{ begin: 'Half an', hang: true }, 'The whole answer.']);
    const home = newHome(openai(server.url));
    const first = await start(home);
    const half = event(first, 'turn.text');
    first.submit(inbound('a long question', 'm1'));
    await half;
    await first.close();
    const second = await start(home);
    expect((await event(second, 'turn.end')).text).toBe('The whole answer.');
    await second.close();
    expect(journal(home)).toContain('Half an');
    expect(journal(home).split('a long question')).toHaveLength(2);
  }, 30_000);
});
