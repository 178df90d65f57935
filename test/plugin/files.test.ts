import { describe, expect, test } from 'bun:test';
import {
  existsSync,
  linkSync,
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
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { defaultPlugin, type PluginConfig } from '../../src/config/config.ts';
import { createFiles } from '../../src/plugin/files/files.ts';
import { openHome } from './home.ts';

/** A granted folder beside a home of px and a file outside, and the file calls of a plugin that is granted it. */
function place(rule = 'write', limits: Partial<PluginConfig['limits']> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'px-files-'));
  const at = (...parts: string[]) => join(root, ...parts);
  for (const folder of ['work', 'home', 'home/state']) mkdirSync(at(folder));
  writeFileSync(at('outside.txt'), 'the secret outside');
  writeFileSync(at('home/px.yaml'), 'the secret of px');
  const config = defaultPlugin();
  config.grants.files = { work: `${rule} ${at('work')}` };
  config.limits = { ...config.limits, ...limits };
  const files = createFiles({ config: () => config, home: at('home'), userHome: root });
  return {
    at,
    config,
    files,
    text: async (path: string) => new TextDecoder().decode(await files.read(path, 0, 1e6)),
    put: (path: string, content: string) => files.write(path, new TextEncoder().encode(content)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}
const said = (work: Promise<unknown>) =>
  work.then(
    (value) => `answered ${JSON.stringify(value)}`,
    (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)),
  );

/** What each of these calls came to. */
const allSaid = (...calls: Promise<unknown>[]) => Promise.all(calls.map(said));

describe('a granted folder', () => {
  test('is listed, read, written whole, and what is in it deleted', async () => {
    using w = place();
    await w.put('work/a/b/note.txt', 'héllo');
    expect(readFileSync(w.at('work/a/b/note.txt'), 'utf8')).toBe('héllo');
    expect(await w.text('work/a/b/note.txt')).toBe('héllo');
    expect(await w.files.read('work/a/b/note.txt', 3, 2)).toEqual(new TextEncoder().encode('ll'));
    expect(await w.files.read('work/a/b/note.txt', 99, 2)).toHaveLength(0);
    expect((await w.files.list('')).map(({ name, kind }) => [name, kind])).toEqual([['work', 'folder']]);
    expect(await w.files.list('work/a/b/')).toMatchObject([{ name: 'note.txt', kind: 'file', size: 6 }]);
    expect(await w.files.stat('work/a')).toMatchObject({ name: 'a', kind: 'folder' });
    expect(await said(w.files.delete('work/a'))).toContain('not empty');
    await w.files.delete('work/a/b/note.txt');
    await w.files.delete('work/a/b');
    expect(await w.files.list('work/a')).toEqual([]);
    expect(await said(w.files.stat('work/a/b'))).toStartWith('not-found:');
    expect(readdirSync(w.at('work'))).toEqual(['a']);
  });

  test('is made when it is missing and may be written; a file keeps its rights', async () => {
    using w = place();
    w.config.grants.files = {
      fresh: `write ${w.at('fresh')}`,
      tilde: 'write ~/tilde',
      missing: `read ${w.at('missing')}`,
    };
    await w.put('fresh/x', '1');
    await w.put('tilde/x', '1');
    expect(statSync(w.at('fresh')).mode & 0o777).toBe(0o700);
    expect(existsSync(w.at('tilde/x'))).toBe(true);
    expect(await said(w.files.list('missing'))).toStartWith('not-found:');
    writeFileSync(w.at('fresh/run.sh'), 'old', { mode: 0o750 });
    await w.put('fresh/run.sh', 'new');
    expect(statSync(w.at('fresh/run.sh')).mode & 0o777).toBe(0o750);
  });

  test('that may only be read is not changed; one that is not granted, or no longer, is not there', async () => {
    using w = place('read');
    writeFileSync(w.at('work/a'), 'x');
    expect(await w.text('work/a')).toBe('x');
    for (const answer of await allSaid(w.put('work/a', 'y'), w.put('work/new/b', 'y'), w.files.delete('work/a')))
      expect(answer).toBe('denied: work may be read and not changed');
    expect(readdirSync(w.at('work'))).toEqual(['a']);
    for (const name of ['other', '__proto__', 'constructor'])
      expect(await said(w.files.read(`${name}/a`, 0, 1))).toStartWith('denied: no folder');
    w.config.grants.files = {};
    expect(await said(w.files.read('work/a', 0, 1))).toStartWith('denied: no folder');
  });
});

describe('no way out of a granted folder', () => {
  test('by the path: `..`, absolute, empty, hidden, control characters, too long', async () => {
    using w = place();
    mkdirSync(w.at('work/.git'));
    writeFileSync(w.at('work/.git/config'), 'x');
    const bad = [
      'work/../outside.txt',
      '../outside.txt',
      '..',
      '.',
      'work/..',
      'work/./a',
      '/etc/passwd',
      `${w.at('outside.txt')}`,
      'work//a',
    ];
    bad.push(
      'work/.git/config',
      'work/.env',
      'work/a\0b',
      'work/a\nb',
      'work/\ud800',
      `work/${'x'.repeat(300)}`,
      `work/${'a/'.repeat(40)}b`,
    );
    for (const path of bad) {
      for (const answer of await allSaid(
        w.files.read(path, 0, 9),
        w.files.list(path),
        w.files.stat(path),
        w.put(path, 'mine'),
        w.files.delete(path),
      ))
        expect([path, answer]).toEqual([path, expect.stringMatching(/^(invalid|denied):/)]);
    }
    expect(await w.files.list('work')).toEqual([]);
    expect(readdirSync(w.at()).sort()).toEqual(['home', 'outside.txt', 'work']);
    // A backslash, a colon and `~` are letters of a name like any other.
    await w.put('work/~/a\\b:c', 'x');
    expect(readdirSync(w.at('work/~'))).toEqual(['a\\b:c']);
  });

  test('by a link: at the end, in the middle, dangling, to another granted file', async () => {
    using w = place();
    mkdirSync(w.at('beside'));
    writeFileSync(w.at('work/plain'), 'plain');
    symlinkSync(w.at('outside.txt'), w.at('work/file'));
    symlinkSync(w.at(), w.at('work/up'));
    symlinkSync(w.at('beside'), w.at('work/dir'));
    symlinkSync(w.at('nothing-yet'), w.at('work/dangling'));
    symlinkSync('plain', w.at('work/near'));
    symlinkSync('/proc/self/environ', w.at('work/env'));
    for (const path of [
      'work/file',
      'work/up/outside.txt',
      'work/dangling',
      'work/near',
      'work/env',
      'work/up',
      'work/dir/x',
    ]) {
      expect(await said(w.files.read(path, 0, 99))).toMatch(/^(denied|not-found)/);
      expect(await said(w.put(path, 'mine'))).toStartWith('denied');
      expect(await said(w.files.delete(path))).toMatch(/^denied/);
    }
    for (const path of ['work/up', 'work/dir', 'work/up/home'])
      expect(await said(w.files.list(path))).toStartWith('denied');
    expect((await w.files.list('work')).filter(({ kind }) => kind === 'other')).toHaveLength(6);
    expect(readFileSync(w.at('outside.txt'), 'utf8')).toBe('the secret outside');
    expect(readdirSync(w.at('beside'))).toEqual([]);
    expect(existsSync(w.at('nothing-yet'))).toBe(false);
  });

  test('by a second name: a hard link is neither read nor changed', async () => {
    using w = place();
    linkSync(w.at('outside.txt'), w.at('work/twin'));
    for (const answer of await allSaid(
      w.files.read('work/twin', 0, 9),
      w.put('work/twin', 'mine'),
      w.files.delete('work/twin'),
    ))
      expect(answer).toContain('hard links');
    expect(await w.files.stat('work/twin')).toMatchObject({ kind: 'other', size: 0 });
    expect(readFileSync(w.at('outside.txt'), 'utf8')).toBe('the secret outside');
  });

  test('pipes, sockets and devices are refused at once, nobody waits', async () => {
    using w = place();
    Bun.spawnSync(['mkfifo', w.at('work/pipe')]);
    using _ = {
      server: Bun.listen({ unix: w.at('work/socket'), socket: { data() {} } }),
      [Symbol.dispose]() {
        this.server.stop();
      },
    };
    const begun = performance.now();
    for (const name of ['pipe', 'socket'])
      for (const answer of await allSaid(
        w.files.read(`work/${name}`, 0, 9),
        w.put(`work/${name}`, 'mine'),
        w.files.delete(`work/${name}`),
      ))
        expect(answer).toContain('pipe, socket or device');
    expect(performance.now() - begun).toBeLessThan(5_000);
    w.config.grants.files = { dev: 'read /dev' };
    for (const name of ['zero', 'null'])
      expect(await said(w.files.read(`dev/${name}`, 0, 9))).toContain('pipe, socket or device');
  });

  test("into px's own home: not granted itself, nor what holds it, nor through a link", async () => {
    using w = place();
    symlinkSync(w.at('home'), w.at('innocent'));
    for (const path of [
      w.at('home'),
      w.at('home/state'),
      w.at(),
      '/',
      w.at('innocent'),
      w.at('innocent/state'),
      `${w.at('work')}/../home`,
    ]) {
      w.config.grants.files = { own: `read ${path}` };
      for (const answer of await allSaid(
        w.files.read('own/px.yaml', 0, 9),
        w.files.list('own'),
        w.files.list('own/home'),
        w.files.stat('own'),
      ))
        expect([path, answer]).toEqual([path, expect.stringMatching(/px's own home|no rule for a folder/)]);
    }
  });

  test("of a folder that is to be made nothing is made in px's own home, also through a link", async () => {
    using w = place();
    symlinkSync(w.at('home'), w.at('innocent'));
    for (const path of [w.at('home/new'), w.at('innocent/new')]) {
      w.config.grants.files = { own: `write ${path}` };
      expect(await said(w.put('own/a', 'mine'))).toMatch(/^(denied|not-found):/);
    }
    expect(readdirSync(w.at('home')).sort()).toEqual(['px.yaml', 'state']);
  });

  test('by a name that is swapped while it is used: a folder and a link to outside change places all the time', async () => {
    using w = place();
    for (const [folder, content] of [
      ['work/d', 'inside'],
      ['out', 'the secret outside'],
    ] as const) {
      mkdirSync(w.at(folder));
      writeFileSync(w.at(folder, 'f'), content);
    }
    const swap = `const { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } = require('node:fs');
      const [d, f, out] = process.argv.slice(1);
      const attempt = (work) => { try { work(); } catch {} };
      process.stdout.write('go');
      for (;;) {
        attempt(() => rmSync(d, { recursive: true, force: true }));
        attempt(() => symlinkSync(out, d));
        attempt(() => unlinkSync(f));
        attempt(() => symlinkSync(out + '/f', f));
        attempt(() => unlinkSync(d));
        attempt(() => mkdirSync(d));
        attempt(() => writeFileSync(d + '/f', 'inside', { flag: 'wx' }));
        attempt(() => unlinkSync(f));
        attempt(() => writeFileSync(f, 'inside', { flag: 'wx' }));
      }`;
    const swapper = Bun.spawn([process.execPath, '-e', swap, w.at('work/d'), w.at('work/g'), w.at('out')], {
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const reader = swapper.stdout.getReader();
    await reader.read();
    const outcomes = { inside: 0, refused: 0 };
    const ends = Date.now() + 3_000;
    while (Date.now() < ends) {
      const calls: Promise<unknown>[] = [
        w.text('work/d/f'),
        w.text('work/g'),
        w.put('work/d/f', 'inside'),
        w.put('work/g', 'inside'),
        w.put('work/d/new', 'x'),
      ];
      calls.push(
        w.files.delete('work/d/new'),
        w.files.list('work/d').then((all) => all.map(({ name }) => name).join()),
      );
      for (const answer of await Promise.all(calls.map(said))) {
        expect(answer).not.toContain('secret');
        if (answer.startsWith('answered')) outcomes.inside++;
        else outcomes.refused++;
      }
    }
    swapper.kill();
    await swapper.exited;
    expect(readFileSync(w.at('out/f'), 'utf8')).toBe('the secret outside');
    expect(readdirSync(w.at('out'))).toEqual(['f']);
    // Both have happened, so that it was a race.
    expect(outcomes.inside).toBeGreaterThan(20);
    expect(outcomes.refused).toBeGreaterThan(20);
  }, 30_000);
});

describe('how much', () => {
  test('a file and a call take is bounded', async () => {
    using w = place('write', { file_bytes: 2048 });
    expect(await said(w.put('work/a', 'x'.repeat(2049)))).toStartWith('too-large: 2049 bytes');
    writeFileSync(w.at('work/big'), 'y'.repeat(10_000));
    expect(await said(w.files.read('work/big', 0, 10_000))).toStartWith('too-large');
    expect(await w.files.read('work/big', 9_000, 2_000)).toHaveLength(1_000);
    // A file that says it has no end is no file with an end.
    Bun.spawnSync(['truncate', '-s', '1T', w.at('work/sparse')]);
    expect(await said(w.files.read('work/sparse', 0, 4_000_000_000))).toStartWith('too-large');
  });

  test('a folder holds is bounded: in files, folders and bytes; what is deleted makes room', async () => {
    using w = place('write', { folder_files: 3, folder_bytes: 4096 });
    writeFileSync(w.at('work/theirs'), 'x'.repeat(1000));
    await w.put('work/dir/one', 'x');
    expect(await said(w.put('work/two', 'x'))).toContain('limits.folder_files');
    expect(await said(w.put('work/other/two', 'x'))).toContain('limits.folder_files');
    expect(readdirSync(w.at('work')).sort()).toEqual(['dir', 'theirs']);
    expect(await said(w.put('work/dir/one', 'x'.repeat(4000)))).toContain('limits.folder_bytes');
    await w.put('work/theirs', 'short');
    await w.put('work/dir/one', 'x'.repeat(4000));
    await w.files.delete('work/theirs');
    await w.put('work/two', 'x');
  });
});

/** `peek(path)` and `put(path, text)` of a component: what `file-read` and `file-write` give. */
async function reader(): Promise<Uint8Array> {
  const wit = `package demo:reader;
world reader {
  import project-x:core/host-api@0.1.0;
  export peek: func(path: string) -> result<list<u8>, string>;
  export put: func(path: string, text: list<u8>) -> result<_, string>;
  export size: func(path: string) -> result<u64, string>;
}`;
  const core = await parse(`(module
  (import "project-x:core/host-api@0.1.0" "file-read" (func $read (param i32 i32 i64 i32 i32)))
  (import "project-x:core/host-api@0.1.0" "file-write" (func $write (param i32 i32 i32 i32 i32)))
  (import "project-x:core/host-api@0.1.0" "file-stat" (func $stat (param i32 i32 i32)))
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "peek") (param i32 i32) (result i32)
    (call $read (local.get 0) (local.get 1) (i64.const 0) (i32.const 1000) (i32.const 64)) (i32.const 64))
  (func (export "put") (param i32 i32 i32 i32) (result i32)
    (call $write (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 64)) (i32.const 64))
  (func (export "size") (param i32 i32) (result i32)
    (call $stat (local.get 0) (local.get 1) (i32.const 128))
    (i32.store8 (i32.const 64) (i32.load8_u (i32.const 128)))
    (if (i32.load8_u (i32.const 128)) (then (i64.store (i32.const 72) (i64.load (i32.const 136))) )
      (else (i64.store (i32.const 72) (i64.load (i32.const 152)))))
    (i32.const 64)))`);
  const contract = await Bun.file(join(import.meta.dir, '../../wit/core.wit')).text();
  const host = contract.slice(contract.indexOf('interface host-api'), contract.indexOf('interface messaging-types'));
  const witSource = `${wit}\npackage project-x:core@0.1.0 { ${host} }`;
  return componentNew(await componentEmbed({ binary: core, witSource, world: 'demo:reader/reader' }), []);
}

describe('plugins', () => {
  const script = `import { fileDelete, fileList, fileRead, fileReadText, fileStat, fileWrite } from 'px';
    export const manifest = { name: 'notes', version: '1', description: '', files: { work: 'write ~/notes' } };
    export const list = (path) => fileList(path);
    export const read = (path) => fileReadText(path);
    export const part = (path, offset, length) => fileRead(path, { offset, length });
    export const write = (path, text) => fileWrite(path, text);
    export const stat = (path) => fileStat(path);
    export const remove = (path) => fileDelete(path);`;

  test('a script and a component reach the folder that is granted, and only as long as it is', async () => {
    using w = place();
    const grants = { files: { work: `write ${w.at('work')}` } };
    await using home = await openHome({ plugins: { notes: { grants }, reader: { grants } } });
    const info = await home.plugins.add(home.file('notes.js', script));
    await home.plugins.add(home.file('reader.wasm', await reader()), { name: 'reader' });
    expect(info.asks).toMatchObject([{ kind: 'folder', granted: true, rule: 'folder work write ~/notes' }]);
    const call = (fn: string, ...args: (string | number)[]) => home.plugins.call('notes', fn, args);
    const peek = (path: string) => said(home.plugins.call('reader', 'peek', [path]));
    await call('write', 'work/a/n.txt', 'schön');
    expect(await call('read', 'work/a/n.txt')).toBe('schön');
    expect(await call('part', 'work/a/n.txt', 0, 3)).toBe(btoa('sch'));
    expect(await call('list', 'work/a')).toMatchObject([{ name: 'n.txt', kind: 'file', size: 6 }]);
    expect(await call('stat', 'work/a')).toMatchObject({ kind: 'folder' });
    expect(await peek('work/a/n.txt')).toBe(`answered "${Buffer.from('schön').toString('base64')}"`);
    expect(await home.plugins.call('reader', 'size', ['work/a/n.txt'])).toBe(6);
    await home.plugins.call('reader', 'put', ['work/c', btoa('by a component')]);
    expect(readFileSync(w.at('work/c'), 'utf8')).toBe('by a component');
    expect(await peek('work/../outside.txt')).toStartWith('invalid:');
    expect(await said(call('read', 'work/../outside.txt'))).toContain('invalid:');
    expect(home.events).toContainEqual(expect.objectContaining({ type: 'plugin.denied', capability: 'file-read' }));
    await call('remove', 'work/a/n.txt');
    home.configure({ plugins: { notes: { grants: { files: { work: `read ${w.at('work')}` } } } } });
    expect(await said(call('write', 'work/b', 'x'))).toContain('may be read and not changed');
    expect(await peek('work/c')).toStartWith('denied: no folder');
  }, 30_000);

  test('a mebibyte goes there and back', async () => {
    using w = place();
    const copy = `import { fileRead, fileWrite } from 'px';
      export const copy = () => { const all = fileRead('work/large'); fileWrite('work/copied', all); return all.length; };`;
    await using home = await openHome({ plugins: { copy: { grants: { files: { work: `write ${w.at('work')}` } } } } });
    writeFileSync(w.at('work/large'), Buffer.alloc(1_048_576, 7));
    await home.plugins.add(home.file('copy.js', copy));
    expect(await home.plugins.call('copy', 'copy', [])).toBe(1_048_576);
    expect(readFileSync(w.at('work/copied')).equals(readFileSync(w.at('work/large')))).toBe(true);
  }, 30_000);
});
