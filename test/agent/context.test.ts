import { describe, expect, test } from 'bun:test';
import { contextReport } from '../../src/agent/agent.ts';
import { preamble } from '../../src/agent/request.ts';
import { estimateTokens } from '../../src/model/model.ts';
import { testMemory } from '../memory/home.ts';
import { echoTool, fakeConfig } from '../tool/fakes.ts';
import { agentWith, say } from './fakes.ts';

/** The four notes of the prompt, each of 300 such lines. */
const notesOf = (line: (i: number, path: string) => string) =>
  Object.fromEntries(
    ['SOUL.md', 'USER.md', 'MEMORY.md', 'AGENTS.md'].map((path) => [
      path,
      `# ${path}\n${Array.from({ length: 300 }, (_, i) => line(i, path)).join('\n')}`,
    ]),
  );
const notes = notesOf((i, path) => `- the ${path} line ${i} says what the owner likes`);
const plugins = Array.from({ length: 7 }, (_, i) =>
  echoTool(`service_action_${i}`, {
    description: `Does thing ${i} with the service and says what came of it. Use it when asked for.`,
    parameters: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'What to look for, in plain words.' },
        limit: { type: 'integer', minimum: 1, maximum: 50, description: 'Most results.' },
      },
      required: ['query'],
      additionalProperties: false,
    },
  }),
);

async function report(
  profile: 'full' | 'minimal',
  { given = notes, tools: some = plugins, recall = 400, window = 400_000 as number | undefined } = {},
) {
  const { sessions, tools, memory } = agentWith([say('ok')], { notes: given, tools: some });
  const config = fakeConfig({ agent: { profile }, memory: { recall_tokens: recall } });
  const real = { default: { ref: 'openai/mock' as const, why: '' }, window: async () => window };
  return contextReport({ models: real, sessions, tools, memory, config }, 'cli/default');
}
const tokensOf = ({ parts }: Awaited<ReturnType<typeof report>>, name: string) =>
  parts.find((part) => part.name === name)?.tokens;

test('with ten tools and long notes px adds fewer than 1,500 tokens', async () => {
  const { parts, added } = await report('full');
  expect(parts.map((part) => part.name)).toEqual([
    'system',
    'SOUL.md',
    'AGENTS.md',
    'USER.md',
    'MEMORY.md',
    'day',
    'tools (10)',
    'recalled (at most)',
    'history (0 messages)',
  ]);
  expect(added).toBeLessThan(1500);
});

test('the minimal profile adds fewer than 600, whatever the day', async () => {
  const made = await report('minimal', { recall: 0 });
  // The longest day there is, in a zone with a long name.
  const longest = estimateTokens('Today is Wednesday, 30 September 2026 (America/Argentina/Buenos_Aires).\n\n');
  expect(made.added - (tokensOf(made, 'day') ?? 0) + longest).toBeLessThan(600);
});

describe('what memory recalls is part of the budget', () => {
  const few = plugins.slice(0, 2);
  const recalled = async (...how: Parameters<typeof report>) => tokensOf(await report(...how), 'recalled (at most)');

  test('all of memory.recall_tokens where notes and tools leave it, a quarter in the minimal profile', async () => {
    expect(await recalled('full', { given: {}, tools: few })).toBe(400);
    expect(await recalled('minimal', { given: {}, tools: few })).toBe(100);
    expect(await recalled('full', { given: {}, tools: few, recall: 0 })).toBe(0);
    expect(await recalled('full', { given: {}, tools: few, window: 4096 })).toBe(204);
  });

  test('what they leave where that is less, and tools beyond ten take nothing of it', async () => {
    const ten = await recalled('full');
    expect(ten).toBeWithin(100, 400);
    const more = Array.from({ length: 3 }, (_, n) => plugins.map((tool) => ({ ...tool, name: `${tool.name}_${n}` })));
    expect(await recalled('full', { tools: more.flat() })).toBeWithin(100, 400);
  });

  test.each([
    ['prose', notes],
    ['numbers', notesOf((i) => `- +43 664 ${1_000_000 + i * 7919}`)],
    ['another script', notesOf((i) => `- владелец любит ${i} зелёный чай`)],
    ['one line a paragraph', notesOf(() => 'It is told at length and without a break. '.repeat(10))],
  ])('a full recall beside long notes of %s and ten tools stays within it, in both profiles', async (_, given) => {
    await using t = await testMemory();
    for (const [path, text] of Object.entries(given)) await t.memory.write(path, text, 'replace');
    for (let n = 0; n < 8; n++)
      await t.memory.write(`${n}.md`, `zebra number${n} ${'eats grass and sleeps '.repeat(20)}`, 'replace');
    await t.memory.settled();
    for (const [profile, budget] of [
      ['full', 1500],
      ['minimal', 600],
    ] as const) {
      const yaml = { agent: { profile }, memory: { recall_tokens: 4000 } };
      const made = agentWith([say('ok')], { yaml, tools: plugins, over: { memory: t.memory } });
      await made.ask('number5 zebra', { model: 'openai/mock' });
      await made.ask('thanks!', { model: 'openai/mock', id: 'm2' });
      const [first, second] = made.models.requests;
      const said = first?.messages[0]?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])) ?? [];
      if (profile === 'full') expect(said[0]).toContain('5.md#1');
      expect(said.at(-1)).toBe('number5 zebra');
      const words = [first?.system ?? '', JSON.stringify(first?.tools), ...said.slice(0, -1)];
      expect(words.reduce((sum, one) => sum + estimateTokens(one), 0)).toBeLessThan(budget);
      // The next turn recalls nothing, and what is cached is the same.
      expect([second?.system, second?.tools]).toEqual([first?.system, first?.tools]);
      expect(JSON.stringify(second?.messages)).not.toContain('5.md#1');
    }
  });
});

test('a note that is one long paragraph is told in part, its beginning and its end', async () => {
  const paragraph = `You are a pirate. ${'You love the sea. '.repeat(60)}`;
  const { tools, memory } = agentWith([say('ok')], {
    notes: { 'SOUL.md': `${paragraph}\n\nNever swear. ${paragraph}` },
  });
  const { system } = await preamble({ tools, memory, config: fakeConfig({}) });
  expect(system).toContain('You are a pirate.');
  expect(system).toContain('Never swear.');
});

test('the minimal profile keeps every tool callable: its name and the arguments it needs', async () => {
  const { tools, memory } = agentWith([say('ok')], { notes, tools: plugins });
  const short = await preamble({ tools, memory, config: fakeConfig({ agent: { profile: 'minimal' } }) });
  expect(short.tools.length).toBe(10);
  expect(short.tools.find((tool) => tool.name === 'service_action_0')?.parameters).toEqual({
    type: 'object',
    properties: { query: { type: 'string' } },
    required: ['query'],
  });
});

test('the stable part is the same bytes on another day, and says where it ends', async () => {
  const { tools, memory } = agentWith([say('ok')], { notes, tools: plugins });
  const config = fakeConfig({});
  const one = await preamble({ tools, memory, config }, undefined, new Date('2026-03-01T12:00:00Z'));
  const two = await preamble({ tools, memory, config }, undefined, new Date('2026-03-02T12:00:00Z'));
  expect(one.system).not.toBe(two.system);
  expect(one.cache).toEqual(two.cache);
  expect(one.system.slice(0, one.cache.stable)).toBe(two.system.slice(0, two.cache.stable));
  expect(JSON.stringify(one.tools)).toBe(JSON.stringify(two.tools));
  expect(one.system.slice(one.cache.stable).trim()).toStartWith('Today is');
});

test('/context tells it in the chat', async () => {
  const { ask } = agentWith([say('ok')], { notes, tools: plugins });
  const { text } = await ask('/context');
  expect(text).toContain('px adds');
  expect(text).toContain('MEMORY.md:');
});
