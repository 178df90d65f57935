import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createClient } from '../../src/client/client.ts';
import { type Gateway, openGatewayInProcess, startGateway } from '../../src/gateway/gateway.ts';
import { type Fake, fakeApp } from '../gateway/fake-app.ts';

let fake: Fake;
let gateway: Gateway;
beforeAll(async () => {
  fake = fakeApp();
  gateway = await startGateway({ app: fake.app, port: 0 });
});
afterAll(() => gateway.stop());

const overHttp = () => createClient({ url: gateway.url, token: gateway.token });
const inProcess = async () =>
  createClient({ url: 'http://in-process', token: '', fetch: await openGatewayInProcess(fake.app) });

for (const [way, make] of [
  ['over HTTP', async () => overHttp()],
  ['in process', inProcess],
] as const)
  describe(`a client ${way}`, () => {
    test('asks and gets the whole answer', async () => {
      expect(await (await make()).ask('web/me', 'hi')).toMatchObject({ answer: 'you said hi', reason: 'stop' });
    });

    test('follows a turn, text with line ends and other scripts intact', async () => {
      const text = 'line\n\ndata: {}\n\r\n日本語 🦊';
      let heard = '';
      const types: string[] = [];
      for await (const event of (await make()).follow('web/me', text)) {
        types.push(event.type);
        if (event.type === 'turn.text') heard += event.text;
      }
      expect(types).toEqual(['turn.start', 'turn.text', 'turn.end']);
      expect(heard).toBe(`you said ${text}`);
    });

    test("gets the server's own errors", async () => {
      const client = await make();
      expect(client.callPlugin('sum', 'fail', [])).rejects.toMatchObject({
        code: 'plugin.guest',
        data: { reason: 'no' },
      });
      expect(client.plugin('absent')).rejects.toMatchObject({ code: 'plugin.unknown' });
      expect(client.ask('web/me', 'hi', { model: 'nope' })).rejects.toMatchObject({ code: 'model.unknown' });
    });

    test('reads everything else the gateway has', async () => {
      const client = await make();
      expect(await client.plugins()).toEqual([]);
      expect(await client.callPlugin('sum', 'a/b#c', [1])).toEqual([1]);
      expect(await client.search('tea', { limit: 2 })).toHaveLength(1);
      expect(await client.secretNames()).toEqual(['A_KEY']);
      expect((await client.models()).default.ref).toBe('offline/px');
      expect((await client.conversation('web/me')).entries).toEqual([]);
      expect((await client.status()).model.offline).toBe(true);
      expect(await client.stop('web/me')).toBe(true);
    });
  });

describe('connecting', () => {
  test('finds the px of a home', async () => {
    expect((await connect(fake.app.home))?.url).toBe(gateway.url);
  });

  test('finds none in an empty or damaged home', async () => {
    const state = mkdtempSync(join(tmpdir(), 'px-client-'));
    expect(await connect({ state })).toBeUndefined();
    for (const damaged of [
      '',
      '{',
      '{"url":"nope","token":"x","pid":1}',
      '{"url":"http://127.0.0.1:1","token":"x","pid":1}',
    ]) {
      writeFileSync(join(state, 'gateway.json'), damaged);
      expect(await connect({ state })).toBeUndefined();
    }
  });

  test('says what to type when px cannot be reached', async () => {
    const client = createClient({ url: 'http://127.0.0.1:1', token: 'x' });
    expect(client.status()).rejects.toMatchObject({
      code: 'gateway.unreachable',
      hint: expect.stringContaining('px serve'),
      retryable: true,
    });
  });
});
