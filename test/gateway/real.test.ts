import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { type App, startApp } from '../../src/app/app.ts';
import { createClient } from '../../src/client/client.ts';
import { homeAt, loadEnvironment } from '../../src/config/config.ts';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import { routes } from '../../src/gateway/table.ts';

const root = mkdtempSync(join(tmpdir(), 'px-real-'));
let app: App;
let gateway: Gateway;
beforeAll(async () => {
  app = await startApp({ home: homeAt(root), env: loadEnvironment(), version: '1.2.3', quiet: true });
  gateway = await startGateway({ app, port: 0 });
}, 30_000);
afterAll(async () => {
  await gateway.stop();
  await app.close();
  rmSync(root, { recursive: true, force: true });
});

const client = () => createClient(gateway);
const call = (path: string, init: RequestInit = {}) =>
  fetch(gateway.url + path, {
    ...init,
    headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
  });

describe('the gateway of a real px', () => {
  test('answers, keeps the conversation, and reads it back', async () => {
    const types: string[] = [];
    for await (const event of client().follow('web/real', 'remember that my bicycle is called Gudrun'))
      types.push(event.type);
    expect(types[0]).toBe('turn.start');
    expect(types.at(-1)).toBe('turn.end');
    expect(types).toContain('turn.tool-result');
    const { entries } = await client().conversation('web/real');
    expect(entries.map((entry) => entry.kind)).toContain('tool-call');
    expect((await client().conversations()).map((one) => one.conversation)).toContain('web/real');
    await app.memory.settled();
    expect((await client().search('Gudrun')).length).toBeGreaterThan(0);
  }, 30_000);

  test('answers a command as a turn of its own', async () => {
    expect(await client().ask('web/real', '/model')).toMatchObject({ reason: 'stop', answer: expect.any(String) });
    expect(await client().setModel('web/real', 'offline/px')).toEqual({
      conversation: 'web/real',
      model: 'offline/px',
    });
    expect((await client().conversation('web/real')).model).toBe('offline/px');
  });

  test('speaks for the agent as an OpenAI model', async () => {
    const body = JSON.stringify({ model: 'px', user: 'anna', messages: [{ role: 'user', content: 'hello' }] });
    const reply: unknown = await (await call('/v1/chat/completions', { method: 'POST', body })).json();
    expect(reply).toMatchObject({ object: 'chat.completion', choices: [{ finish_reason: 'stop' }] });
  });

  test('answers every call that takes nothing just as its description says', async () => {
    for (const route of routes.filter((r) => r.method === 'GET' && !r.params && !r.path.includes('note'))) {
      const query = route.path.endsWith('search') ? '?q=bicycle' : '';
      const response = await call(route.path + query);
      expect([route.path, response.status]).toEqual([route.path, 200]);
      const result = v.safeParse(route.reply, await response.json());
      expect([route.path, result.issues?.[0]?.message]).toEqual([route.path, undefined]);
    }
  });

  test('answers nonsense with the caller’s fault, not with its own', async () => {
    const nasty = [
      '%00',
      '..%2f..',
      '%F0%9F%A6%8A',
      "'%3B--",
      '%7B%7B',
      'a'.repeat(300),
      '-',
      '__proto__',
      'constructor',
    ];
    for (const path of routes.flatMap((r) =>
      nasty.map((bad) => ({ method: r.method, path: r.path.replace(/\{\w+\}/g, bad) })),
    )) {
      if (!path.path.includes('/api/') || path.path.endsWith('rebuild')) continue;
      const body = ['POST', 'PUT'].includes(path.method)
        ? { body: '{"value":null,"args":[null],"path":"\\u0000","text":""}' }
        : {};
      const { status } = await call(path.path, { method: path.method, ...body });
      expect([path.method, path.path, status < 500]).toEqual([path.method, path.path, true]);
    }
    for (const bad of nasty)
      for (const path of [
        `/api/memory/note?path=${bad}`,
        `/api/memory/search?q=${bad}`,
        `/api/memory/notes?under=${bad}`,
      ])
        expect([path, (await call(path)).status < 500]).toEqual([path, true]);
  });

  test('knows nothing of a plugin that is removed, also of one px carries', async () => {
    await client().addPlugin('js-run');
    expect((await client().plugin('js-run')).state).toBe('idle');
    await client().removePlugin('js-run');
    expect((await call('/api/plugins/js-run')).status).toBe(404);
    expect((await client().inspectPlugin('js-run')).name).toBe('js-run');
  }, 60_000);

  test('refuses a channel it does not have, and goes on', async () => {
    const response = await call('/api/conversations/nowhere/me/messages', { method: 'POST', body: '{"text":"x"}' });
    expect(response.status).toBe(404);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });
});
