import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testMemory } from '../memory/home.ts';
import { px } from './px.ts';

async function world() {
  const t = await testMemory();
  const source = join(t.home.root, 'old');
  const put = (path: string, text: string) => {
    mkdirSync(join(source, path, '..'), { recursive: true });
    writeFileSync(join(source, path), text);
  };
  const run = (...args: string[]) => px(['--home', t.home.root, 'import', ...args]);
  const text = (path: string) => readFileSync(join(t.home.memory, path), 'utf8');
  return Object.assign(t, { source, put, run, text });
}

test('an OpenClaw workspace keeps its names, and nothing px has is overwritten', async () => {
  await using t = await world();
  t.put('workspace/MEMORY.md', 'their memory\n');
  t.put('workspace/SOUL.md', 'their soul\n');
  t.put('workspace/memory/2025-11-22.md', 'a day\n');
  t.put('workspace/notes/a.md', 'a note\n');
  t.put('workspace/avatar.png', 'x');
  t.put('openclaw.json', '{}');
  t.put('agents/main/sessions/a.jsonl', '{}\n');
  t.put('cron/jobs.json', '{}');
  writeFileSync(join(t.home.memory, 'MEMORY.md'), 'my memory\n');
  const dry = await t.run('openclaw', t.source, '--dry-run');
  expect(dry.stdout).toContain('beside    MEMORY.md → memory/MEMORY (imported).md');
  expect(dry.stdout).toContain('left out  avatar.png  (not Markdown)');
  expect(dry.stdout).toContain('Would bring in 4 notes; 0 are there already, 3 left out.');
  expect(dry.stdout).toContain('left out  agents  (conversations stay where they are)');
  expect(dry.stdout).toContain('left out  cron/jobs.json  (jobs are not brought in;');
  expect(existsSync(join(t.home.memory, 'SOUL.md'))).toBe(false);
  expect((await t.run('openclaw', t.source)).stdout).toContain('Brought in 4 notes');
  expect([t.text('MEMORY.md'), t.text('MEMORY (imported).md')]).toEqual(['my memory\n', 'their memory\n']);
  expect([t.text('SOUL.md'), t.text('2025-11-22.md'), t.text('notes/a.md')]).toEqual([
    'their soul\n',
    'a day\n',
    'a note\n',
  ]);
  expect((await t.run('openclaw', t.source)).stdout).toContain('Brought in 0 notes; 4 are there already');
});

test('a vault comes in below its own name; links, hidden files and what px keeps itself do not', async () => {
  await using t = await world();
  t.put('Ideas/x.md', '[[y]]\n');
  t.put('.obsidian/app.json', '{}');
  t.put('people.md', 'mallory\n');
  writeFileSync(join(t.home.root, 'secret.md'), 'secret\n');
  symlinkSync(join(t.home.root, 'secret.md'), join(t.source, 'link.md'));
  symlinkSync(t.home.state, join(t.source, 'state'));
  expect((await t.run('markdown', t.source)).stdout).toContain('Brought in 2 notes');
  expect(t.text('old/Ideas/x.md')).toBe('[[y]]\n');
  expect(existsSync(join(t.home.memory, 'old/link.md'))).toBe(false);
  t.put('journal/x.md', 'forged\n');
  const openclaw = await t.run('openclaw', t.source);
  expect(openclaw.stdout).toMatch(/left out {2}people\.md .*written by px only/);
  expect(openclaw.stdout).toMatch(/left out {2}journal\/x\.md/);
  expect(await t.run('markdown', t.home.memory)).toMatchObject({ code: 2 });
  expect(await t.run('markdown', join(t.home.root, 'none'))).toMatchObject({ code: 1 });
});
