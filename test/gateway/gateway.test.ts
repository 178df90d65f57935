import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import { type Fake, fakeApp } from './fake-app.ts';

let fake: Fake;
let gateway: Gateway;
beforeEach(async () => {
  fake = fakeApp({ gateway: { origins: ['https://friend.example'], max_body_bytes: 2048 } });
  gateway = await startGateway({ app: fake.app, port: 0 });
});
afterEach(() => gateway.stop());

const call = (path: string, init: RequestInit & { token?: string } = {}) => {
  const headers = new Headers(init.headers);
  if (!headers.has('authorization')) headers.set('authorization', `Bearer ${init.token ?? gateway.token}`);
  if (init.body && !headers.has('content-type')) headers.set('content-type', 'application/json');
  return fetch(gateway.url + path, { ...init, headers });
};
const errorOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;
const say = (text: string) => ({ method: 'POST', body: JSON.stringify({ text }) });

describe('the gateway', () => {
  test('says that it is healthy and ready to anybody', async () => {
    for (const path of ['/healthz', '/readyz']) expect((await fetch(gateway.url + path)).status).toBe(200);
  });

  test('writes its address and token for clients, readable by the owner only', () => {
    const { state } = fake.app.home;
    for (const name of ['gateway.json', 'token']) expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
    const address: unknown = JSON.parse(readFileSync(join(state, 'gateway.json'), 'utf8'));
    expect(address).toEqual({ url: gateway.url, token: gateway.token, pid: process.pid });
  });

  test('answers a message with the whole turn as JSON', async () => {
    const response = await call('/api/conversations/web/me/messages', say('hi'));
    expect(await response.json()).toMatchObject({
      answer: 'you said hi',
      model: 'offline/px',
      conversation: 'web/me',
      reason: 'stop',
    });
    expect(fake.submitted.at(-1)).toMatchObject({ channel: 'web', chat: 'me', text: 'hi' });
  });

  test('streams a turn as Server-Sent Events, the end last', async () => {
    const response = await call('/api/conversations/web/me/messages', {
      ...say('line one\nline two'),
      headers: { accept: 'text/event-stream' },
    });
    expect(response.headers.get('content-type')).toStartWith('text/event-stream');
    const text = await response.text();
    expect([...text.matchAll(/^event: (.*)$/gm)].map((m) => m[1])).toEqual(['turn.start', 'turn.text', 'turn.end']);
  });

  test('two messages in one conversation each get their own answer', async () => {
    const answers = await Promise.all(
      ['one', 'two', 'three'].map(async (text) => {
        const response = await call('/api/conversations/web/me/messages', say(text));
        return ((await response.json()) as { answer: string }).answer;
      }),
    );
    expect(answers).toEqual(['you said one', 'you said two', 'you said three']);
  });

  test("hands a plugin's own error on, with its value", async () => {
    const response = await call('/api/plugins/sum/call/fail', { method: 'POST', body: '{"args":[]}' });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ error: { code: 'plugin.guest', data: { reason: 'no' } } });
  });

  test('takes function names with a slash and hash when they are encoded', async () => {
    const fn = encodeURIComponent('project-x:demo/math@0.1.0#add');
    const response = await call(`/api/plugins/sum/call/${fn}`, { method: 'POST', body: '{"args":[1,2]}' });
    expect(await response.json()).toEqual({ result: [1, 2] });
  });

  test('reads numbers in the query and refuses what it does not know', async () => {
    expect((await call('/api/memory/search?q=tea&limit=3')).status).toBe(200);
    expect((await call(`/api/memory/search?q=${'tea '.repeat(2_000)}`)).status).toBe(200);
    for (const bad of ['?q=tea&limit=x', '?q=tea&limit=0', '?q=tea&nope=1', '?q=a&q=b', ''])
      expect((await call(`/api/memory/search${bad}`)).status).toBe(400);
  });

  test('says which methods a path has', async () => {
    const response = await call('/api/status', { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET');
  });

  test('hands a hook its conversation back at once', async () => {
    const response = await call('/hooks/agent', say('deploy failed'));
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ accepted: true, conversation: 'hook/default' });
    // What a script hands on may be anybody's words: they are not the owner's.
    expect(fake.submitted.at(-1)).toMatchObject({ sender: { id: 'script' }, metadata: { outside: ['hook'] } });
  });

  test('gives each answer a request id, the caller’s own when it is harmless', async () => {
    expect((await call('/healthz')).headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    expect((await call('/healthz', { headers: { 'x-request-id': 'mine-1' } })).headers.get('x-request-id')).toBe(
      'mine-1',
    );
  });

  test('removes its address file when it stops', async () => {
    const other = fakeApp();
    const second = await startGateway({ app: other.app, port: 0 });
    await second.stop();
    expect(existsSync(join(other.app.home.state, 'gateway.json'))).toBe(false);
  });

  test('names the port when it is taken', async () => {
    const port = Number(new URL(gateway.url).port);
    expect(startGateway({ app: fakeApp().app, port })).rejects.toMatchObject({ code: 'gateway.port' });
  });
});

describe('a malformed request', () => {
  test('is refused with its place, never with a fault', async () => {
    const bad: [string, RequestInit, number][] = [
      ['/api/conversations/web/me/messages', { method: 'POST', body: '{"text":""}' }, 400],
      ['/api/conversations/web/me/messages', { method: 'POST', body: '{"text":7}' }, 400],
      ['/api/conversations/web/me/messages', { method: 'POST', body: '{' }, 400],
      ['/api/plugins/sum/grant', { method: 'POST', body: '[null]' }, 400],
      ['/api/conversations/web/me/messages', { method: 'POST', body: new Uint8Array([0x22, 0xff, 0x22]) }, 400],
      [
        '/api/conversations/web/me/messages',
        { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } },
        415,
      ],
      ['/api/conversations/WEB/me/messages', { method: 'POST', body: '{"text":"x"}' }, 400],
      ['/api/conversations/web/%00/messages', { method: 'POST', body: '{"text":"x"}' }, 400],
      ['/api/plugins/Not%20A%20Name', {}, 400],
      ['/api/nothing', {}, 404],
      ['/api/memory/note?path=../../etc/passwd', {}, 400],
    ];
    for (const [path, init, status] of bad) {
      const response = await call(path, init);
      expect([path, response.status]).toEqual([path, status]);
      const { error } = (await response.json()) as { error: Record<string, unknown> };
      expect(Object.keys(error)).toContain('message');
      expect(JSON.stringify(error)).not.toContain('    at ');
    }
  });

  test('that is nested without end is refused, wherever any JSON would do', async () => {
    const nested = `{"value":${'['.repeat(1000)}${']'.repeat(1000)}}`;
    const response = await call('/api/config/plugins.x.settings.a', { method: 'PUT', body: nested });
    expect([response.status, await errorOf(response)]).toEqual([400, 'gateway.bad-request']);
  });

  test('whose Host is none is refused, never a fault', async () => {
    for (const host of ['', 'a%00b', '127.0.0.1@evil.test', '[::1', 'a b'])
      expect([host, (await fetch(`${gateway.url}/healthz`, { headers: { host } })).status < 500]).toEqual([host, true]);
  });

  test('that is too large is refused, with and without a length', async () => {
    const big = JSON.stringify({ text: 'x'.repeat(5000) });
    expect((await call('/hooks/agent', { method: 'POST', body: big })).status).toBe(413);
    const chunked = new ReadableStream({
      start(controller) {
        for (const part of big.match(/.{1,700}/gs) ?? []) controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    });
    const response = await call('/hooks/agent', { method: 'POST', body: chunked });
    expect([response.status, await errorOf(response)]).toEqual([413, 'too-large']);
    const attached = JSON.stringify({ text: 'x'.repeat(30_000_000) });
    expect((await call('/api/conversations/web/me/messages', { method: 'POST', body: attached })).status).toBe(413);
  });
});

describe('a stranger', () => {
  test('without the token gets nothing but health and the sign-in', async () => {
    for (const path of ['/api/status', '/api/config', '/v1/models', '/api/secrets', '/api/links'])
      expect((await fetch(gateway.url + path, { method: path === '/api/links' ? 'POST' : 'GET' })).status).toBe(401);
    for (const authorization of ['Bearer ', 'Bearer wrong', `Basic ${btoa(`x:${gateway.token}`)}`, gateway.token])
      expect((await call('/api/status', { headers: { authorization } })).status).toBe(401);
  });

  test('who guesses on has to wait, and the owner does not', async () => {
    const own = await startGateway({ app: fakeApp().app, port: 0 });
    const guess = () => fetch(`${own.url}/api/status`, { headers: { authorization: 'Bearer wrong' } });
    for (let i = 0; i < 10; i++) expect((await guess()).status).toBe(401);
    const late = await guess();
    expect(late.status).toBe(429);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    const owner = await fetch(`${own.url}/api/status`, { headers: { authorization: `Bearer ${own.token}` } });
    expect(owner.status).toBe(200);
    // Who says nothing guesses nothing: a program that forgot the token is told so.
    expect((await fetch(`${own.url}/api/status`)).status).toBe(401);
    await own.stop();
  });

  test('whose page has another origin is refused, token or not', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example', 'http://127.0.0.1:1']) {
      const response = await call('/api/status', { headers: { origin } });
      expect([origin, response.status, await errorOf(response)]).toEqual([origin, 403, 'gateway.forbidden']);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('who points a name of theirs at this machine is refused', async () => {
    for (const host of ['evil.example', 'evil.example:7979', '127.0.0.1.nip.io', '10.0.0.1', 'localhost.evil.example'])
      expect([host, (await call('/healthz', { headers: { host } })).status]).toEqual([host, 403]);
    for (const host of ['localhost:7979', '127.0.0.1', '[::1]:7979', 'LOCALHOST'])
      expect([host, (await call('/healthz', { headers: { host } })).status]).toEqual([host, 200]);
  });

  test('who is a configured origin may read, preflight too', async () => {
    const origin = 'https://friend.example';
    const read = await call('/api/status', { headers: { origin } });
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    const headers = { origin, 'access-control-request-method': 'POST' };
    const ask = await fetch(`${gateway.url}/api/status`, { method: 'OPTIONS', headers });
    expect([ask.status, ask.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
  });

  test('finds the security headers on every answer, errors too', async () => {
    for (const path of ['/healthz', '/api/nothing', '/api/status']) {
      const { headers } = await fetch(gateway.url + path);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('a browser', () => {
  const signIn = (code: string) =>
    fetch(`${gateway.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });

  test('signs in once with a code, and gets a cookie script cannot read', async () => {
    const { code } = gateway.createCode();
    const cookie = (await signIn(code)).headers.get('set-cookie') ?? '';
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Strict');
    expect(cookie).not.toContain(gateway.token);
    const value = cookie.split(';')[0] ?? '';
    expect((await fetch(`${gateway.url}/api/status`, { headers: { cookie: value } })).status).toBe(200);
    expect((await signIn(code)).status).toBe(401);
  });

  test('cannot forge or lengthen a session', async () => {
    const cookie = (await signIn(gateway.createCode().code)).headers.get('set-cookie')?.split(';')[0] ?? '';
    const [, expires = '', nonce = '', mac = ''] = /^px_session=(\d+)\.([^.]+)\.(.+)$/.exec(cookie) ?? [];
    for (const forged of [
      `${Number(expires) + 1}.${nonce}.${mac}`,
      `${expires}.x.${mac}`,
      `${expires}.${nonce}.`,
      '',
      '..',
    ])
      expect((await fetch(`${gateway.url}/api/status`, { headers: { cookie: `px_session=${forged}` } })).status).toBe(
        401,
      );
  });

  test('changes something only from a page of px itself', async () => {
    const cookie = (await signIn(gateway.createCode().code)).headers.get('set-cookie')?.split(';')[0] ?? '';
    const post = (extra: Record<string, string>) =>
      fetch(`${gateway.url}/api/conversations/web/me/stop`, { method: 'POST', headers: { cookie, ...extra } });
    expect((await post({})).status).toBe(401);
    expect((await post({ origin: 'http://localhost:1' })).status).toBe(403);
    expect((await post({ origin: gateway.url })).status).toBe(200);
  });
});
