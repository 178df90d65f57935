import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { component, plain } from '../plugin/component.ts';
import { dummyComponent } from '../wit/component.ts';
import { px } from './px.ts';

test('without a terminal a plugin gets what the flags say, and an update that asks for more stops', async () => {
  const root = mkdtempSync(join(tmpdir(), 'px-cli-'));
  const home = join(root, 'home');
  const file = join(root, 'weather.js');
  const write = (version: string, ...egress: string[]) =>
    writeFileSync(
      file,
      `export const manifest = { name: 'weather', version: '${version}', egress: ${JSON.stringify(egress)} };
       export function name() { return '${version}'; }`,
    );
  const run = (...words: string[]) => px(['plugin', ...words, '--home', home]);
  const config = () => readFileSync(join(home, 'px.yaml'), 'utf8');
  try {
    write('1.0', 'GET https://api.example.com/');
    const added = await run('add', file);
    expect(added.code).toBe(0);
    expect(added.stdout).toContain('not granted  make GET requests to https://api.example.com');
    expect(config()).not.toContain('api.example.com');
    expect((await run('grant', 'weather', 'egress GET https://api.example.com/')).stdout).toStartWith('granted ');
    expect(config()).toContain('- GET https://api.example.com/');

    write('1.1', 'GET https://api.example.com/', '* https://*/');
    const stopped = await run('update', 'weather');
    expect([stopped.code, stopped.stdout]).toEqual([1, '']);
    expect(stopped.stderr).toContain('make any requests to any https host of the internet');
    expect(stopped.stderr).toContain('px plugin update weather --yes');
    expect((await run('call', 'weather', 'name')).stdout).toBe('"1.0"\n');
    expect((await run('update', 'weather', '--grant', 'none')).stdout).toBe('weather 1.0 → 1.1\n');
    expect(config()).not.toContain('https://*/');
    expect((await run('update', '--all')).stdout).toBe('weather 1.1 is what its source has.\n');
    write('1.1', 'GET https://api.example.com/');
    expect((await run('update', 'weather')).stdout).toBe('weather 1.1 is another file now, of the same version.\n');
    expect((await run('update')).code).toBe(2);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}, 60_000);

test('an author packs and signs, and who trusts the key is told whose it is', async () => {
  const root = mkdtempSync(join(tmpdir(), 'px-cli-'));
  const at = (name: string) => join(root, name);
  const run = (...words: string[]) => px(['plugin', ...words, '--home', at('home')]);
  try {
    writeFileSync(at('sums.wasm'), await component(plain));
    writeFileSync(at('plugin.yaml'), 'name: sums\nversion: 2.0.0\nlimits: { memory_mb: 100 }\n');
    expect((await run('pack', at('sums.wasm'), '--manifest', at('plugin.yaml'))).code).toBe(0);
    const { publicKey } = JSON.parse((await run('keygen', at('px.key'), '--json')).stdout);
    expect((await run('keygen', at('px.key'))).code).toBe(1);
    expect((await run('sign', at('sums.wasm'), '--key', at('px.key'))).code).toBe(0);
    await px(['config', 'set', 'trust.keys', JSON.stringify([`${publicKey} Ada`]), '--home', at('home')]);
    await px(['config', 'set', 'trust.require', 'true', '--home', at('home')]);
    const added = await run('add', at('sums.wasm'), '--yes', '--json');
    expect(JSON.parse(added.stdout)).toMatchObject({ name: 'sums', version: '2.0.0', signedBy: 'Ada' });
    expect(JSON.parse(added.stdout).asks).toMatchObject([{ rule: 'limit memory_mb 100', granted: true }]);
    writeFileSync(at('other.wasm'), await component(plain));
    const refused = await run('add', at('other.wasm'));
    expect([refused.code, refused.stderr.includes('it is not signed')]).toEqual([1, true]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}, 60_000);

test('one long signature pushes nothing away, a list of a choice has brackets, and a function is found by its last part or two', async () => {
  const root = mkdtempSync(join(tmpdir(), 'px-cli-'));
  const run = (...words: string[]) => px(['plugin', ...words, '--home', join(root, 'home')]);
  const names = Array.from({ length: 40 }, (_, i) => `option-number-${i}`).join(', ');
  try {
    const wit = `package demo:ops@0.1.0;
      interface math { resource r; enum many { ${names} } add: func(a: u8) -> result; take: func(r: borrow<r>); choose: func(of: list<many>); }
      world w { export math; ${Array.from({ length: 30 }, (_, i) => `export function-with-a-long-name-${i}: func();`).join(' ')} }`;
    writeFileSync(join(root, 'ops.wasm'), await dummyComponent(wit, 'w'));
    const lines = (await run('inspect', join(root, 'ops.wasm'))).stdout.split('\n');
    const at = lines.findIndex((line) => line.includes('#take('));
    expect(lines[at]).toMatch(
      /^ {2}demo:ops\/math@0\.1\.0#take\(r: any\) {2,8}not callable: it takes or returns a resource/,
    );
    expect(lines[at + 1]).toContain('#choose(of: list of ("option-number-0" | ');
    expect((await run('add', join(root, 'ops.wasm'), '--yes')).code).toBe(0);
    const unknown = await run('call', 'ops', 'nothing');
    expect(unknown.stderr).toMatch(/It has: .*function-with-a-long-name-\d+, and \d+ more\n$/s);
    expect(unknown.stderr).not.toContain('#take');
    for (const name of ['add', 'math#add', 'demo:ops/math@0.1.0#add'])
      expect((await run('call', 'ops', name, '[1, 2]')).stderr).toBe(
        'px: demo:ops/math@0.1.0#add takes 1 argument, not 2\n',
      );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}, 60_000);
