import { describe, expect, test } from 'bun:test';
import type { Failover } from '../../src/model/model.ts';
import { stopwatch } from '../stopwatch.ts';
import { ask, listed, never, open, read } from './fakes.ts';
import { type Speaker, serve, speakers, streamed } from './speakers.ts';

const find = (title: string): Speaker => {
  const found = speakers.find((one) => one.title === title);
  if (!found) throw new Error(title);
  return found;
};
const [openai, anthropic, ollama] = [find('openai (chat)'), find('anthropic'), find('ollama')];
const keys = { OPENAI_API_KEY: 'sk-test-1234567', ANTHROPIC_API_KEY: 'sk-test-1234567' };
const free = { 'openai/*': { input: 0, output: 0 }, 'anthropic/*': { input: 0, output: 0 } };

/** A server that takes a request, and answers as soon as `answer` is told what. */
function mute(speaker: Speaker) {
  const answer = Promise.withResolvers<() => Response>();
  return Object.assign(
    serve(speaker, async () => (await answer.promise)()),
    { answer: answer.resolve },
  );
}

/** Where nobody listens. */
async function nobody(): Promise<string> {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  await server.stop(true);
  return `http://127.0.0.1:${server.port}`;
}

const providersOf = (...servers: { yaml(): { providers: object } }[]) =>
  Object.assign({}, ...servers.map((one) => one.yaml().providers));

describe('a list of models', () => {
  const names = (data: object[]) => Response.json({ object: 'list', data });

  test('comes without a server that takes the question and never answers, which nobody waits for twice', async () => {
    await using silent = mute(openai);
    await using well = serve(anthropic, () => names([{ id: 'claude-x', type: 'model' }]));
    const { models } = await open({ yaml: { providers: providersOf(silent, well) }, env: keys });
    const refs = async () => (await models.list(never)).map((one) => one.ref);
    while ((await refs()).length < 2) await Bun.sleep(5);
    const took = stopwatch();
    expect(await refs()).toEqual(['offline/px', 'anthropic/claude-x']);
    expect(took()).toBeLessThan(1000);
    expect(silent.bodies.length).toBe(1);
    expect(models.providers().find((one) => one.name === 'openai')?.problem).toBe('no answer yet');
    // Its answer counts when it comes.
    silent.answer(() => names([{ id: 'gpt-x' }]));
    while (!(await refs()).includes('openai/gpt-x')) await Bun.sleep(5);
    expect(models.providers().map((one) => one.problem)).toEqual(['', '', '', '']);
    models.close();
  });

  test('comes without a server that is not there, and it is told why', async () => {
    const yaml = { providers: { openai: { base_url: `${await nobody()}/v1` } } };
    const { models } = await open({ yaml, env: { OPENAI_API_KEY: keys.OPENAI_API_KEY } });
    expect((await listed(models)).map((one) => one.ref)).toEqual(['offline/px']);
    const problems = Object.fromEntries(models.providers().map((one) => [one.name, one.problem]));
    expect(problems['openai']).toMatch(
      /^OpenAI cannot be reached at http:\/\/127.0.0.1:\d+\/v1: nothing listens there$/,
    );
    // Nobody said that there is an Ollama.
    expect(problems['ollama']).toBe('');
    models.close();
  });
});

describe('a turn', () => {
  test('goes past a provider nobody listens at: it is asked once, and again when it was found', async () => {
    await using away = mute(openai);
    await using well = serve(anthropic, () => streamed(anthropic, { text: ['from the second'] }));
    let there = false;
    let looks = 0;
    const { models } = await open({
      yaml: {
        providers: providersOf(away, well),
        model: { fallbacks: ['openai/other', anthropic.ref], prices: free },
      },
      env: keys,
      coolMs: 1,
      isReachable: async (address) => {
        if (!address.startsWith(away.url)) return true;
        looks++;
        return there;
      },
    });
    const changes: Failover[] = [];
    const say = async () => {
      const request = ask(openai.ref, 'hello', { onFailover: (change) => changes.push(change) });
      return (await read(models.stream(request, never), openai.ref)).text;
    };
    expect(await say()).toBe('from the second');
    expect(changes[0]?.error.message).toContain('/v1: no connection could be made');
    // Its rest is long over, but it was looked for in the background and not found.
    while (looks < 4) await Bun.sleep(1);
    expect(await say()).toBe('from the second');
    expect(changes.map(({ to, error }) => [to, error.code])).toEqual([
      [anthropic.ref, 'model.unreachable'],
      [anthropic.ref, 'model.unreachable'],
    ]);
    const asked = away.bodies.length;
    there = true;
    away.answer(() => streamed(openai, { text: ['from the first'] }));
    while ((await say()) !== 'from the first') await Bun.sleep(1);
    expect(away.bodies.length).toBe(asked + 1);
    models.close();
  });

  test('waits for a window of Ollama once and not long, while another model could answer', async () => {
    await using silent = mute(ollama);
    const { models } = await open({ yaml: { ...silent.yaml(), model: { fallbacks: [anthropic.ref] } } });
    const took = stopwatch();
    expect(await models.window('ollama/a')).toBeUndefined();
    expect(took()).toBeLessThan(1500);
    const again = stopwatch();
    for (let n = 0; n < 5; n++) expect(await models.window('ollama/a')).toBeUndefined();
    expect(again()).toBeLessThan(250);
    expect(silent.bodies.filter((body) => body['model'] === 'a').length).toBe(1);
    silent.answer(() => Response.json({ model_info: { 'x.context_length': 4096 } }));
    while ((await models.window('ollama/a')) !== 4096) await Bun.sleep(5);
    models.close();
  });
});
