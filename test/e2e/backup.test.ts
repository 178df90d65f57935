import { describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary, notBuilt, Px, until } from './px.ts';

/** A folder that goes with the test. */
function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'px-e2e-backup-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe.skipIf(notBuilt !== undefined)('px backup and px restore', () => {
  test('a home that is talking goes into a file, and talks on from it elsewhere: secrets, conversation, journal', async () => {
    using folder = scratch();
    const config = { model: { default: 'offline/px' } };
    await using px = await new Px({ config }).serve();
    await px.installed();
    expect((await px.pipe('sk-precious-123', 'secret', 'set', 'MY_KEY')).code).toBe(0);
    expect((await px.run('chat', 'remember that my bicycle is called Gudrun')).code).toBe(0);
    let going = true;
    const talking = (async () => {
      for (let n = 0; going; n++)
        await px.fetch(`/api/conversations/web/c${n % 3}/messages`, {
          method: 'POST',
          body: JSON.stringify({ text: `remember that number ${n} was here` }),
        });
    })();
    await until('a conversation', () => px.journal().includes('number 3'));
    const file = join(folder.path, 'a.tar.zst');
    const taken = await px.run('backup', file);
    going = false;
    await talking;
    expect(taken.stderr).toBe('');
    expect(taken.stdout).toContain('holds your keys in the clear');

    await using other = new Px();
    rmSync(other.home, { recursive: true });
    const restored = await other.run('restore', file);
    expect(restored.stderr).toBe('');
    expect(restored.stdout).toContain('every hash fits');
    expect((await other.run('audit', 'verify')).code).toBe(0);
    await other.serve();
    expect((await other.run('secret', 'list')).stdout).toContain('MY_KEY');
    expect((await other.run('doctor')).stdout).toContain('1 stored, and the master key opens them');
    await until('the note', async () => (await other.run('memory', 'search', 'bicycle')).stdout.includes('Gudrun'));
    expect((await other.run('chat', 'what did I say about my bicycle?')).stdout).toContain('Gudrun');
    expect((await other.run('audit', 'verify')).code).toBe(0);

    // A px that runs there is not replaced under its feet.
    const refused = await other.run('restore', file, '--force');
    expect(refused.stderr).toContain('Another px uses');
    expect((await other.run('status')).code).toBe(0);
  }, 90_000);

  test('a passphrase seals it, from stdin', async () => {
    using folder = scratch();
    await using px = new Px({ config: { model: { default: 'offline/px' } } });
    await px.run('chat', '--local', 'remember that tea is at five');
    const file = join(folder.path, 'a.sealed');
    expect((await px.pipe('open sesame\n', 'backup', '--passphrase', file)).stdout).toContain('It is sealed');
    await using other = new Px();
    rmSync(other.home, { recursive: true });
    expect((await other.pipe('open barley', 'restore', file)).stderr).toContain('the passphrase is wrong');
    expect(existsSync(other.home)).toBe(false);
    expect((await other.pipe('open sesame', 'restore', file)).code).toBe(0);
    expect(other.journal()).toContain('tea is at five');
  }, 60_000);

  test('kill -9 in the middle of a restore leaves the home that was there', async () => {
    using folder = scratch();
    const homes = join(folder.path, 'homes');
    await using px = new Px({ config: { model: { default: 'offline/px' } } });
    await px.run('chat', '--local', 'remember that tea is at five');
    writeFileSync(
      join(px.home, 'memory/noise.bin'),
      crypto.getRandomValues(new Uint8Array(65_536)).toBase64().repeat(1_500),
    );
    const file = join(folder.path, 'a.tar.zst');
    expect((await px.run('backup', file)).code).toBe(0);
    const command = [binary, '--home', join(homes, 'px'), 'restore', file];
    expect(await Bun.spawn(command, { stdio: ['ignore', 'ignore', 'ignore'] }).exited).toBe(0);
    writeFileSync(join(homes, 'px/memory/MEMORY.md'), 'newer than the backup');
    const child = Bun.spawn([...command, '--force'], { stdio: ['ignore', 'ignore', 'ignore'] });
    await until('the unpacking', () => readdirSync(homes).length > 1);
    child.kill('SIGKILL');
    await child.exited;
    expect(readFileSync(join(homes, 'px/memory/MEMORY.md'), 'utf8')).toBe('newer than the backup');
    expect(readdirSync(homes).filter((name) => name.includes('before'))).toEqual([]);
    // What it left behind is swept away by the next one.
    expect(await Bun.spawn([...command, '--force'], { stdio: ['ignore', 'ignore', 'ignore'] }).exited).toBe(0);
    expect(readFileSync(join(homes, 'px/memory/MEMORY.md'), 'utf8')).not.toContain('newer');
    expect(readdirSync(homes).filter((name) => name.includes('restore'))).toEqual([]);
  }, 60_000);
});
