import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import { type Fake, fakeApp } from './fake-app.ts';

let fake: Fake;
let gateway: Gateway;
beforeEach(async () => {
  fake = fakeApp();
  gateway = await startGateway({ app: fake.app, port: 0 });
});
afterEach(() => gateway.stop());

interface Said {
  type: string;
  [key: string]: unknown;
}

/** A WebSocket whose messages can be waited for one by one; undefined when it closed. */
function open(protocols: string[] = [], headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/api/events`, { protocols, headers });
  const waiting: ((said: Said | undefined) => void)[] = [];
  const come: (Said | undefined)[] = [];
  const give = (said: Said | undefined) => {
    const next = waiting.shift();
    if (next) next(said);
    else come.push(said);
  };
  socket.onmessage = (event) => give(JSON.parse(String(event.data)));
  socket.onclose = () => give(undefined);
  const next = () =>
    new Promise<Said | undefined>((resolve) => {
      if (come.length > 0) resolve(come.shift());
      else waiting.push(resolve);
    });
  const opened = new Promise<void>((resolve) => {
    socket.onopen = () => resolve();
  });
  return { socket, next, opened, send: (value: unknown) => socket.send(JSON.stringify(value)) };
}

describe('the live events', () => {
  test('come to whoever shows the token as a subprotocol, which is not sent back', async () => {
    const { socket, next } = open(['px', `px.token.${gateway.token}`]);
    expect(await next()).toMatchObject({ type: 'ready' });
    expect(socket.protocol).toBe('px');
    fake.app.bus.emit({ type: 'config.changed', keys: ['model.default'] });
    expect(await next()).toMatchObject({ type: 'config.changed', keys: ['model.default'] });
    socket.close();
  });

  test('come to whoever shows the token first, and take messages', async () => {
    const { socket, next, opened, send } = open();
    await opened;
    send({ type: 'auth', token: gateway.token });
    expect(await next()).toMatchObject({ type: 'ready' });
    send({ type: 'chat', conversation: 'web/ws', text: 'hi' });
    const types: string[] = [];
    for (let said = await next(); said; said = await next()) {
      types.push(said.type);
      if (said.type === 'turn.end') break;
    }
    expect(types).toEqual(['message.in', 'accepted', 'turn.start', 'turn.text', 'turn.end']);
    send({ type: 'stop', conversation: 'web/ws' });
    send({ type: 'ping' });
    expect(await next()).toEqual({ type: 'pong' });
    expect(fake.stopped).toEqual(['web/ws']);
    socket.close();
  });

  test('answer nonsense with an error and stay', async () => {
    const { socket, next } = open(['px', `px.token.${gateway.token}`]);
    await next();
    for (const nonsense of ['{', '[]', '{"type":"nope"}', '{"type":"chat","conversation":"x","text":"a"}']) {
      socket.send(nonsense);
      expect(await next()).toMatchObject({ type: 'error', error: { code: 'gateway.bad-request' } });
    }
    socket.close();
  });

  test('do not come to a stranger', async () => {
    const wrong = open(['px', 'px.token.wrong']);
    expect(await wrong.next()).toBeUndefined();
    const silent = open();
    await silent.opened;
    fake.app.bus.emit({ type: 'config.changed', keys: ['secret'] });
    silent.send({ type: 'chat', conversation: 'web/me', text: 'hi' });
    expect(await silent.next()).toBeUndefined();
    expect(fake.submitted).toEqual([]);
  });

  test("do not come to another site's page, even with the owner's cookie", async () => {
    const { code } = gateway.createCode();
    const signed = await fetch(`${gateway.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });
    const cookie = signed.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect(await open([], { cookie, origin: 'https://evil.example' }).next()).toBeUndefined();
    const own = open([], { cookie, origin: gateway.url });
    expect(await own.next()).toMatchObject({ type: 'ready' });
    own.socket.close();
  });
});
