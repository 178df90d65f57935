import { expect, test } from 'bun:test';
import { openExchange } from '../../src/model/protocol/exchange.ts';
import { isReachable } from '../../src/model/protocol/reach.ts';
import { never } from './fakes.ts';

/** A server that takes a request and never answers. */
function mute() {
  return Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: () => new Promise<Response>(() => {}) });
}

test('a server that is only slow is reached, one that is away is not', async () => {
  await using server = mute();
  expect(await isReachable(server.url.href, 3000)).toBe(true);
  const { port } = server;
  await server.stop(true);
  expect(await isReachable(`http://127.0.0.1:${port}`, 3000)).toBe(false);
  expect(await isReachable('no address', 3000)).toBe(false);
});

test('a request to nobody ends as not sent; one to a slow server goes on waiting', async () => {
  await using server = mute();
  const ask = async (there: boolean) => {
    const asked = Promise.withResolvers<void>();
    const check = async () => {
      setTimeout(asked.resolve, 5);
      return there;
    };
    const exchange = openExchange({ signal: never, timeoutMs: 5000, reach: { afterMs: 5, check } });
    const answer = exchange.fetch(server.url).then(
      () => 'answered',
      () => 'ended',
    );
    await asked.promise;
    const state = await Promise.race([answer, Bun.sleep(20).then(() => 'waiting')]);
    const { stage } = exchange;
    exchange.close();
    return { state, stage };
  };
  expect(await ask(false)).toEqual({ state: 'ended', stage: 'sent' });
  expect(await ask(true)).toEqual({ state: 'waiting', stage: 'sent' });
});
