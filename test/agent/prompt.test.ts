import { expect, test } from 'bun:test';
import { echoTool } from '../tool/fakes.ts';
import { agentWith, say } from './fakes.ts';

const notes = {
  'SOUL.md': '# Soul\n<!-- for people -->\nDry humour.',
  'USER.md': 'Ada, in London.',
  'MEMORY.md': `# Memory\n${Array.from({ length: 2000 }, (_, i) => `- fact number ${i}`).join('\n')}\n- the cat is called Minka`,
};
const web = echoTool('web_fetch', {
  description: 'Readable text of a web page.',
  parameters: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] },
});

test('the first request of a conversation stays under 6 KB, however long the notes are', async () => {
  const long = Object.fromEntries(
    ['SOUL.md', 'USER.md', 'MEMORY.md', 'AGENTS.md'].map((path) => [path, notes['MEMORY.md']]),
  );
  const { ask, models } = agentWith([say('ok')], { notes: long, tools: [echoTool('clock_now'), web] });
  await ask('hello');
  expect(Buffer.byteLength(JSON.stringify(models.requests[0]))).toBeLessThan(6 * 1024);
});

test('it holds who px is, the notes and the day, without comments; the end of a long note too', async () => {
  const { ask, models } = agentWith([say('ok')], { notes });
  await ask('hello');
  const system = models.requests[0]?.system ?? '';
  expect(system).toStartWith('You are px');
  expect(system).toContain('Dry humour.');
  expect(system).toContain('Ada, in London.');
  expect(system).toContain('the cat is called Minka');
  expect(system).toContain(String(new Date().getFullYear()));
  expect(system).not.toContain('for people');
  expect(system.indexOf('Minka')).toBeLessThan(system.lastIndexOf('Today is'));
});

test('it is the same, byte for byte, from turn to turn', async () => {
  const { ask, models } = agentWith([say('ok')], { notes, tools: [web] });
  await ask('one');
  await ask('two', { id: 'm2' });
  const [first, second] = models.requests.map(({ system, tools }) => JSON.stringify({ system, tools }));
  expect(second).toBe(first ?? '');
});

test('a home without notes still answers', async () => {
  expect((await agentWith([say('ok')]).ask('hi')).text).toBe('ok');
});
