import { describe, expect, test } from 'bun:test';
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notBuilt, Px } from './px.ts';

const skip = notBuilt ?? (process.getuid?.() === 0 ? undefined : 'only root can become another user');
const [uid, gid] = [54_321, 54_322];

/** What in a folder, itself included, does not belong to the user. */
function foreign(folder: string): string[] {
  const all = ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })];
  return all.filter((name) => {
    const stats = lstatSync(join(folder, name));
    return stats.uid !== uid || stats.gid !== gid;
  });
}

describe.skipIf(skip !== undefined)(`root, for the home of somebody else${skip ? ` (${skip})` : ''},`, () => {
  test('works as its owner: what verbs write, back up and restore belongs to them, and no link leads anywhere with rights of root', async () => {
    await using px = new Px({ config: { model: { default: 'offline/px' } } });
    const out = mkdtempSync(join(tmpdir(), 'px-owner-'));
    try {
      mkdirSync(join(px.home, 'memory'));
      writeFileSync(join(px.home, 'memory/boat.md'), '# Boat\n\nTove has a boat.\n');
      for (const path of ['.', 'px.yaml', 'memory', 'memory/boat.md']) chownSync(join(px.home, path), uid, gid);
      expect((await px.pipe('a secret\n', 'secret', 'set', 'SOME_KEY')).stderr).toBe('');
      expect((await px.run('memory', 'search', 'boat')).stdout).toContain('Tove');
      expect(foreign(px.home)).toEqual([]);

      const file = join(out, 'px.tar.zst');
      expect((await px.run('backup', file)).stderr).toBe('');
      expect([statSync(file).uid, statSync(file).mode & 0o777]).toEqual([0, 0o600]);
      expect(foreign(px.home)).toEqual([]);

      const back = await px.run('restore', file, '--force');
      expect(back.stderr).toBe('');
      const [, moved = ''] = /What was there is now (.*)/.exec(back.stdout) ?? [];
      rmSync(moved, { recursive: true });
      expect(foreign(px.home)).toEqual([]);
      expect((await px.run('memory', 'search', 'boat')).stdout).toContain('Tove');

      const mine = join(out, 'of-root.yaml');
      writeFileSync(mine, 'model: {}\n', { mode: 0o600 });
      rmSync(join(px.home, 'px.yaml'));
      symlinkSync(mine, join(px.home, 'px.yaml'));
      for (const verb of [
        ['config', 'get'],
        ['update', '/bin/true', '--check'],
      ]) {
        const { stdout, stderr, code } = await px.run(...verb);
        expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('permission denied')]);
      }
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  }, 60_000);
});
