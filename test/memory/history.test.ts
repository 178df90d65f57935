import { describe, expect, test } from 'bun:test';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeTexts, unifiedDiff } from '../../src/memory/diff.ts';
import { HistoryFile } from '../../src/memory/history-file.ts';
import { testMemory } from './home.ts';

const by = { conversation: 'telegram/1', turn: 't1' };

async function world() {
  const t = await testMemory();
  const file = (name: string) => join(t.home.memory, name);
  return Object.assign(t, {
    file,
    text: (name = 'a.md') => readFileSync(file(name), 'utf8'),
    last: async () => (await t.memory.history.log({ limit: 1 }))[0]?.n ?? 0,
  });
}

describe('undo', () => {
  test('takes back an append, and can itself be taken back', async () => {
    await using t = await world();
    await t.memory.write('a.md', 'one', 'append', by);
    await t.memory.write('a.md', 'two', 'append', by);
    expect(await t.memory.history.undo(await t.last())).toMatchObject({ state: 'undone', path: 'a.md' });
    expect(t.text()).toBe('one\n');
    await t.memory.history.undo(await t.last());
    expect(t.text()).toBe('one\ntwo\n');
    const log = await t.memory.history.log();
    expect(log.map((one) => [one.n, one.kind, one.undoes])).toEqual([
      [4, 'undo', 3],
      [3, 'undo', 2],
      [2, 'append', undefined],
      [1, 'append', undefined],
    ]);
    expect(log[2]).toMatchObject({ by, added: 1, removed: 0 });
    expect(log[2]?.undoneBy).toBeUndefined();
  });

  test('of a note that was made removes it, and brings it back', async () => {
    await using t = await world();
    await t.memory.write('new/a.md', 'one', 'append', by);
    await t.memory.history.undo(1);
    expect(existsSync(t.file('new/a.md'))).toBe(false);
    await t.memory.history.undo(2);
    expect(t.text('new/a.md')).toBe('one\n');
  });

  test('keeps what a person wrote elsewhere, above and right below', async () => {
    await using t = await world();
    writeFileSync(t.file('a.md'), '# Mine\n\nfirst\n');
    await t.memory.write('a.md', 'by px\n', 'append', by);
    writeFileSync(t.file('a.md'), '# Mine, better\n\nfirst\nby px\nmy own line\n');
    expect((await t.memory.history.undo(1)).state).toBe('merged');
    expect(t.text()).toBe('# Mine, better\n\nfirst\nmy own line\n');
  });

  test('of a change in the middle keeps later changes', async () => {
    await using t = await world();
    await t.memory.write('a.md', 'one', 'append', by);
    await t.memory.write('a.md', 'two', 'append', by);
    await t.memory.write('a.md', 'three', 'append', by);
    await t.memory.history.undo(2);
    expect(t.text()).toBe('one\nthree\n');
  });

  test('writes nothing where a person edited the same lines, and shows both', async () => {
    await using t = await world();
    writeFileSync(t.file('a.md'), 'tea at four\n');
    await t.memory.write('a.md', 'tea at five', 'replace', by);
    writeFileSync(t.file('a.md'), 'tea at six\n');
    const error = await t.memory.history.undo(1).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'conflict' });
    expect(error.data.merged).toContain('tea at six\n=======\ntea at four');
    expect(t.text()).toBe('tea at six\n');
    rmSync(t.file('a.md'));
    expect(await t.memory.history.undo(1).catch((thrown) => thrown)).toMatchObject({ code: 'conflict' });
    expect(existsSync(t.file('a.md'))).toBe(false);
  });

  test('a replace over what a person wrote brings that back, to the byte', async () => {
    await using t = await world();
    const bytes = Buffer.from([0x61, 0xff, 0x0d, 0x0a, 0x62]);
    writeFileSync(t.file('a.md'), bytes);
    await t.memory.write('a.md', 'gone', 'replace', by);
    await t.memory.history.undo(1);
    expect(readFileSync(t.file('a.md')).equals(bytes)).toBe(true);
  });

  test('of what is already taken back does nothing, and of what never was is an error', async () => {
    await using t = await world();
    await t.memory.write('a.md', 'one', 'append', by);
    await t.memory.history.undo(1);
    expect((await t.memory.history.undo(1)).state).toBe('nothing');
    expect(await t.memory.history.undo(99).catch((thrown) => thrown)).toMatchObject({ code: 'not-found' });
    expect((await t.memory.history.log()).length).toBe(2);
  });

  test('cannot be led out of the notes by an edited list', async () => {
    await using t = await world();
    await t.memory.write('a.md', 'one', 'append', by);
    const list = t.file('.history/changes.md');
    writeFileSync(list, readFileSync(list, 'utf8').replaceAll('a.md', '../px.yaml'));
    expect(await t.memory.history.undo(1).catch((thrown) => thrown)).toMatchObject({ code: 'memory.path' });
    writeFileSync(list, readFileSync(list, 'utf8').replaceAll('../px.yaml', 'people.md'));
    expect(await t.memory.history.undo(1).catch((thrown) => thrown)).toMatchObject({ code: 'memory.path' });
  });
});

describe('the history', () => {
  test('survives a restart and the loss of state/, is not indexed and not listed, and reads like Markdown', async () => {
    await using t = await world();
    await t.memory.write('a.md', 'zebra', 'append', by);
    await t.memory.close();
    rmSync(t.home.state, { recursive: true });
    mkdirSync(t.home.state);
    const memory = await t.reopen();
    await memory.settled();
    expect(memory.search('zebra').map((hit) => hit.path)).toEqual(['a.md']);
    expect(await memory.list()).toEqual(['a.md']);
    expect(t.text('.history/changes.md')).toContain('append `a.md` +1 −0, telegram/1 <!-- {');
    await memory.history.undo(1);
    expect(existsSync(t.file('a.md'))).toBe(false);
  });

  test('a torn or edited line costs that line only, and damaged contents are not used', async () => {
    await using t = await world();
    await t.memory.write('a.md', 'one', 'append', by);
    await t.memory.write('a.md', 'two', 'append', by);
    appendFileSync(t.file('.history/changes.md'), '- #3 2025 half a li');
    const memory = await t.reopen();
    await memory.write('a.md', 'three', 'append', by);
    expect((await memory.history.log()).map((one) => one.n)).toEqual([3, 2, 1]);
    rmSync(t.file('.history/blobs'), { recursive: true });
    expect(await memory.history.undo(3).catch((thrown) => thrown)).toMatchObject({ code: 'not-found' });
    expect(t.text()).toBe('one\ntwo\nthree\n');
  });

  test('is bounded in changes and in bytes', async () => {
    await using t = await world();
    const file = new HistoryFile(t.file('.history'), { changes: 10, bytes: 20_000 });
    const entry = { at: 1, path: 'a.md', kind: 'replace', added: 1, removed: 1 } as const;
    const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
    for (let n = 0; n < 30; n++) {
      await file.add(entry, { before: random(100), after: random(100) });
      await file.prune();
    }
    expect((await file.changes()).length).toBeLessThanOrEqual(10);
    expect((await file.changes()).at(-1)?.n).toBe(30);
    for (let n = 0; n < 10; n++) {
      await file.add(entry, { before: undefined, after: random(5000) });
      await file.prune();
    }
    const blobs = [...new Bun.Glob('**/*.gz').scanSync(t.file('.history/blobs'))];
    const bytes = blobs.reduce((sum, name) => sum + Bun.file(t.file(`.history/blobs/${name}`)).size, 0);
    expect(bytes).toBeLessThanOrEqual(20_000);
    const latest = (await file.changes()).at(-1);
    expect((await file.content(latest?.after ?? null))?.length).toBe(5000);
  });
});

test('a diff names lines as patch does', async () => {
  const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);
  const after = lines.with(3, 'changed').toSpliced(20, 1).concat('more');
  expect(await unifiedDiff(`${lines.join('\n')}\n`, `${after.join('\n')}\n`)).toBe(
    [
      '@@ -2,5 +2,5 @@\n line 1\n line 2\n-line 3\n+changed\n line 4\n line 5',
      '@@ -19,5 +19,4 @@\n line 18\n line 19\n-line 20\n line 21\n line 22',
      '@@ -29,2 +28,3 @@\n line 28\n line 29\n+more',
    ].join('\n'),
  );
  expect(await unifiedDiff('', 'a\n')).toBe('@@ -0,0 +1,1 @@\n+a');
});

test('merging keeps both sides or says that it cannot', async () => {
  expect(await mergeTexts('a\nb\n', 'a\nb\nmine\n', 'a\n')).toEqual({ text: 'a\nmine\n', conflicts: 0 });
  expect(await mergeTexts('a\nb\n', 'mine\na\nb\n', 'b\n')).toEqual({ text: 'mine\nb\n', conflicts: 0 });
  expect((await mergeTexts('a\n', 'x\n', 'y\n')).conflicts).toBe(1);
});
