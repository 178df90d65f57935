import { expect, test } from 'bun:test';
import { contextReport } from '../../src/agent/agent.ts';
import { preamble } from '../../src/agent/request.ts';
import { estimateTokens } from '../../src/model/model.ts';
import { echoTool, fakeConfig } from '../tool/fakes.ts';
import { agentWith, say } from './fakes.ts';

const long = (what: string) =>
  `# ${what}\n${Array.from({ length: 300 }, (_, i) => `- the ${what.toLowerCase()} line ${i} says what the owner likes`).join('\n')}`;
const notes = Object.fromEntries(['SOUL.md', 'USER.md', 'MEMORY.md', 'AGENTS.md'].map((path) => [path, long(path)]));
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

async function report(profile: 'full' | 'minimal') {
  const { models, sessions, tools, memory } = agentWith([say('ok')], { notes, tools: plugins });
  const config = fakeConfig({ agent: { profile } });
  return contextReport({ models, sessions, tools, memory, config }, 'cli/default');
}

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
    'history (0 messages)',
  ]);
  expect(added).toBeLessThan(1500);
});

test('the minimal profile adds fewer than 600, whatever the day', async () => {
  const { added, parts } = await report('minimal');
  const day = parts.find((part) => part.name === 'day')?.tokens ?? 0;
  // The longest day there is, in a zone with a long name.
  const longest = estimateTokens('Today is Wednesday, 30 September 2026 (America/Argentina/Buenos_Aires).');
  expect(added - day + longest).toBeLessThan(600);
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
