import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createClient, openEvents } from '../../src/client/client.ts';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import type { PxEvent } from '../../src/wire/wire.ts';
import { type Fake, fakeApp } from './fake-app.ts';

let fake: Fake;
let gateway: Gateway;
beforeEach(async () => {
  fake = fakeApp();
  gateway = await startGateway({ app: fake.app, port: 0 });
});
afterEach(() => gateway.stop());

const ask = () =>
  fake.app.approvals.ask(
    {
      ...{ conversation: 'telegram/1', turn: 't1', call: 'c1', tool: 'post', origin: 'mcp/slack', arguments: '{}' },
      ...{ reason: 'px.yaml says ask', labels: ['mcp/slack'], asked: 'Ada' },
    },
    60_000,
    new AbortController().signal,
  );
const client = () => createClient(gateway);

describe('approvals over HTTP', () => {
  test('are listed, decided and taken back by the client', async () => {
    const answer = ask();
    const { approvals, standing } = await client().approvals.list();
    expect(approvals).toMatchObject([{ tool: 'post', conversation: 'telegram/1', labels: ['mcp/slack'] }]);
    expect(standing).toEqual([]);
    const id = approvals[0]?.id ?? '';
    expect(await client().approvals.decide(id, 'time', 90)).toMatchObject({ id, tool: 'post' });
    expect(await answer).toEqual({ decision: 'time', by: 'owner' });
    const after = (await client().approvals.list()).standing;
    expect(after).toMatchObject([{ id, tool: 'post', outside: true }]);
    expect(((after[0]?.until ?? 0) - Date.now()) / 60_000).toBeCloseTo(90, 0);
    expect(await client().approvals.revoke(id)).toEqual({ ok: true });
    expect((await client().approvals.list()).standing).toEqual([]);
  });

  test('that are over, or never were, say so', async () => {
    const missing = expect.objectContaining({ code: 'not-found' });
    await expect(client().approvals.decide('ZZZZ', 'once')).rejects.toEqual(missing);
    await expect(client().approvals.revoke('ZZZZ')).rejects.toEqual(missing);
  });

  test('are for the owner only, and a word that is none of the four is refused', async () => {
    const answer = ask();
    const [one] = (await client().approvals.list()).approvals;
    const url = `${gateway.url}/api/approvals/${one?.id}`;
    const post = (token: string, body: object) =>
      fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post('wrong', { decision: 'once' })).status).toBe(401);
    expect((await post(gateway.token, { decision: 'expired' })).status).toBe(400);
    expect((await post(gateway.token, { decision: 'time', minutes: -1 })).status).toBe(400);
    expect(fake.app.approvals.list()).toHaveLength(1);
    expect((await post(gateway.token, { decision: 'deny' })).status).toBe(200);
    expect((await answer).decision).toBe('deny');
  });

  test('are told on the WebSocket as they happen', async () => {
    const seen: PxEvent[] = [];
    const ready = Promise.withResolvers<void>();
    const decided = Promise.withResolvers<void>();
    const line = openEvents(gateway, {
      ready: () => ready.resolve(),
      event(event) {
        if (event.type.startsWith('approval.')) seen.push(event);
        if (event.type === 'approval.decided') decided.resolve();
      },
      closed: () => {},
    });
    await ready.promise;
    void ask();
    const [one] = fake.app.approvals.list();
    fake.app.approvals.decide(one?.id ?? '', 'once', 'Ada');
    await decided.promise;
    line.close();
    expect(seen).toMatchObject([
      { type: 'approval.asked', id: one?.id, tool: 'post', reason: 'px.yaml says ask' },
      { type: 'approval.decided', id: one?.id, decision: 'once', by: 'Ada' },
    ]);
  });
});
