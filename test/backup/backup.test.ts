import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { lockHome } from '../../src/app/app.ts';
import { backUpHome, restoreHome } from '../../src/backup/backup.ts';
import { manifestName } from '../../src/backup/format.ts';
import { openStream, sealStream } from '../../src/backup/seal.ts';
import { padding, readTar, type TarEntry, tarEnd, tarHeader } from '../../src/backup/tar.ts';
import { homeAt } from '../../src/config/config.ts';
import { openStore } from '../../src/store/store.ts';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'px-backup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A small home with a database that is in use. */
function makeHome() {
  const home = homeAt(at('home'));
  mkdirSync(join(home.memory, 'deep', 'n'.repeat(120)), { recursive: true });
  mkdirSync(join(home.state, 'cache'), { recursive: true });
  writeFileSync(home.config, 'log:\n  level: debug\n');
  writeFileSync(join(home.memory, 'MEMORY.md'), 'tea at five ☕');
  writeFileSync(join(home.memory, 'deep', 'n'.repeat(120), 'x.md'), 'far below');
  writeFileSync(join(home.memory, 'empty.md'), '');
  writeFileSync(join(home.state, 'master.key'), 'k'.repeat(32), { mode: 0o600 });
  for (const name of ['index.db', 'px.pid', 'gateway.json', 'cache/x']) writeFileSync(join(home.state, name), 'x');
  symlinkSync('/etc/passwd', join(home.memory, 'link.md'));
  return home;
}
const options = (home: ReturnType<typeof homeAt>) => ({ home, version: '1', file: at('b.tar.zst') });
const tree = (root: string) => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();

/** An archive of these entries, with a manifest that fits them. */
function archive(entries: (Partial<TarEntry> & { path: string; text?: string; type?: string })[]): string {
  const files: Record<string, string> = {};
  const bytes: Uint8Array[] = [];
  const add = (path: string, text: string, kind: 'file' | 'folder', mode: number, type?: string) => {
    const body = new TextEncoder().encode(text);
    const head = tarHeader({ path, kind, size: body.length, mode, at: 0 });
    if (type !== undefined) {
      head[156] = type.charCodeAt(0);
      head.set(new TextEncoder().encode('/etc/passwd'), 157);
      head.fill(32, 148, 156);
      const sum = head.reduce((a, b) => a + b, 0);
      head.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
    }
    bytes.push(head, body, padding(body.length));
    return new Bun.CryptoHasher('sha256').update(body).digest('hex');
  };
  for (const { path, text = '', kind = 'file', mode = 0o644, type } of entries) {
    const sum = add(path, text, kind, mode, type);
    if (kind === 'file') files[path] = sum;
  }
  add(manifestName, JSON.stringify({ format: 1, at: 1, key: true, files }), 'file', 0o600);
  writeFileSync(at('evil.tar.zst'), zstdCompressSync(Buffer.concat([...bytes, tarEnd()])));
  return at('evil.tar.zst');
}
const restoreEvil = (...entries: Parameters<typeof archive>[0]) =>
  restoreHome({ home: homeAt(at('new')), file: archive(entries) });

describe('a backup', () => {
  test('comes back as it was: files, names of any length, what a database held in its log', async () => {
    const home = makeHome();
    const store = openStore(join(home.state, 'px.db'));
    store.db.run('CREATE TABLE t (x)');
    store.db.run("INSERT INTO t VALUES ('in the log')");
    const done = await backUpHome(options(home));
    store.close();
    expect(done.leftOut).toEqual(['memory/link.md']);
    expect(statSync(done.file).mode & 0o777).toBe(0o600);
    expect(readdirSync(home.state).filter((name) => name.startsWith('backup'))).toEqual([]);

    const target = homeAt(at('new'));
    const restored = await restoreHome({ home: target, file: done.file });
    expect(restored).toMatchObject({ files: done.files, moved: '', withKey: true });
    expect(tree(target.memory)).toEqual(tree(home.memory).filter((path) => path !== 'link.md'));
    expect(tree(target.state).sort()).toEqual(['master.key', 'px.db']);
    expect(readFileSync(join(target.memory, 'MEMORY.md'), 'utf8')).toBe('tea at five ☕');
    expect(readFileSync(target.config, 'utf8')).toBe('log:\n  level: debug\n');
    expect(statSync(join(target.state, 'master.key')).mode & 0o777).toBe(0o600);
    const again = openStore(join(target.state, 'px.db'));
    expect(again.db.query('SELECT x FROM t').get()).toEqual({ x: 'in the log' });
    again.close();
  });

  test('is an archive that tar itself reads', async () => {
    const home = makeHome();
    const { file } = await backUpHome(options(home));
    mkdirSync(at('out'));
    const { exitCode, stderr } = Bun.spawnSync(['tar', '-xf', '-', '-C', at('out')], {
      stdin: Bun.zstdDecompressSync(readFileSync(file)),
    });
    expect(stderr.toString()).toBe('');
    expect(exitCode).toBe(0);
    expect(readFileSync(at('out', 'memory/deep', 'n'.repeat(120), 'x.md'), 'utf8')).toBe('far below');
  });

  test('of a journal that is being written ends where an append was complete', async () => {
    const home = makeHome();
    const { openJournal } = await import('../../src/memory/memory.ts');
    const journal = openJournal(home.memory);
    const say = (n: number) => ({
      at: 0,
      kind: 'user' as const,
      sender: { id: 'o', name: 'Ada' },
      channel: 'cli',
      messageId: `m${n}`,
      text: `word ${n} `.repeat(2_000),
    });
    await journal.append('cli/x', [say(0)]);
    let going = true;
    const writing = (async () => {
      for (let n = 1; going; n++) await journal.append('cli/x', [say(n), say(n)]);
    })();
    for (let n = 0; n < 5; n++) {
      const { file } = await backUpHome({ ...options(home), file: at(`b${n}`) });
      const { journals } = await restoreHome({ home: homeAt(at(`new${n}`)), file });
      expect(journals.problems).toEqual([]);
      expect(journals.entries).toBeGreaterThan(0);
    }
    going = false;
    await writing;
  }, 30_000);

  test('without the key says so, and has none', async () => {
    const home = makeHome();
    expect((await backUpHome({ ...options(home), key: false })).withKey).toBe(false);
    expect((await restoreHome({ home: homeAt(at('new')), file: at('b.tar.zst') })).withKey).toBe(false);
    expect(existsSync(at('new/state/master.key'))).toBe(false);
  });

  test('never writes over a file, and leaves none behind when it fails', async () => {
    const home = makeHome();
    writeFileSync(at('b.tar.zst'), 'precious');
    await expect(backUpHome(options(home))).rejects.toMatchObject({ code: 'conflict' });
    await expect(backUpHome({ ...options(home), file: at('no/such/folder/b') })).rejects.toMatchObject({
      code: 'backup.failed',
    });
    writeFileSync(join(home.state, 'px.db'), 'no database at all, but long enough to look like one '.repeat(40));
    await expect(backUpHome({ ...options(home), file: at('c') })).rejects.toMatchObject({ code: 'store.corrupt' });
    expect(readFileSync(at('b.tar.zst'), 'utf8')).toBe('precious');
    expect(readdirSync(folder).filter((name) => /^c|partial/.test(name))).toEqual([]);
  });
});

describe('a sealed backup', () => {
  test('opens with its passphrase only, and shows nothing without', async () => {
    const home = makeHome();
    const done = await backUpHome({ ...options(home), passphrase: 'correct horse' });
    expect(readFileSync(done.file).includes('tea at five')).toBe(false);
    const restore = (passphrase?: string) =>
      restoreHome({ home: homeAt(at('new')), file: done.file, ...(passphrase === undefined ? {} : { passphrase }) });
    await expect(restore()).rejects.toMatchObject({ code: 'usage' });
    await expect(restore('wrong')).rejects.toMatchObject({ code: 'backup.invalid' });
    expect((await restore('correct horse')).files).toBe(done.files);
  }, 30_000);

  test('notices each changed, moved, missing or added piece', async () => {
    const plain = crypto.getRandomValues(new Uint8Array(65_000));
    const all = Buffer.concat([plain, plain, plain]);
    const sealed = Buffer.concat(await Array.fromAsync(sealStream(feed(all), 'p')));
    const opened = async (bytes: Uint8Array) => Buffer.concat(await Array.fromAsync(openStream(feed(bytes), 'p')));
    expect((await opened(sealed)).equals(all)).toBe(true);
    const head = 36;
    const piece = 65_536 + 16;
    const swapped = Buffer.concat([
      sealed.subarray(0, head),
      sealed.subarray(head + piece, head + 2 * piece),
      sealed.subarray(head, head + piece),
      sealed.subarray(head + 2 * piece),
    ]);
    const flipped = Buffer.from(sealed);
    flipped[head + 100] = (flipped[head + 100] ?? 0) ^ 1;
    const salted = Buffer.from(sealed);
    salted[20] = (salted[20] ?? 0) ^ 1;
    for (const bad of [
      swapped,
      flipped,
      salted,
      sealed.subarray(0, head + piece),
      sealed.subarray(0, -1),
      sealed.subarray(0, 20),
      Buffer.concat([sealed, plain]),
    ])
      await expect(opened(bad)).rejects.toMatchObject({ code: 'backup.invalid' });
  }, 30_000);

  async function* feed(bytes: Uint8Array) {
    for (let i = 0; i < bytes.length; i += 10_007) yield bytes.subarray(i, i + 10_007);
  }
});

describe('a restore', () => {
  test('refuses names that lead anywhere but into a home', async () => {
    for (const path of [
      '../evil',
      'memory/../../evil',
      '/etc/evil',
      'memory//x',
      './memory/x',
      'memory/..',
      'bin/px',
      '.bashrc',
      'px.yaml/x',
      'memory\\..\\x',
      `memory/${'a/'.repeat(60)}../../x`,
    ]) {
      await expect(restoreEvil({ path, text: 'x' })).rejects.toMatchObject({ code: 'backup.invalid' });
    }
    await restoreEvil({ path: 'memory/fine.md', text: 'x' });
    expect(tree(folder)).toEqual(['evil.tar.zst', 'new', 'new/memory', 'new/memory/fine.md']);
  });

  test('refuses links, devices and what comes twice; rights that are too wide are taken away', async () => {
    for (const type of ['1', '2', '3', '4', '6', '7', 'L', 'g', 'S'])
      await expect(restoreEvil({ path: 'memory/x', type })).rejects.toMatchObject({ code: 'backup.invalid' });
    await expect(restoreEvil({ path: 'memory/x', text: '1' }, { path: 'memory/x', text: '2' })).rejects.toMatchObject({
      code: 'backup.invalid',
    });
    await restoreEvil({ path: 'state/token', text: 'x', mode: 0o4777 }, { path: 'memory/x', mode: 0o777 });
    expect(statSync(at('new/state/token')).mode & 0o7777).toBe(0o700);
    expect(statSync(at('new/memory/x')).mode & 0o7777).toBe(0o755);
  });

  test('refuses what is damaged, cut off, or no backup, and leaves nothing behind', async () => {
    const home = makeHome();
    writeFileSync(join(home.memory, 'noise.md'), crypto.getRandomValues(new Uint8Array(60_000)));
    const { file } = await backUpHome(options(home));
    const good = readFileSync(file);
    const flipped = Buffer.from(good);
    flipped[30_000] = (flipped[30_000] ?? 0) ^ 1;
    const bare = (parts: Uint8Array[]) => zstdCompressSync(Buffer.concat([...parts, tarEnd()]));
    for (const bad of [
      flipped,
      good.subarray(0, good.length / 2),
      Buffer.from('hello'),
      Buffer.alloc(0),
      bare([]),
      bare([tarHeader({ path: 'memory', kind: 'folder', size: 0, mode: 0o700, at: 0 })]),
    ]) {
      writeFileSync(at('bad'), bad);
      expect(await restoreHome({ home: homeAt(at('new')), file: at('bad') }).catch((e: unknown) => e)).toMatchObject({
        code: 'backup.invalid',
      });
    }
    expect(readdirSync(folder).sort()).toEqual(['b.tar.zst', 'bad', 'home']);
  });

  test('leaves a home alone unless told to, and then moves it aside', async () => {
    const home = makeHome();
    const { file } = await backUpHome(options(home));
    writeFileSync(join(home.memory, 'MEMORY.md'), 'newer');
    await expect(restoreHome({ home, file })).rejects.toMatchObject({ code: 'conflict' });
    const { moved } = await restoreHome({ home, file, force: true });
    expect(readFileSync(join(home.memory, 'MEMORY.md'), 'utf8')).toBe('tea at five ☕');
    expect(readFileSync(join(moved, 'memory/MEMORY.md'), 'utf8')).toBe('newer');
  });

  test('never touches a home that a px holds, nor one that px itself or the backup stands in', async () => {
    const home = makeHome();
    const { file } = await backUpHome(options(home));
    const lock = lockHome(home);
    expect(await restoreHome({ home, file, force: true }).catch((e: unknown) => e)).toMatchObject({
      code: 'store.locked',
    });
    lock.release();
    const executable = join(home.root, 'px');
    await expect(restoreHome({ home, file, force: true, executable })).rejects.toMatchObject({ code: 'conflict' });
    expect(readFileSync(join(home.memory, 'MEMORY.md'), 'utf8')).toBe('tea at five ☕');
  });
});

test('an archive is read back whatever the pieces it comes in', async () => {
  const bytes = Buffer.concat([
    tarHeader({ path: 'memory/a', kind: 'file', size: 3, mode: 0o600, at: 5_000 }),
    Buffer.from('abc'),
    padding(3),
    tarEnd(),
  ]);
  for (const size of [1, 7, 512, 100_000]) {
    const source = (async function* () {
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
    })();
    const seen: string[] = [];
    for await (const part of readTar(source))
      seen.push(`${part.path} ${part.at} ${Buffer.concat(await Array.fromAsync(part.bytes()))}`);
    expect(seen).toEqual(['memory/a 5000 abc']);
  }
});
