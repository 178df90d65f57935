import { afterEach, describe, expect, setSystemTime, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../src/log/log.ts';
import { costOf, isLocal, tariffOf, worstCost } from '../../src/model/price.ts';
import { Spend } from '../../src/model/spend.ts';
import { cappedBy } from '../../src/policy/policy.ts';
import { ask, fakeConfig, never, open, read } from './fakes.ts';
import { type Speaker, serve, speakers, streamed } from './speakers.ts';

const MODEL = 'openai/gpt-5.4-mini';
const [openai] = speakers as [Speaker];
const origin = (conversation: `${string}/${string}` = 'cli/default') => ({ origin: { conversation, turn: 't1' } });
const spendOf = (config: ReturnType<typeof fakeConfig>) => new Spend(config.store, createLog(), () => undefined);
const used = (input: number, output: number) => ({
  usage: { input, output, cachedInput: 0 },
  cacheWrite: 0,
  begun: true,
  chars: 0,
});

describe('the worst case of a call', () => {
  test('is never below what a call can cost, for any text', () => {
    const price = { input: 1, output: 10 };
    for (const text of ['1'.repeat(5000), '語'.repeat(900), '🙂'.repeat(300), 'a b c '.repeat(900)]) {
      const request = ask(MODEL, text);
      // A byte a token, all of the output: no tokenizer makes more.
      const most = { input: Buffer.byteLength(text), output: request.maxOutputTokens, cachedInput: 0 };
      expect(worstCost(price, request)).toBeGreaterThanOrEqual(costOf(price, most));
    }
  });

  test('counts an image for what it is charged, not for its bytes, and text that calls itself data for its bytes', () => {
    const data = 'A'.repeat(1_000_000);
    const price = { input: 1, output: 0 };
    const image = ask(MODEL, '', { messages: [{ role: 'user', parts: [{ type: 'image', mime: 'image/png', data }] }] });
    expect(worstCost(price, image)).toBeLessThan(0.05);
    const args = { type: 'image', data };
    const call = ask(MODEL, '', {
      messages: [{ role: 'assistant', parts: [{ type: 'tool-call', id: 'a', name: 'n', args }] }],
    });
    expect(worstCost(price, call)).toBeGreaterThan(1);
  });

  test('knows dearer long calls and cache writes', () => {
    const { price } = tariffOf('anthropic/claude-haiku-5-5', {}, undefined);
    if (!price) throw new Error('no price');
    const usage = (input: number) => ({ input, output: 1000, cachedInput: 0 });
    expect(costOf(price, usage(100_000))).toBeCloseTo(0.0105, 6);
    expect(costOf(price, usage(200_000))).toBeCloseTo(0.1025, 6);
    expect(costOf(price, usage(1000), 1000)).toBeCloseTo((1000 * 0.125 + 500) / 1e6, 9);
  });
});

test('the worst case of a document is its pages, or its size', () => {
  const pdf = (text: string) =>
    ask(MODEL, '', {
      messages: [{ role: 'user', parts: [{ type: 'file', mime: 'application/pdf', name: 'a.pdf', data: btoa(text) }] }],
    });
  const { price } = tariffOf(MODEL, {}, undefined);
  const [one, ten, unsaid] = ['<< /Count 1 >>', '<< /Type /Pages /Count 10 >>', 'x'.repeat(30_000)].map((text) =>
    worstCost(price, pdf(text)),
  );
  expect((ten ?? 0) - (one ?? 0)).toBeCloseTo((9 * 4000 * 0.75) / 1e6, 3);
  expect(unsaid).toBeCloseTo(ten ?? 0, 3);
});

describe('a price', () => {
  test('that is announced holds from its day on', () => {
    const input = (day: string) => tariffOf('gemini/gemini-3.8-flash', {}, undefined, new Date(day)).price?.input;
    expect([input('2026-12-31T23:00:00Z'), input('2027-01-01T00:00:00Z')]).toEqual([0.75, 1.5]);
  });

  test('comes from px.yaml first, then from the list, then it is the dearest and says so', () => {
    const own = { [MODEL]: { input: 9, output: 9 }, 'openai/ft-*': { input: 0, output: 0 } };
    expect(tariffOf(MODEL, own, undefined)).toMatchObject({ price: { input: 9 }, source: 'price of px.yaml' });
    expect(tariffOf('openai/ft-x', own, undefined)).toMatchObject({ price: undefined, source: 'free by px.yaml' });
    expect(tariffOf(`${MODEL}-2026-03-01`, {}, undefined).price?.input).toBe(0.75);
    const unknown = tariffOf('openai/gpt-5.4-ultra', {}, undefined);
    expect(unknown).toMatchObject({ known: false, price: { output: 180 } });
    expect(unknown.source).toContain('unknown price');
  });

  test('is nothing at home and offline, and that is said', () => {
    expect(tariffOf('offline/px', {}, undefined).source).toBe('free: offline');
    expect(tariffOf('ollama/qwen3', {}, 'http://127.0.0.1:11434').source).toBe('free: local');
    // A proxy at home that forwards to a paid model is charged as that model.
    expect(tariffOf(MODEL, {}, 'http://127.0.0.1:4000').price?.input).toBe(0.75);
    expect(tariffOf('ollama/gpt-oss:120b-cloud', {}, 'http://127.0.0.1:11434').known).toBe(false);
    expect(['http://box.lan:1', 'http://192.168.1.9', 'http://gpu', 'http://[::1]:9'].every(isLocal)).toBe(true);
    expect(['https://api.openai.com/v1', 'https://1.1.1.1', 'https://127.0.0.1.evil.com'].some(isLocal)).toBe(false);
  });
});

test('a cap of 0 lets only what is free go', () => {
  const state = { cap: 'day' as const, limit: 0, spent: 0, reserved: 0 };
  expect(cappedBy([state], 0)).toBeUndefined();
  expect(cappedBy([state], 1e-6)).toBe(state);
});

afterEach(() => {
  setSystemTime();
});

describe('at a cap', () => {
  test('the call is not made, and the person is told how to raise it', async () => {
    await using server = serve(openai, () => streamed(openai, { text: ['x'] }));
    const yaml = { ...server.yaml(), model: { budget: { day: 0.001 } } };
    const { models } = await open({ yaml });
    const { end } = await read(models.stream(ask(MODEL, 'hello', { maxOutputTokens: 4096 }), never));
    expect(end?.error?.code).toBe('model.budget');
    expect(end?.error?.hint).toMatch(/px config set model\.budget\.day [\d.]+/);
    expect(server.bodies).toEqual([]);
  });

  test('raising it counts at once, and the hint is enough', async () => {
    await using server = serve(openai, () => streamed(openai, { text: ['x'] }));
    const { models, edit } = await open({ yaml: { ...server.yaml(), model: { budget: { day: 0.001 } } } });
    const first = await read(models.stream(ask(MODEL, 'hello', { maxOutputTokens: 4096 }), never));
    const day = Number(/model\.budget\.day ([\d.]+)/.exec(first.end?.error?.hint ?? '')?.[1]);
    edit({ ...server.yaml(), model: { budget: { day } } }, ['model.budget.day']);
    expect((await read(models.stream(ask(MODEL, 'hello', { maxOutputTokens: 4096 }), never))).text).toBe('x');
  });

  test('calls at the same time cannot pass it together', () => {
    const config = fakeConfig({ model: { budget: { day: 0.05 } } });
    const spend = spendOf(config);
    const request = ask(MODEL, 'hello', { maxOutputTokens: 4096 });
    spend.reserve(request);
    spend.reserve(request);
    expect(() => spend.reserve(request)).toThrow('could cost up to');
  });

  test.each<['day' | 'month', string, string]>([
    ['day', '2026-11-14T12:00:00', '2026-11-15T12:00:00'],
    ['month', '2026-11-01T12:00:00', '2026-12-01T12:00:00'],
  ])(
    'of a %s counts what was spent in it, also by a px before this one, and begins anew with the next',
    async (cap, within, after) => {
      const config = fakeConfig({ model: { budget: { day: 100, month: 100, [cap]: 0.03 } } });
      const request = ask(MODEL, 'x', { maxOutputTokens: 4096 });
      setSystemTime(new Date(within));
      const spend = spendOf(config);
      spend.reserve(request).settle(used(1000, 3000));
      await spend.idle();
      if (cap === 'month') setSystemTime(new Date('2026-11-30T12:00:00'));
      for (const one of [spend, spendOf(config)]) {
        expect(() => one.reserve(request)).toThrow(cap === 'day' ? 'of today' : 'of this month');
        expect(one.caps().find((state) => state.cap === cap)).toMatchObject({ limit: 0.03, spent: 0.01425 });
      }
      setSystemTime(new Date(after));
      for (const one of [spend, spendOf(config)]) one.reserve(request).settle(used(0, 0));
    },
  );

  test('of a conversation or a plugin only theirs stops', () => {
    const yaml = {
      channels: { telegram: {}, work: { plugin: 'slack' } },
      model: { budget: { conversation: 0.03, plugin: 0.04 } },
    };
    const spend = spendOf(fakeConfig(yaml));
    const call = (conversation: `${string}/${string}`) =>
      spend.reserve(ask(MODEL, 'x', { maxOutputTokens: 4096, ...origin(conversation) }));
    call('telegram/1').settle(used(0, 3000));
    expect(() => call('telegram/1')).toThrow("this conversation's");
    call('telegram/2').settle(used(0, 3000));
    expect(() => call('telegram/3')).toThrow('for telegram');
    call('work/1').settle(used(10, 10));
    call('cli/default').settle(used(10, 10));
  });
});

describe('the ledger', () => {
  test('is a Markdown table from which caps are counted after a restart', async () => {
    const config = fakeConfig({ model: { budget: { day: 0.03 } } });
    const spend = spendOf(config);
    const request = ask(MODEL, 'x', { maxOutputTokens: 4096, ...origin('web/a|b') });
    spend.reserve(request).settle(used(1000, 3000));
    await spend.idle();
    const folder = join(config.store.home.memory, 'ledger');
    const [file = ''] = readdirSync(folder);
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text).toContain('| web/a&#124;b | t1 |  | openai/gpt-5.4-mini | 1000 | 0 | 3000 | 0.01425000 |');
    // Every database is gone; only the Markdown is left.
    rmSync(config.store.home.state, { recursive: true, force: true });
    const again = spendOf(config);
    expect(() => again.reserve(request)).toThrow('$0.016 of today');
    expect(again.report({ by: 'conversation' }).lines).toMatchObject([{ key: 'web/a|b', calls: 1, usd: 0.01425 }]);
  });

  test('that a person edits is read again', async () => {
    const config = fakeConfig({ model: { budget: { day: 0.03 } } });
    const spend = spendOf(config);
    const request = ask(MODEL, 'x', { maxOutputTokens: 4096 });
    spend.reserve(request).settle(used(1000, 3000));
    await spend.idle();
    expect(() => spend.reserve(request)).toThrow();
    const folder = join(config.store.home.memory, 'ledger');
    const [file = ''] = readdirSync(folder);
    writeFileSync(join(folder, file), '# Nothing\n');
    spend.reserve(request);
  });

  test('gets the worst case of a call that px was killed in', () => {
    const config = fakeConfig({});
    spendOf(config).reserve(ask(MODEL, 'x', { maxOutputTokens: 4096 }));
    const [day] = spendOf(config).caps();
    expect(day?.spent).toBeGreaterThan(0.018);
    expect(readdirSync(join(config.store.home.state, 'calls')).length).toBeLessThanOrEqual(1);
  });

  test('survives torn and foreign lines', async () => {
    const config = fakeConfig({});
    const spend = spendOf(config);
    const request = ask(MODEL, 'x');
    spend.reserve(request).settle(used(1_000_000, 0));
    await spend.idle();
    const folder = join(config.store.home.memory, 'ledger');
    const [file = ''] = readdirSync(folder);
    const path = join(folder, file);
    writeFileSync(path, `${readFileSync(path, 'utf8')}hello\n| 2026-11-2`);
    spend.reserve(request).settle(used(1_000_000, 0));
    await spend.idle();
    expect(spendOf(config).report({ by: 'model' }).total).toMatchObject({ calls: 2, usd: 1.5 });
  });

  test('has free calls with the reason, and nothing for calls that never began', async () => {
    const config = fakeConfig({});
    const spend = spendOf(config);
    spend.reserve(ask('offline/px', 'x')).settle(used(10, 5));
    spend.reserve(ask(MODEL, 'x')).settle({ usage: undefined, cacheWrite: 0, begun: false, chars: 0 });
    await spend.idle();
    const { lines } = spend.report({ by: 'model' });
    expect(lines).toMatchObject([{ key: 'offline/px', usd: 0, notes: ['free: offline'] }]);
  });

  test('guesses where a provider that answered told no tokens, and says so', async () => {
    await using server = serve(openai, () => streamed(openai, { text: ['y'.repeat(100)] }));
    const { models } = await open({ yaml: server.yaml() });
    const controller = new AbortController();
    for await (const event of models.stream(ask(MODEL, 'x'.repeat(3000), origin()), controller.signal))
      if (event.type === 'text') controller.abort();
    const { total } = models.spend.report({ by: 'model' });
    await models.close();
    const later = models.spend.report({ by: 'model' });
    expect(total.calls + later.total.calls).toBeGreaterThan(0);
    expect(later.total.usd).toBeGreaterThan(0.0007);
  });
});

test('the agent cannot write to the ledger', async () => {
  const { pathToWrite } = await import('../../src/memory/note-path.ts');
  const { home } = fakeConfig({}).store;
  mkdirSync(join(home.memory, 'ledger'), { recursive: true });
  for (const path of ['ledger/2026-11.md', 'Ledger/2026-11.md', './ledger/x.md'])
    expect(() => pathToWrite(home.memory, path)).toThrow('only px writes');
});
