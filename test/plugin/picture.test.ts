import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { applyPicture, copyOf, type State, stateOf, takePicture } from '../../src/plugin/child/picture.ts';
import { engineFiles } from '../../src/plugin/engine/engine.ts';
import { codeOf, openHome, type TestHome } from './home.ts';

/** (module (memory (export "m") 1 3) (global (export "g") (mut i32) (i32.const 7)) (global (export "c") i32 (i32.const 1))) */
const small = Uint8Array.fromHex(
  '0061736d01000000050401010103060b027f0141070b7f0041010b070d03016d0200016703000163' + '0301',
);

function fresh(): State {
  return stateOf([new WebAssembly.Instance(new WebAssembly.Module(small))]);
}
const bytesOf = ({ memories: [memory] }: State) => new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));

describe('a picture of instances', () => {
  test('brings what changed into others: memory, its size, and globals that can be set', () => {
    const one = fresh();
    const before = copyOf(one);
    bytesOf(one).set([1, 2, 0, 4], 65_530);
    one.memories[0]?.grow(1);
    bytesOf(one).set([9], 131_071);
    const [global] = one.globals;
    if (global) global.value = 99;
    const other = fresh();
    applyPicture(other, takePicture(one, before));
    expect(other.globals.map(({ value }) => value)).toEqual([99]);
    expect(Bun.hash(bytesOf(other))).toBe(Bun.hash(bytesOf(one)));
  });

  test('of another module, or one that reaches beyond its memory, is refused', () => {
    const one = fresh();
    const picture = takePicture(one, copyOf(one));
    expect(() => applyPicture({ memories: [], globals: [] }, picture)).toThrow('another engine');
    const head = JSON.stringify({ globals: [7], memories: [{ pages: 1, changed: [[65_535, 2]] }] });
    const forged = Buffer.concat([Uint8Array.of(head.length, 0, 0, 0), Buffer.from(head), Uint8Array.of(1, 2)]);
    expect(() => applyPicture(fresh(), forged)).toThrow(RangeError);
    const grown = JSON.stringify({ globals: [7], memories: [{ pages: 4, changed: [] }] });
    expect(() =>
      applyPicture(fresh(), Buffer.concat([Uint8Array.of(grown.length, 0, 0, 0), Buffer.from(grown)])),
    ).toThrow();
  });

  test('is whole of the engine: each global it may change is exported', async () => {
    const { wasm } = await engineFiles(64);
    const module = binaryen.readBinary(wasm);
    const exported = Array.from({ length: module.getNumExports() }, (_, i) =>
      binaryen.getExportInfo(module.getExportByIndex(i)),
    );
    const changed = Array.from({ length: module.getNumGlobals() }, (_, i) =>
      binaryen.getGlobalInfo(module.getGlobalByIndex(i)),
    ).filter(({ mutable }) => mutable);
    const names = exported.filter(({ kind }) => kind === binaryen.ExternalGlobal).map(({ value }) => value);
    expect(changed.length).toBeGreaterThan(0);
    expect(names).toEqual(expect.arrayContaining(changed.map(({ name }) => name)));
    module.dispose();
  });
});

/** The picture that px keeps of the one script of a home; undefined when none was made. */
function kept({ root }: TestHome): Buffer | undefined {
  const cache = join(root, 'state/cache');
  const [folder] = readdirSync(cache).filter((name) => name.includes('-script-'));
  return folder === undefined ? undefined : readFileSync(join(cache, folder, 'picture'));
}

describe('a script', () => {
  test('is evaluated once: each new process begins where that ended, not where the last one was', async () => {
    await using home = await openHome();
    const path = home.file(
      'count.ts',
      `const table = new Map([['a', { deep: [1, 2n, /x/g] }]]);
       let n = 0;
       const later = Promise.resolve(5).then((v) => v + 1);
       class Box { #inner = 3; get inner() { return this.#inner; } }
       const box = new Box();
       export function next(): unknown { return [++n, table.get('a')?.deep.map(String), box.inner]; }
       export async function promised(): Promise<number> { return await later; }`,
    );
    await home.plugins.add(path);
    expect(kept(home)?.length).toBeGreaterThan(1000);
    const first = [1, ['1', '2', '/x/g'], 3];
    expect(await home.plugins.call('count', 'next', [])).toEqual(first);
    expect(await home.plugins.call('count', 'next', [])).toEqual([2, ...first.slice(1)]);
    expect(await home.plugins.call('count', 'promised', [])).toBe(6);
    await home.reopen();
    expect(await home.plugins.call('count', 'next', [])).toEqual(first);
  }, 30_000);

  test('that asks the host while it is evaluated is evaluated at each start, under its settings', async () => {
    for (const [asking, first, then] of [
      [`configGet('word')`, 'one', 'two'],
      ['typeof now()', 'number', 'number'],
      ['typeof Math.random()', 'number', 'number'],
      ['typeof new Date().getTime()', 'number', 'number'],
      [`(log('info', 'here'), 'said')`, 'said', 'said'],
    ] as const) {
      await using home = await openHome({ plugins: { asks: { settings: { word: 'one' } } } });
      const source = `import { configGet, log, now } from 'px'; const known = ${asking}; export function known_(): unknown { return [known, typeof [configGet, log, now]]; }`;
      await home.plugins.add(home.file('asks.ts', source));
      expect(kept(home)?.length).toBe(0);
      expect(await home.plugins.call('asks', 'known-', [])).toEqual([first, 'object']);
      home.configure({ plugins: { asks: { settings: { word: 'two' } } } });
      expect(await home.plugins.call('asks', 'known-', [])).toEqual([then, 'object']);
    }
  }, 60_000);

  test('that throws or loops while it is evaluated is refused with its own words', async () => {
    await using home = await openHome();
    const add = (name: string, text: string) => codeOf(home.plugins.add(home.file(`${name}.js`, text), { name }));
    expect(await add('throws', `throw new Error('no such luck')`)).toBe('plugin.invalid');
    home.configure({ plugins: { loops: { limits: { cpu_ms: 200 } } } });
    expect(await add('loops', 'for (;;);')).toBe('plugin.cpu');
  }, 60_000);

  test('whose calls may take little is evaluated all the same: that happens once, and is no call', async () => {
    await using home = await openHome({ plugins: { quick: { limits: { cpu_ms: 150 } } } });
    const busy = 'for (let n = 0; n < 3e6; n++) Math.hypot(n, n); export function get() { return 1; }';
    await home.plugins.add(home.file('quick.js', busy));
    // As after an update of px, whose engine is another.
    home.plugins.rest('quick');
    rmSync(join(home.root, 'state/cache'), { recursive: true });
    expect(await home.plugins.call('quick', 'get', [])).toBe(1);
    expect(kept(home)?.length).toBeGreaterThan(1000);
  }, 60_000);

  test('with a picture that somebody changed on disk is prepared anew', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('whole.js', 'let n = 1; export function get() { return n++; }'));
    const cache = join(home.root, 'state/cache');
    const [folder = ''] = readdirSync(cache);
    await Bun.write(join(cache, folder, 'picture'), new Uint8Array(2000).fill(255));
    expect(await home.plugins.call('whole', 'get', [])).toBe(1);
    expect(kept(home)?.[0]).not.toBe(255);
  }, 30_000);
});
