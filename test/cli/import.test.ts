import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testMemory } from '../memory/home.ts';
import { openclawHome } from '../memory/openclaw.ts';
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
  const files = async () => {
    const all = await Array.fromAsync(new Bun.Glob('**').scan({ cwd: t.home.root, dot: true, onlyFiles: false }));
    return all.sort();
  };
  return Object.assign(t, { source, put, run, text, files });
}

test('an OpenClaw workspace keeps its names, and nothing px has is overwritten', async () => {
  await using t = await world();
  t.put('workspace/MEMORY.md', 'their memory\n');
  t.put('workspace/SOUL.md', 'their soul\n');
  t.put('workspace/memory/2025-11-22.md', 'a day\n');
  t.put('workspace/notes/a.md', 'a note\n');
  t.put('workspace/avatar.png', 'x');
  t.put('openclaw.json', '{}');
  writeFileSync(join(t.home.memory, 'MEMORY.md'), 'my memory\n');
  const dry = await t.run('openclaw', t.source, '--dry-run');
  expect(dry.stdout).toContain('beside    MEMORY.md → memory/MEMORY (imported).md');
  expect(dry.stdout).toContain('left out  avatar.png  (not Markdown)');
  expect(dry.stdout).toContain('Would bring in 4 notes; 0 are there already, 1 left out.');
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
  t.put('two\nlines\u001b[2J.md', 'odd\n');
  const { stdout } = await t.run('markdown', t.source);
  expect(stdout).toContain('Brought in 2 notes');
  // What is left out is said, a line each.
  expect(stdout).toContain('left out  link.md  (a link)\n');
  expect(stdout).toContain('left out  state  (a link)\n');
  expect(stdout).toContain('left out  two\ufffdlines\ufffd[2J.md  (“old/two\ufffdlines');
  expect(t.text('old/Ideas/x.md')).toBe('[[y]]\n');
  expect(existsSync(join(t.home.memory, 'old/link.md'))).toBe(false);
  t.put('journal/x.md', 'forged\n');
  const openclaw = await t.run('openclaw', t.source);
  expect(openclaw.stdout).toMatch(/left out {2}people\.md .*written by px only/);
  expect(openclaw.stdout).toMatch(/left out {2}journal\/x\.md/);
  expect(await t.run('markdown', t.home.memory)).toMatchObject({ code: 2 });
  expect(await t.run('markdown', join(t.home.root, 'none'))).toMatchObject({ code: 1 });
});

test('conversations and jobs of OpenClaw: a dry run shows and changes nothing, jobs wait for a yes, twice is once', async () => {
  await using t = await world();
  openclawHome(t.source);
  const before = await t.files();
  const dry = await t.run('openclaw', t.source, '--dry-run', '--jobs');
  expect(dry.stderr).toBe('');
  expect(dry.stdout).toMatch(
    /new {7}job Morning brief → Monday to Friday at 07:30 \(America\/Los_Angeles\), next .*, answer to telegram\/4711: “Summarize overnight updates\.” {2}\(without its model\)/,
  );
  expect(dry.stdout).toContain(
    'new       job Century → once, 2199-01-01 16:00:00 UTC, answer to cli/default: “celebrate”',
  );
  expect(dry.stdout).toContain('left out  job Stretch  (its time is over)');
  expect(dry.stdout).toMatch(/new {7}job Reminder → every 2h, next .*: “drink”/);
  expect(dry.stdout).toContain('left out  job Hook  (its answer goes to a webhook)');
  expect(dry.stdout).toContain('Would bring in 1 note and 1 conversation; 0 are there already, 0 left out.');
  expect(dry.stdout).toContain('4 jobs could be added: with --jobs, and px runs them from then on.');
  expect(await t.files()).toEqual(before);
  const first = await t.run('openclaw', t.source);
  expect(first.stdout).toContain('4 jobs not added: say --jobs to add them');
  expect(existsSync(join(t.home.memory, 'schedule.md'))).toBe(false);
  const added = await t.run('openclaw', t.source, '--jobs');
  expect(added.stdout).toContain('Brought in 0 notes; 2 are there already');
  expect(added.stdout).toContain('Added 4 jobs to the schedule');
  const page = t.text('schedule.md');
  expect(page).toMatch(
    /## morning-brief-[0-9a-f]{6}\n\n- when: cron 30 7 \* \* 1-5\n- zone: America\/Los_Angeles\n- to: telegram\/4711/,
  );
  expect(page).toContain('- when: every 2h');
  expect(page).toContain('- when: at 2199-01-01T16:00:00Z');
  expect(page).toContain('\\## forged');
  const again = await t.run('openclaw', t.source, '--jobs');
  expect(again.stdout).toMatch(/same {6}job Morning brief/);
  expect(t.text('schedule.md')).toBe(page);
});
