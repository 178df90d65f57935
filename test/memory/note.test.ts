import { describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testMemory } from './home.ts';

describe('writing notes', () => {
  test('replaces, appends, and says where', async () => {
    await using t = await testMemory();
    expect(await t.memory.write('people/ada.md', '# Ada\nLikes tea', 'replace')).toEqual({
      path: 'people/ada.md',
      line: 1,
    });
    expect(await t.memory.write('people/ada.md', 'Born in May', 'append')).toEqual({ path: 'people/ada.md', line: 3 });
    expect(readFileSync(join(t.home.memory, 'people/ada.md'), 'utf8')).toBe('# Ada\nLikes tea\nBorn in May\n');
  });

  test('an append to a file without a final line break starts a new line', async () => {
    await using t = await testMemory();
    writeFileSync(join(t.home.memory, 'a.md'), 'one\ntwo');
    expect(await t.memory.write('a.md', 'three', 'append')).toEqual({ path: 'a.md', line: 3 });
    expect(readFileSync(join(t.home.memory, 'a.md'), 'utf8')).toBe('one\ntwo\nthree\n');
  });

  test('a list or a heading that is added stands apart from the text before it; a list goes on', async () => {
    await using t = await testMemory();
    writeFileSync(join(t.home.memory, 'a.md'), '# Memory\n\n<!-- facts -->\n');
    expect((await t.memory.write('a.md', '- one', 'append')).line).toBe(5);
    expect((await t.memory.write('a.md', '- two', 'append')).line).toBe(6);
    expect((await t.memory.write('a.md', '## Later\n\n- three', 'append')).line).toBe(8);
    expect(readFileSync(join(t.home.memory, 'a.md'), 'utf8')).toBe(
      '# Memory\n\n<!-- facts -->\n\n- one\n- two\n\n## Later\n\n- three\n',
    );
  });

  test('many appends at once all arrive', async () => {
    await using t = await testMemory();
    await Promise.all(Array.from({ length: 25 }, (_, n) => t.memory.write('log-of-day.md', `line ${n}`, 'append')));
    expect((await t.memory.get('log-of-day.md')).totalLines).toBe(25);
  });

  test('leaves no temporary file and keeps the mode a person set', async () => {
    await using t = await testMemory();
    await t.memory.write('a.md', 'x', 'replace');
    expect(statSync(join(t.home.memory, 'a.md')).mode & 0o777).toBe(0o600);
    chmodSync(join(t.home.memory, 'a.md'), 0o644);
    await t.memory.write('a.md', 'y', 'replace');
    expect(statSync(join(t.home.memory, 'a.md')).mode & 0o777).toBe(0o644);
    expect(readdirSync(t.home.memory).sort()).toEqual(['.history', 'a.md']);
  });

  test('more than the size limit is refused', async () => {
    await using t = await testMemory({ max_file_bytes: 2000 });
    expect(t.memory.write('a.md', 'x'.repeat(3000), 'replace')).rejects.toMatchObject({ code: 'too-large' });
  });

  test.each([
    '../out.md',
    'a/../../out.md',
    '..\\out.md',
    '/etc/out.md',
    '\\out.md',
    'C:\\out.md',
    'c:out.md',
    'a\0.md',
    'a\n.md',
    'a.txt',
    'a',
    '',
    '.',
    '.md',
    'a/.md',
    '.git/hooks/x.md',
    'a/.hidden.md',
    'journal/x.md',
    'schedule.md',
    './Schedule.MD',
    'JOURNAL/x.md',
    './journal/x.md',
    'memory/journal/x.md',
    'log/2025-01-01.md',
    'a\ud800.md',
    `${'x'.repeat(300)}.md`,
    `${'x/'.repeat(600)}a.md`,
  ])('is refused outside the notes: %j', async (path) => {
    await using t = await testMemory();
    const error = await Promise.resolve()
      .then(() => t.memory.write(path, 'x', 'replace'))
      .then(
        () => undefined,
        (thrown) => thrown,
      );
    expect(error).toMatchObject({ code: 'memory.path' });
    expect(readdirSync(t.home.root).sort()).toEqual(['memory', 'state']);
    expect(readdirSync(t.home.memory)).toEqual([]);
  });

  test('is refused through links, whatever they point at', async () => {
    await using t = await testMemory();
    const outside = join(t.home.root, 'outside');
    mkdirSync(outside);
    mkdirSync(join(t.home.memory, 'journal'));
    writeFileSync(join(outside, 'secret.md'), 'secret');
    symlinkSync(outside, join(t.home.memory, 'dir'));
    symlinkSync(join(outside, 'secret.md'), join(t.home.memory, 'file.md'));
    symlinkSync(join(outside, 'new.md'), join(t.home.memory, 'dangling.md'));
    symlinkSync(join(outside, 'newdir'), join(t.home.memory, 'danglingdir'));
    symlinkSync(join(t.home.memory, 'journal'), join(t.home.memory, 'j'));
    for (const path of ['dir/x.md', 'dir/sub/x.md', 'file.md', 'dangling.md', 'danglingdir/x.md', 'j/x.md']) {
      const error = await Promise.resolve()
        .then(() => t.memory.write(path, 'x', 'append'))
        .then(
          () => undefined,
          (thrown) => thrown,
        );
      expect([path, error?.code]).toEqual([path, 'memory.path']);
    }
    expect(readdirSync(outside)).toEqual(['secret.md']);
    expect(readFileSync(join(outside, 'secret.md'), 'utf8')).toBe('secret');
  });
});

describe('reading notes', () => {
  test('gives the lines asked for', async () => {
    await using t = await testMemory();
    await t.memory.write('a.md', '1\n2\n3\n4\n5', 'replace');
    expect(await t.memory.get('a.md', 2, 2)).toEqual({ path: 'a.md', from: 2, text: '2\n3', totalLines: 5 });
    expect((await t.memory.get('memory/a.md')).text).toBe('1\n2\n3\n4\n5');
    expect((await t.memory.get('a.md', 99, 5)).text).toBe('');
  });

  test('refuses what is outside, and a link out of the folder', async () => {
    await using t = await testMemory();
    writeFileSync(join(t.home.root, 'px.md'), 'secret');
    symlinkSync(join(t.home.root, 'px.md'), join(t.home.memory, 'link.md'));
    symlinkSync('/proc/self/environ', join(t.home.memory, 'env.md'));
    for (const path of ['../px.md', 'link.md', 'env.md', '/etc/passwd', 'x\0.md', '../px.yaml']) {
      expect(t.memory.get(path)).rejects.toMatchObject({ code: 'memory.path' });
    }
    expect(t.memory.get('none.md')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a link to another note is followed', async () => {
    await using t = await testMemory();
    await t.memory.write('a.md', 'inside', 'replace');
    symlinkSync(join(t.home.memory, 'a.md'), join(t.home.memory, 'b.md'));
    expect((await t.memory.get('b.md')).text).toBe('inside');
  });

  test('lists notes of a folder sorted, without transcripts unless asked', async () => {
    await using t = await testMemory();
    for (const path of ['b.md', 'a/x.md', 'a/b/y.md', '2025-11-22.md']) await t.memory.write(path, 'x', 'replace');
    await t.memory.journal.append('cli/x', [{ at: 1_763_800_000_000, kind: 'note', text: 'x' }]);
    expect(await t.memory.list()).toEqual(['2025-11-22.md', 'a/b/y.md', 'a/x.md', 'b.md']);
    expect(await t.memory.list('a')).toEqual(['a/b/y.md', 'a/x.md']);
    expect((await t.memory.list('journal')).length).toBe(1);
    expect(await t.memory.list('nowhere')).toEqual([]);
    expect(t.memory.list('../..')).rejects.toMatchObject({ code: 'memory.path' });
  });
});
