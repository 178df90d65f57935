import { describe, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { notBuilt, Px, until } from './px.ts';
import { chance } from './torture/chance.ts';
import { startMockModel } from './torture/model.ts';

const env = { TEST_KEY: 'sk-test-1234567890' };
const key = '[c1m1]';
const whole = `${key} here is an answer in several pieces, as a model gives it.`;

/** A px whose model stops in the middle of its answer until it is told to go on: nothing here depends on how fast anything is. */
async function slow(more: object = {}) {
  const middle = Promise.withResolvers<void>();
  const rest = Promise.withResolvers<void>();
  const at = () => {
    middle.resolve();
    return rest.promise;
  };
  const model = startMockModel({ chance: chance(1), failures: 0, at });
  const px = await new Px({ config: { ...model.config, ...more }, env }).serve();
  return {
    px,
    streaming: () => middle.promise,
    goOn: () => rest.resolve(),
    async [Symbol.asyncDispose]() {
      await px[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
    },
  };
}

const ask = (px: Px, text: string) =>
  px.fetch('/api/conversations/web/me/messages', { method: 'POST', body: JSON.stringify({ text }) });
const waiting = async (px: Px) => (await px.run('inbox', 'list', '--json')).stdout;

describe.skipIf(notBuilt !== undefined)('told to stop, px', () => {
  test('finishes the answer it is giving, and takes no other message meanwhile', async () => {
    await using run = await slow();
    const { px } = run;
    const answer = ask(px, `hello ${key}`);
    await run.streaming();
    const stopped = px.stop();
    await until('the refusal', async () => (await fetch(`${px.url}/readyz`)).status === 503);
    const refused = await ask(px, 'one more');
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { code: 'gateway.stopping', retryable: true } });
    run.goOn();
    expect(await (await answer).json()).toMatchObject({ answer: whole, reason: 'stop' });
    expect(await stopped).toBe(0);
    await until('the word of it in the log', () => px.log.includes('told to stop: finishing an answer'));
    expect(px.log).not.toContain('not finished');
  }, 60_000);

  test('cuts what takes longer than agent.stop_seconds, and answers it once after the next start', async () => {
    await using run = await slow({ agent: { stop_seconds: 0.2 } });
    const { px } = run;
    void ask(px, `hello ${key}`).catch(() => {});
    await run.streaming();
    expect(await px.stop()).toBe(0);
    expect(px.journal()).toContain('px was stopped while it said');
    expect(px.journal()).not.toContain(whole);
    await until('the word of it in the log', () => px.log.includes('not finished: an answer; px goes on with'));
    run.goOn();
    await px.serve();
    await until('the answer', () => px.journal().includes(whole));
    await until('an empty inbox', async () => (await waiting(px)).trim() === '[]');
    expect(px.journal().split(whole).length - 1).toBe(1);
    await px.stop();
    await px.serve();
    await px.installed();
    expect(px.journal().split(whole).length - 1).toBe(1);
  }, 60_000);

  test('leaves what waits behind the running turn to the next start', async () => {
    await using run = await slow();
    const { px } = run;
    const first = ask(px, `hello ${key}`);
    await run.streaming();
    void ask(px, 'hello [c1m2]').catch(() => {});
    await until('the queue', async () => (await waiting(px)).includes('[c1m2]'));
    const stopped = px.stop();
    await until('the refusal', async () => (await fetch(`${px.url}/readyz`)).status === 503);
    run.goOn();
    expect(await stopped).toBe(0);
    expect(await (await first).json()).toMatchObject({ answer: whole });
    expect(px.journal()).not.toContain('[c1m2] here is');
    await px.serve();
    await until('the second answer', () => px.journal().includes('[c1m2] here is an answer'));
    await until('an empty inbox', async () => (await waiting(px)).trim() === '[]');
    expect(px.journal().split(whole).length - 1).toBe(1);
  }, 60_000);

  test('lets a tool that runs end, and hands over one that does not', async () => {
    const server = resolve(import.meta.dir, '../tool/mcp-server.ts');
    await using px = await new Px({
      config: {
        model: { default: 'offline/px' },
        agent: { stop_seconds: 3 },
        mcp: { servers: { small: { command: process.execPath, args: [server] } } },
        policy: { rules: [{ tool: '*', do: 'allow', outside: true }] },
      },
    }).serve();
    const called = async (ms: number) => {
      const answer = ask(px, `/tool small_say {"ms":${ms}}`).catch(() => undefined);
      await until(
        'the call',
        () => px.journal().includes(`"ms":${ms}`) || px.journal().includes(`"ms": ${ms}`),
        45_000,
      );
      return { answer };
    };
    const quick = await called(500);
    expect(await px.stop()).toBe(0);
    expect(await (await quick.answer)?.json()).toMatchObject({ reason: 'stop' });

    await px.serve();
    await called(60_000);
    expect(await px.stop()).toBe(0);
    await px.serve();
    await until('an empty inbox', async () => (await waiting(px)).trim() === '[]');
    expect(px.journal()).toContain('px was stopped during this turn');
  }, 60_000);

  test('does not wait for a person who was asked something', async () => {
    // It would not be over within the time of this test.
    const agent = { stop_seconds: 600 };
    await using px = await new Px({ config: { model: { default: 'offline/px' }, agent } }).serve();
    await px.installed();
    void ask(px, '/tool schedule_add {"when":"every 2h","text":"feed Otto"}').catch(() => {});
    await until('the question', async () => (await px.run('approvals', 'list')).stdout.includes('schedule_add'));
    expect(await px.stop()).toBe(0);
    await px.serve();
    await until('an empty inbox', async () => (await waiting(px)).trim() === '[]');
    expect(px.journal()).toContain('px is restarted');
  }, 60_000);

  test('ends at once when it is told twice', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      await using run = await slow();
      const { px } = run;
      void ask(px, `hello ${key}`).catch(() => {});
      await until('the turn', async () => (await waiting(px)).includes(key));
      const gone = px.ended();
      process.kill(px.pid, signal);
      await until('the refusal', async () => (await fetch(`${px.url}/readyz`)).status === 503);
      process.kill(px.pid, signal);
      expect(await gone).toBe(code);
      await px.serve();
      expect(await waiting(px)).toContain(key);
    }
  }, 60_000);
});
