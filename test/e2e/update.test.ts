import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { newKeys, signPlugin } from '../../src/plugin/plugin.ts';
import { FakeSystemd } from '../service/systemctl.ts';
import { binary, notBuilt, Px } from './px.ts';

const root = resolve(import.meta.dir, '../..');
let folder: string;
let keys: Awaited<ReturnType<typeof newKeys>>;
/** The whole of px under another version, one that passes every trial, changes px.db and does not serve, and one that does not start. */
let newer: string;
let broken: string;
let dead: string;

/** Compiles a program as scripts/build does. */
async function compile(cwd: string, main: string, out: string, trusted?: string): Promise<void> {
  const flags = ['--compile', '--minify', '--splitting', '--bytecode', '--format=esm'];
  if (trusted !== undefined) flags.push('--define', `PX_RELEASE_KEYS="${trusted}"`);
  const child = Bun.spawn([process.execPath, 'build', ...flags, main, '--outfile', out], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(said);
}

async function sign(file: string, key = keys.privateKey, what: 'release' | 'plugin' = 'release'): Promise<void> {
  writeFileSync(`${file}.sig`, await signPlugin(await Bun.file(file).bytes(), key, what));
}

beforeAll(async () => {
  if (notBuilt !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'px-update-'));
  keys = await newKeys();
  const tree = join(folder, 'tree');
  await Bun.$`mkdir ${tree}`.quiet();
  for (const name of readdirSync(root))
    if (!['package.json', '.git', 'dist', 'test'].includes(name)) symlinkSync(join(root, name), join(tree, name));
  rmSync(join(tree, 'src'));
  await Bun.$`cp -r ${join(root, 'src')} ${join(tree, 'src')}`.quiet();
  const manifest: object = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(tree, 'package.json'), JSON.stringify({ ...manifest, version: '9.9.9' }));
  newer = join(folder, 'px-newer');
  // As scripts/release does: built with the key that it is signed with.
  const keyFile = join(folder, 'release.key');
  writeFileSync(keyFile, keys.privateKey);
  const signing = join(root, 'scripts/sign-release.ts');
  const trusted = (await Bun.$`${process.execPath} ${signing} --public ${keyFile}`.text()).trim();
  expect(trusted).toBe(keys.publicKey);
  await compile(tree, 'src/main.ts', newer, trusted);
  await Bun.$`${process.execPath} ${signing} ${keyFile} ${newer}`;

  broken = join(folder, 'px-broken');
  const lies = join(folder, 'lies.ts');
  writeFileSync(
    lies,
    `const words = process.argv.slice(2);
     if (words.includes('serve')) {
       const db = new (require('bun:sqlite').Database)(words[words.indexOf('--home') + 1] + '/state/px.db');
       db.run('UPDATE px_schema SET version = version + 100');
       console.error('I do not serve');
       process.exit(3);
     }
     console.log(words.includes('doctor') ? '{"checks":[]}' : '9.9.8');`,
  );
  await compile(folder, lies, broken);
  dead = join(folder, 'px-dead');
  copyFileSync('/bin/false', dead);
  for (const file of [broken, dead]) await sign(file);
}, 120_000);
afterAll(() => folder && rmSync(folder, { recursive: true, force: true }));

/** A px of its own, at a place where it can be replaced. */
function installed(systemd?: FakeSystemd) {
  const place = mkdtempSync(join(tmpdir(), 'px-installed-'));
  const executable = join(place, 'px');
  copyFileSync(binary, executable);
  const px = new Px({
    command: [executable],
    config: {
      gateway: { port: 0 },
      model: { default: 'offline/px' },
      update: { keys: [`${keys.publicKey} the makers`] },
    },
    ...(systemd ? { env: systemd.env } : {}),
  });
  const version = async () => (await px.run('--version')).stdout.trim();
  const status = async () => JSON.parse((await px.run('status', '--json')).stdout) as { version: string; pid: number };
  return {
    ...{ px, executable, place, version, status },
    async [Symbol.asyncDispose]() {
      await px[Symbol.asyncDispose]();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

describe.skipIf(notBuilt !== undefined)('px update', () => {
  test('takes a signed px, serves it over http too, and goes back', async () => {
    await using one = installed();
    const { px, executable } = one;
    const before = await one.version();
    const checked = await px.run('update', newer, '--check');
    expect(checked.stderr).toBe('');
    expect(checked.stdout).toContain('px 9.9.9, signed by the makers, works here.');
    expect(await one.version()).toBe(before);
    expect(readdirSync(one.place)).toEqual(['px']);

    using server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === '/px') return new Response(Bun.file(newer));
        return pathname === '/px.sig' ? new Response(Bun.file(`${newer}.sig`)) : new Response('', { status: 404 });
      },
    });
    const done = await px.run('update', `http://127.0.0.1:${server.port}/px`);
    expect(done.stderr).toBe('');
    expect(await one.version()).toBe('9.9.9');
    expect(readFileSync(`${executable}.old`).equals(readFileSync(binary))).toBe(true);
    expect(statSync(executable).mode & 0o777).toBe(0o755);
    // That one trusts the key it was built with, and says so.
    await px.run('config', 'set', 'update.keys', '[]');
    const again = await px.run('update', newer);
    expect(again.stderr).toContain('is px 9.9.9, and this is px 9.9.9');
    expect((await px.run('update', newer, '--check', '--force')).stdout).toContain(
      'signed by the key px was built with',
    );
    expect((await px.run('update', '--rollback')).code).toBe(0);
    expect(await one.version()).toBe(before);
    expect((await px.run('update', '--rollback')).code).toBe(1);
  }, 120_000);

  test('runs nothing that is unsigned, signed by others, signed as a plugin, or changed afterwards', async () => {
    await using one = installed();
    // A program that would leave a trace if a single byte of it ran.
    const trace = join(folder, 'trace');
    const spy = join(folder, 'px-spy');
    const source = join(folder, 'spy.ts');
    writeFileSync(source, `require('node:fs').writeFileSync(${JSON.stringify(trace)}, 'ran');`);
    await compile(folder, source, spy);
    const refuse = async (why: string) => {
      const refused = await one.px.run('update', spy);
      expect(refused.stderr).toContain(why);
      expect(refused.code).toBe(1);
      expect(existsSync(trace)).toBe(false);
      expect(readdirSync(one.place)).toEqual(['px']);
    };
    await refuse('is not signed by anybody px trusts');
    await sign(spy, (await newKeys()).privateKey);
    await refuse('is not signed by anybody px trusts');
    await sign(spy, keys.privateKey, 'plugin');
    await refuse('is not of this file');
    await sign(dead);
    copyFileSync(`${dead}.sig`, `${spy}.sig`);
    await refuse('is not of this file');
    await one.px.run('config', 'set', 'update.keys', '[]');
    await refuse('px trusts nobody');
    expect((await one.px.run('update')).stderr).toContain('no address to update from');
  }, 120_000);

  test('is not taken in by what is no px, or for another machine', async () => {
    await using one = installed();
    expect((await one.px.run('update', dead)).stderr).toContain('does not start');
    const script = join(folder, 'px-script');
    writeFileSync(script, '#!/bin/sh\necho 9.9.9\n');
    const arm = join(folder, 'px-arm');
    const bytes = readFileSync(dead);
    bytes.writeUInt16LE(process.arch === 'arm64' ? 0x3e : 0xb7, 18);
    writeFileSync(arm, bytes);
    for (const [file, why] of [
      [script, 'is for no machine px knows'],
      [arm, `is for linux-${process.arch === 'arm64' ? 'x64' : 'arm64'}`],
    ] as const) {
      await sign(file);
      expect((await one.px.run('update', file)).stderr).toContain(why);
    }
    expect(readdirSync(one.place)).toEqual(['px']);
  }, 60_000);

  test('starts the service with the new one; one that does not serve is taken back, and px.db with it', async () => {
    await using systemd = new FakeSystemd();
    await using one = installed(systemd);
    const { px } = one;
    await px.pipe('a secret', 'secret', 'set', 'KEPT');
    expect((await px.run('service', 'install')).stderr).toBe('');
    const first = await one.status();
    const bad = await px.run('update', broken);
    expect(bad.stderr).toContain('px 9.9.8 did not get ready');
    expect(bad.stderr).toContain(`px ${first.version} is back and runs, with px.db as it was before`);
    expect((await px.run('secret', 'list')).stdout).toContain('KEPT');
    expect(bad.code).toBe(1);
    const back = await one.status();
    expect(back.version).toBe(first.version);
    expect(back.pid).not.toBe(first.pid);
    expect(readFileSync(one.executable).equals(readFileSync(binary))).toBe(true);

    const good = await px.run('update', newer);
    expect(good.stderr).toBe('');
    expect(good.stdout).toContain('The service runs with it, and is ready.');
    expect((await one.status()).version).toBe('9.9.9');
    expect((await px.run('update', '--rollback')).stdout).toContain('The service runs with it.');
    expect((await one.status()).version).toBe(first.version);
  }, 120_000);

  test('names a px that runs by hand instead of ending it', async () => {
    await using one = installed();
    await one.px.serve();
    expect((await one.px.run('update', newer)).stdout).toContain(`px runs as process ${one.px.pid}`);
    expect((await one.status()).pid).toBe(one.px.pid);
  }, 60_000);
});
