import { describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { notBuilt, Px, until } from './px.ts';

describe.skipIf(notBuilt !== undefined)('a fresh home without any key', () => {
  test('answers the time through the sandboxed clock and says that it is offline', async () => {
    await using px = await new Px().serve();
    expect(px.ready).toContain('offline');
    await px.installed();
    const chat = await px.run('chat', 'what time is it?');
    expect(chat.stderr).toBe('');
    expect(chat.stdout).toContain(String(new Date().getUTCFullYear()));
    expect(chat.code).toBe(0);
    expect(px.journal()).toContain('clock_now');
  });

  test('remembers, finds it again, and still does after every database is deleted', async () => {
    await using px = await new Px().serve();
    await px.installed();
    expect((await px.run('chat', 'remember that my bicycle is called Gudrun')).code).toBe(0);
    const found = async () => (await px.run('memory', 'search', 'bicycle')).stdout;
    await until('the note in the index', async () => (await found()).includes('Gudrun') || undefined);
    await px.stop();
    for (const name of ['index.db', 'px.db'])
      for (const end of ['', '-wal', '-shm']) rmSync(join(px.home, 'state', name + end), { force: true });
    await px.serve();
    await until('the note in the new index', async () => (await found()).includes('Gudrun') || undefined);
    const chat = await px.run('chat', 'what did I say about my bicycle?');
    expect(chat.stdout).toContain('Gudrun');
  });

  test('chats without a daemon', async () => {
    await using px = new Px();
    const chat = await px.run('chat', '--local', '--json', 'remember that tea is at five');
    expect(chat.stderr).not.toContain('rror');
    const answer: { answer: string; model: string } = JSON.parse(chat.stdout);
    expect(answer.model).toBe('offline/px');
    expect(chat.code).toBe(0);
  });
});
