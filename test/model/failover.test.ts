import { describe, expect, test } from 'bun:test';
import type { Failover } from '../../src/model/model.ts';
import { ask, never, open, read } from './fakes.ts';
import { raw, refuse, type Speaker, serve, speakers, streamed } from './speakers.ts';

const keys = { OPENAI_API_KEY: 'sk-test-1234567', ANTHROPIC_API_KEY: 'sk-test-1234567' };
const find = (provider: string) => {
  const found = speakers.find((one) => one.provider === provider);
  if (!found) throw new Error(provider);
  return found;
};
const openai = find('openai');
const anthropic = find('anthropic');

type Reply = Parameters<typeof serve>[1];

/** Two providers, the second a fallback of the first. */
async function pair(first: Reply, second: Reply, options: { coolMs?: number; fallbacks?: string[] } = {}) {
  const one = serve(openai, first);
  const two = serve(anthropic, second);
  const fallbacks = options.fallbacks ?? [anthropic.ref];
  const yaml = {
    providers: { ...providersOf(one, openai), ...providersOf(two, anthropic) },
    model: { fallbacks, prices: { 'openai/*': free, 'anthropic/*': free } },
  };
  const opened = await open({ yaml, env: keys, ...(options.coolMs === undefined ? {} : { coolMs: options.coolMs }) });
  const changes: Failover[] = [];
  const say = (model = openai.ref) =>
    read(
      opened.models.stream(ask(model, 'hello', { onFailover: (change) => changes.push(change) }), never),
      openai.ref,
    );
  const close = async () => {
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
  };
  return { one, two, changes, say, models: opened.models, edit: opened.edit, yaml, [Symbol.asyncDispose]: close };
}

const free = { input: 0, output: 0 };
const providersOf = (server: ReturnType<typeof serve>, _: Speaker) =>
  (server.yaml() as { providers: Record<string, unknown> }).providers;
const ok: Reply = () => streamed(anthropic, { text: ['from the second'] });

describe('failover', () => {
  test('a model that stays overloaded is replaced after retries, and it is told why', async () => {
    await using world = await pair(() => refuse(openai, 503, 'no'), ok);
    const { text, end } = await world.say();
    expect(text).toBe('from the second');
    expect(end?.reason).toBe('stop');
    expect(world.one.bodies.length).toBe(3);
    expect(world.changes).toMatchObject([
      { from: openai.ref, to: anthropic.ref, shown: false, error: { code: 'model.overloaded' } },
    ]);
  });

  test('a model that failed rests, and is asked again when it had its rest', async () => {
    let down = true;
    const first: Reply = () => (down ? refuse(openai, 503, 'no') : streamed(openai, { text: ['from the first'] }));
    await using world = await pair(first, ok, { coolMs: 60 });
    await world.say();
    const asked = world.one.bodies.length;
    expect((await world.say()).text).toBe('from the second');
    expect(world.one.bodies.length).toBe(asked);
    expect(world.changes.length).toBe(2);
    down = false;
    await Bun.sleep(80);
    expect((await world.say()).text).toBe('from the first');
    expect(world.changes.length).toBe(2);
  });

  test('an edit of px.yaml ends the rest', async () => {
    let down = true;
    const first: Reply = () => (down ? refuse(openai, 401, 'no') : streamed(openai, { text: ['from the first'] }));
    await using world = await pair(first, ok);
    expect((await world.say()).text).toBe('from the second');
    down = false;
    world.edit(world.yaml, ['providers.openai.api_key']);
    expect((await world.say()).text).toBe('from the first');
  });

  test('another model of the same provider does not rest with it', async () => {
    const first: Reply = (body) =>
      JSON.stringify(body).includes('"other"') ? streamed(openai, { text: ['other'] }) : refuse(openai, 503, 'no');
    await using world = await pair(first, ok, { fallbacks: ['openai/other'] });
    expect((await world.say()).text).toBe('other');
    expect(world.changes[0]?.to).toBe('openai/other');
  });

  test('a long retry-after is not waited for while another model can answer', async () => {
    await using world = await pair(() => refuse(openai, 429, 'no', { 'retry-after': '15' }), ok);
    const begun = performance.now();
    expect((await world.say()).text).toBe('from the second');
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(world.one.bodies.length).toBe(1);
  });

  test('what is shown already is said to be broken off', async () => {
    const half: Reply = () =>
      raw(openai, async (send) => {
        const all = openai.say({ text: ['half an ', 'answer'] });
        for (const message of all.slice(0, all.findLastIndex((m) => m.includes('answer')) + 1)) send(message);
      });
    await using world = await pair(half, ok);
    expect((await world.say()).text).toContain('from the second');
    expect(world.changes).toMatchObject([{ shown: true, error: { code: 'model.stream' } }]);
  });

  test('a request the provider refuses is not sent around', async () => {
    await using world = await pair(() => refuse(openai, 400, 'no'), ok);
    expect((await world.say()).end?.error?.code).toBe('model.bad-request');
    expect(world.two.bodies).toEqual([]);
  });

  test('a model a person chose is never replaced', async () => {
    await using world = await pair(() => refuse(openai, 503, 'no'), ok);
    const { end } = await read(world.models.stream(ask(openai.ref, 'hello'), never), openai.ref);
    expect(end?.error?.code).toBe('model.overloaded');
    expect(world.two.bodies).toEqual([]);
  });

  test('when all fail the last failure is told', async () => {
    await using world = await pair(
      () => refuse(openai, 503, 'no'),
      () => refuse(anthropic, 401, 'no'),
    );
    expect((await world.say()).end?.error?.code).toBe('model.auth');
  });
});
