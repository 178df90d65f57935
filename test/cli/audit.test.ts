import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testMemory } from '../memory/home.ts';
import { px } from './px.ts';

test('px audit verifies, shows, exports and checks', async () => {
  await using t = await testMemory();
  const call = { type: 'tool-call', id: 'c', name: 'clock_now', args: {} } as const;
  await t.memory.journal.append('cli/x', [
    { at: Date.now(), kind: 'user', sender: { id: '1', name: 'Ada' }, channel: 'cli', messageId: 'm', text: 'time?' },
    { at: Date.now(), kind: 'tool-call', turn: 't', call },
  ]);
  const run = (...args: string[]) => px(['--home', t.home.root, 'audit', ...args]);
  expect(await run('verify')).toMatchObject({ code: 0, stdout: 'All well: 2 entries; conversations: 1, files: 1.\n' });
  expect((await run('show', 'today', '--tool', 'clock_now')).stdout).toMatch(
    /cli\/x {2}clock_now\n {2}\{\}\n.*asked by Ada/,
  );
  expect(await run('show', 'someday')).toMatchObject({ code: 2 });
  const file = join(t.home.root, 'a.tar');
  expect((await run('export', file)).code).toBe(0);
  expect((await run('check', file)).stdout).toContain('the key of this home');
  expect((await run('check', file, '--key', 'f'.repeat(32))).code).toBe(1);
  const [day = ''] = [...new Bun.Glob('journal/**/*.md').scanSync(t.home.memory)];
  const path = join(t.home.memory, day);
  writeFileSync(path, readFileSync(path, 'utf8').replace('time?', 'tame?'));
  const altered = await run('verify');
  expect(altered.stdout).toBe(`memory/${day}:1: altered\n`);
  expect(altered.code).toBe(1);
});
