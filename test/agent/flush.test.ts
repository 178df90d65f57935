import { expect, test } from 'bun:test';
import { flush } from '../../src/agent/flush.ts';
import { testMemory } from '../memory/home.ts';

const by = { conversation: 'telegram/4711', turn: 't1' };
const today = new Date().toLocaleDateString('sv-SE');

test('facts go to the note of the day, once, under a heading of their own, and can be taken back', async () => {
  await using t = await testMemory();
  await t.memory.write('MEMORY.md', '# Memory\n\n- Eve is the sister of Ada.\n', 'replace');
  await t.memory.write('2025-01-01.md', '# 2025-01-01\n\n- The bicycle is called Gudrun.\n', 'replace');
  await t.memory.settled();
  const facts = ['Eve is the sister of Ada', 'The **bicycle** is called Gudrun.', 'Ada lives in Porto.', 'Likes tea.'];
  expect(await flush(t.memory, by, facts, [])).toEqual({ place: `${today}.md#3`, facts: 2 });
  expect(await flush(t.memory, by, ['ada lives in Porto', 'Ada does not live in Porto.'], [])).toMatchObject({
    facts: 1,
  });
  expect(await flush(t.memory, by, ['Likes tea'], [])).toEqual({ place: undefined, facts: 0 });
  const { text } = await t.memory.get(`${today}.md`);
  expect(text.replaceAll(/\d\d:\d\d/g, 'HH:MM')).toBe(
    `# ${today}\n\n## HH:MM from telegram/4711\n\n- Ada lives in Porto.\n- Likes tea.\n\n## HH:MM from telegram/4711\n\n- Ada does not live in Porto.`,
  );
  const [last] = await t.memory.history.log({ conversation: by.conversation });
  await t.memory.history.undo(last?.n ?? 0);
  expect((await t.memory.get(`${today}.md`)).text).not.toContain('does not live');
});

test('facts from a conversation that read text from outside carry its label', async () => {
  await using t = await testMemory();
  await flush(t.memory, by, ['The page says so.'], ['plugin/web-fetch']);
  expect((await t.memory.get(`${today}.md`)).text).toEndWith('<!-- from outside: plugin/web-fetch -->');
});
