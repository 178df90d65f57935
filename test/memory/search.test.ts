import { describe, expect, test } from 'bun:test';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testMemory } from './home.ts';
import { nasty } from './nasty.ts';

async function vault(notes: Record<string, string>) {
  const t = await testMemory();
  for (const [path, text] of Object.entries(notes)) await t.memory.write(path, text, 'replace');
  await t.memory.settled();
  return t;
}

describe('search', () => {
  test('a natural question finds the note that answers it', async () => {
    await using t = await vault({
      'people/ada.md': '# Ada\n\n## Health\n\nHer dentist is Dr. Molar, next appointment in May.\n',
      'work.md': '# Work\n\nThe deadline of the report is Friday.\n',
    });
    const [hit] = t.memory.search('When does Ada have her dentist appointments?');
    expect(hit).toMatchObject({ path: 'people/ada.md', heading: 'Ada › Health' });
    expect(hit?.snippet).toContain('Dr. Molar');
  });

  test('names the line where the passage starts', async () => {
    const filler = Array.from(
      { length: 60 },
      (_, n) => `Line ${n} of something long that fills the note with words.\n`,
    ).join('\n');
    await using t = await vault({ 'a.md': `# Long\n\n${filler}\nThe zebra sleeps here.\n` });
    const [hit] = t.memory.search('zebra');
    const { text } = await t.memory.get('a.md', hit?.line, 40);
    expect(text).toContain('zebra');
    expect(hit?.line).toBeGreaterThan(80);
  });

  test('a heading counts more than a mention', async () => {
    await using t = await vault({
      'a.md': '# Misc\n\nWe talked about cars and boats and lisbon and other things on the way home.\n',
      'b.md': '# Lisbon\n\nPlans for the spring journey with many other words here to be fair.\n',
    });
    expect(t.memory.search('lisbon').map((hit) => hit.path)).toEqual(['b.md', 'a.md']);
  });

  test('word endings, accents and case do not matter', async () => {
    await using t = await vault({ 'a.md': 'She was running in the Café Zürich.\n' });
    for (const query of ['runs', 'CAFE', 'zurich', 'café'])
      expect([query, t.memory.search(query).length]).toEqual([query, 1]);
    await t.memory.write('b.md', `# B\n\n${'Nothing here.\n'.repeat(9)}A trip to Zürich.\n`, 'replace');
    await t.memory.settled();
    expect(t.memory.search('zurich').find(({ path }) => path === 'b.md')?.line).toBe(12);
  });

  test('a quoted phrase must stand so', async () => {
    await using t = await vault({ 'a.md': 'the blue whale song\n', 'b.md': 'a whale, and the sky is blue\n' });
    expect(t.memory.search('"blue whale"').map((hit) => hit.path)).toEqual(['a.md']);
  });

  test('a prefix is searched when asked for', async () => {
    await using t = await vault({ 'a.md': 'interoperability\n', 'b.md': 'my bicycle and some dyestuff\n' });
    expect(t.memory.search('interop').length).toBe(0);
    for (const query of ['interop*', 'bicy*', 'bicyc*', 'dy*', 'dye*'])
      expect([query, t.memory.search(query).length]).toEqual([query, 1]);
  });

  test('scripts without spaces are found by a part of a sentence and by one character', async () => {
    await using t = await vault({
      'ja.md': '東京都に住んでいる友達の名前は太郎です。\n',
      'zh.md': '我的狗叫小白,它喜欢吃骨头。\n',
      'ko.md': '서울에서 친구를 만났다.\n',
      'th.md': 'แมวของฉันชื่อสมชาย\n',
    });
    expect(t.memory.search('友達の名前は?')[0]?.path).toBe('ja.md');
    expect(t.memory.search('京')[0]?.path).toBe('ja.md');
    expect(t.memory.search('我的狗叫什么名字')[0]?.path).toBe('zh.md');
    expect(t.memory.search('서울')[0]?.path).toBe('ko.md');
    expect(t.memory.search('แมว')[0]?.path).toBe('th.md');
  });

  test('only below a folder when asked', async () => {
    await using t = await vault({
      'a/x.md': 'tomato\n',
      'a/b/y.md': 'tomato\n',
      'ab/z.md': 'tomato\n',
      'a.md': 'tomato\n',
    });
    expect(
      t.memory
        .search('tomato', { under: 'a' })
        .map((hit) => hit.path)
        .sort(),
    ).toEqual(['a/b/y.md', 'a/x.md']);
    expect(t.memory.search('tomato', { under: '../..' })).toEqual([]);
    expect(t.memory.search('tomato', { limit: 2 }).length).toBe(2);
  });

  test('filters by day, by who speaks and by tag', async () => {
    await using t = await vault({
      '2025-11-18.md': 'planted a lemon tree #garden\n',
      '2025-11-22.md': 'the lemon tree has leaves\n',
      'trees.md': 'lemon trees need sun #Garden\n',
      'work.md': 'lemon tree, the project #gardening\n',
      'vault/a.md': '---\ntags: [Citrus, other]\n---\n# Far\n\nlemon tree\n',
      'vault/b.md': '---\ntitle: citrus\ntags:\n  - citrus/yellow\n---\nlemon tree\n',
      'vault/c.md': '---\ntags: other\n---\nlemon tree of citrus\n',
      'vault/d.md': '---\ntags: [citrus\n---\nlemon tree\n',
    });
    const at = new Date(2025, 10, 22, 14).getTime();
    const say = (name: string, text: string) =>
      ({ at, kind: 'user', sender: { id: name, name }, channel: 'cli', messageId: text, text }) as const;
    await t.memory.journal.append('cli/x', [say('Ada', 'my lemon tree is small')]);
    await t.memory.journal.append('cli/y', [say('Eve', 'my lemon tree is tall')]);
    await t.memory.settled();
    const paths = (options: Parameters<typeof t.memory.search>[1]) =>
      t.memory
        .search('lemon tree', options)
        .map((hit) => hit.path)
        .sort();
    expect(paths({})).toHaveLength(10);
    expect(paths({ tag: '#citrus' })).toEqual(['vault/a.md', 'vault/b.md']);
    expect(paths({ tag: 'citrus', under: 'vault/a.md' })).toEqual(['vault/a.md']);
    expect(paths({ when: '2025-11-18' })).toEqual(['2025-11-18.md']);
    expect(paths({ when: '2025-11-19..' })).toEqual([
      '2025-11-22.md',
      'journal/cli-x/2025-11-22.md',
      'journal/cli-y/2025-11-22.md',
    ]);
    expect(paths({ speaker: 'ada' })).toEqual(['journal/cli-x/2025-11-22.md']);
    expect(paths({ tag: 'garden' })).toEqual(['2025-11-18.md', 'trees.md']);
    expect(paths({ tag: '#garden', when: '2025' })).toEqual(['2025-11-18.md']);
    expect(paths({ when: 'someday' })).toEqual([]);
    expect(paths({ speaker: "' OR 1=1 --", tag: '%' })).toEqual([]);
  });

  test('words that stand together in the question count more where they stand together', async () => {
    await using t = await vault({
      'far.md': 'the red door, and then a long way of other things to say about it, until we saw a bus there\n',
      'near.md': 'that long way of other things to say about it, there is a door, and we saw the red bus again\n',
    });
    expect(t.memory.search('red bus')[0]?.path).toBe('near.md');
  });

  test('of two that match alike the later comes first, one that matches better comes before both', async () => {
    const days = [0, 30, 900].map((back) => new Date(Date.now() - back * 86_400_000).toLocaleDateString('sv-SE'));
    await using t = await vault({
      ...Object.fromEntries(days.map((day) => [`${day}.md`, 'Met Eve in the harbour.\n'])),
      'better.md': 'Eve lives in the harbour. The harbour is where Eve sails.\n',
    });
    const old = join(t.home.memory, 'a-b-c.md');
    writeFileSync(old, 'Met Eve in the harbour.\n');
    utimesSync(old, new Date(2001, 0), new Date(2001, 0));
    await t.memory.settled();
    expect(t.memory.search('Eve harbour').map((hit) => hit.path)).toEqual([
      'better.md',
      ...days.map((day) => `${day}.md`),
      'a-b-c.md',
    ]);
  });

  test('one long note does not fill the list, and no region comes twice', async () => {
    const section = (n: number) => `## Part ${n}\n\n${'The tomato grows. '.repeat(30)}\n\n`;
    await using t = await vault({
      'big.md': Array.from({ length: 20 }, (_, n) => section(n)).join(''),
      'small.md': 'a tomato\n',
    });
    const hits = t.memory.search('tomato');
    expect(hits.filter((hit) => hit.path === 'big.md').length).toBeLessThanOrEqual(3);
    expect(hits.map((hit) => hit.path)).toContain('small.md');
    expect(new Set(hits.map((hit) => `${hit.path}#${hit.line}`)).size).toBe(hits.length);
  });

  test('snippets are plain text', async () => {
    await using t = await vault({
      'a.md': '# T\n\n- **bold** [link](http://x) `code` [[wiki|shown]] ![[pic.png]] zebra <!-- hidden -->\n',
    });
    expect(t.memory.search('zebra')[0]?.snippet).toBe('bold link code shown pic.png zebra');
  });

  test.each([
    ...nasty,
    '"',
    '"""',
    'NEAR',
    'NEAR(a b, 5)',
    'a AND',
    'OR OR OR',
    'NOT x',
    '*',
    'a*b*',
    '^a',
    'heading : x',
    '{grams} : x',
    '(((',
    '-a +b',
    "' OR 1=1 --",
    '🎉🎉',
    'x'.repeat(100_000),
    '" '.repeat(50_000),
    'word '.repeat(20_000),
    '東'.repeat(50_000),
  ])('odd input is never an error %#', async (query) => {
    await using t = await vault({ 'a.md': 'word x\n' });
    expect(Array.isArray(t.memory.search(query))).toBe(true);
    expect(t.memory.search(query, { limit: Number.NaN, under: query }).length).toBeLessThanOrEqual(100);
  });

  test('what was said is found in the transcript, without thoughts, tool traffic and data', async () => {
    await using t = await testMemory();
    const at = new Date(2025, 10, 22, 14).getTime();
    const sender = { id: '1', name: 'Ada' };
    await t.memory.journal.append('cli/x', [
      { at, kind: 'user', sender, channel: 'cli', messageId: 'mxyz', text: 'My flamingo is called Otto.' },
      { at, kind: 'thinking', turn: 'turnabc', text: 'pondering' },
      {
        at,
        kind: 'tool-call',
        turn: 'turnabc',
        call: { type: 'tool-call', id: 'c', name: 'grep', args: { q: 'needle' } },
      },
      { at, kind: 'assistant', turn: 'turnabc', model: 'openai/gpt-5', text: 'Noted: Otto the flamingo.' },
    ]);
    await t.memory.settled();
    const [hit] = t.memory.search('what is the name of my flamingo');
    expect(hit).toMatchObject({ path: 'journal/cli-x/2025-11-22.md', line: 8, heading: 'Ada' });
    expect(hit?.snippet).toBe('Ada: My flamingo is called Otto.\npx: Noted: Otto the flamingo.');
    for (const hidden of ['pondering', 'needle', 'turnabc', 'mxyz'])
      expect([hidden, t.memory.search(hidden)]).toEqual([hidden, []]);
  });

  test('what was written a moment ago is found, and each turn by its own line', async () => {
    await using t = await vault({ 'MEMORY.md': '# Memory\n' });
    await t.memory.write('MEMORY.md', '- my bicycle is called Gudrun', 'append');
    const sender = { id: '1', name: 'Ada' };
    const turn = (text: string, answer: string) =>
      t.memory.journal.append('cli/x', [
        { at: 0, kind: 'user', sender, channel: 'cli', messageId: text, text },
        { at: 0, kind: 'assistant', turn: text, model: 'offline/px', text: answer },
      ]);
    await turn('The bicycle needs a new chain.', 'I do not understand: bicycle?');
    await turn('what did I say about my bicycle?', 'From your memory: my bicycle');
    await t.memory.fresh();
    const hits = t.memory.search('bicycle');
    expect(hits.map((hit) => hit.snippet)).toEqual([
      'my bicycle is called Gudrun',
      'Ada: The bicycle needs a new chain.',
    ]);
    for (const hit of hits) {
      const { text } = await t.memory.get(hit.path, hit.line, 4);
      expect(text).toContain('bicycle');
    }
  });

  test('the question itself, just asked, is no answer', async () => {
    await using t = await vault({ 'a.md': 'The dentist is Dr. Molar.\n' });
    const sender = { id: '1', name: 'Ada' };
    const text = 'What did I say about the dentist?';
    await t.memory.journal.append('cli/x', [{ at: 0, kind: 'user', sender, channel: 'cli', messageId: '1', text }]);
    await t.memory.settled();
    expect(t.memory.search(text).map((hit) => hit.path)).toEqual(['a.md']);
  });
});

describe('days and names in a question', () => {
  const dayOf = (back: number) => {
    const at = new Date();
    return new Date(at.getFullYear(), at.getMonth(), at.getDate() - back).toLocaleDateString('sv-SE');
  };

  test('the note of the day that is meant comes first, though it does not name the day', async () => {
    await using t = await vault({
      [`${dayOf(1)}.md`]: `# ${dayOf(1)}\n\nWent swimming with Eve.\n`,
      [`${dayOf(3)}.md`]: `# ${dayOf(3)}\n\nPainted the fence.\n`,
      'old.md': '# Old\n\nYesterday I went to the theatre. I did that 3 days ago too.\n',
      'swim.md': '# Swimming\n\nSwimming is healthy, swimming pools are many, I did swim.\n',
    });
    expect(t.memory.search('what did I do yesterday?')[0]?.path).toBe(`${dayOf(1)}.md`);
    expect(t.memory.search('What happened 3 days ago')[0]?.path).toBe(`${dayOf(3)}.md`);
    // Preferred, not demanded: the rest is still found.
    expect(t.memory.search('Did I go swimming yesterday?').map((hit) => hit.path)).toEqual([
      `${dayOf(1)}.md`,
      'swim.md',
    ]);
    // Of a day no note knows, the words are looked for as they stand.
    expect(t.memory.search('what was 2 days ago')[0]?.path).toBe('old.md');
  });

  test('what was said on that day is found in the transcript', async () => {
    await using t = await vault({ 'plans.md': 'Last Tuesday is a good name for a band.\n' });
    const at = new Date(2024, 2, 5, 14).getTime();
    const sender = { id: '1', name: 'Ada' };
    await t.memory.journal.append('cli/x', [
      { at, kind: 'user', sender, channel: 'cli', messageId: '1', text: 'The violin was sold to the museum.' },
    ]);
    await t.memory.settled();
    for (const question of [
      'what did I do on March 5, 2024?',
      'and on the 5th of March 2024',
      '2024-03-05',
      'in March 2024',
    ])
      expect([question, t.memory.search(question)[0]?.path]).toEqual([question, 'journal/cli-x/2024-03-05.md']);
  });

  test('a day is found in a note that writes it otherwise', async () => {
    await using t = await vault({
      'music.md': '# Music\n\n## 2024-03-05\n\nThe violin was sold.\n\n## 2024-03-06\n\nThe cello came.\n',
      ...Object.fromEntries(
        Array.from({ length: 8 }, (_, n) => [`${n}.md`, `In March there were 5 letters, ${n} of them answered.\n`]),
      ),
    });
    const [hit] = t.memory.search('what was on 5 March 2024');
    expect(hit).toMatchObject({ path: 'music.md', heading: 'Music › 2024-03-05' });
  });

  test('a passage that holds the name in the question comes before one that repeats its other words', async () => {
    await using t = await vault({
      'cakes.md': 'A birthday cake needs candles, and birthday cards.\n',
      'porto.md': 'Caroline likes the sea and old maps. We met in Porto. Her birthday was a quiet one.\n',
      ...Object.fromEntries(Array.from({ length: 4 }, (_, n) => [`c${n}.md`, `Caroline wrote letter ${n}.\n`])),
    });
    expect(t.memory.search("when was Caroline's birthday")[0]?.path).toBe('porto.md');
  });
});
