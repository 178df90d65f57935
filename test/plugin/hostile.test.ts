import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processorMs, watchLoop } from '../stopwatch.ts';
import { component, plain } from './component.ts';
import { childrenOf, codeOf, openHome, type TestHome } from './home.ts';

let plainBytes: Uint8Array;
beforeAll(async () => {
  plainBytes = await component(plain);
});

async function sums(limits: object = {}): Promise<TestHome> {
  const home = await openHome({ plugins: { sums: { limits } } });
  await home.plugins.add(home.file('sums.wasm', plainBytes));
  return home;
}

describe('a plugin that', () => {
  test('loops is stopped within 50 ms of its limit; the loop of the daemon never waits; the next call works', async () => {
    await using home = await sums({ cpu_ms: 300 });
    await home.plugins.call('sums', 'double', [1]);
    const [child = 0] = childrenOf(process.pid);
    const longest = watchLoop();
    const before = processorMs(child);
    let used = 0;
    const look = setInterval(() => {
      used = Math.max(used, processorMs(child) - before);
    }, 2);
    expect(await codeOf(home.plugins.call('sums', 'spin', []))).toBe('plugin.cpu');
    clearInterval(look);
    // The kernel counts in steps of 10 ms.
    expect(used).toBeGreaterThan(240);
    expect(used).toBeLessThan(360);
    expect(longest()).toBeLessThan(100);
    expect(childrenOf(process.pid)).toEqual([]);
    expect(await home.plugins.call('sums', 'double', [2])).toBe(4);
  });

  test('crashes is contained, and its instance is never used again', async () => {
    await using home = await sums();
    expect(await codeOf(home.plugins.call('sums', 'crash', []))).toBe('plugin.crashed');
    expect(await home.plugins.call('sums', 'double', [2])).toBe(4);
    const pids = home.events.flatMap((e) => (e.type === 'plugin.started' ? [e.pid] : []));
    expect(new Set(pids).size).toBe(2);
  });

  test('eats memory stops exactly at its cap', async () => {
    await using home = await sums({ memory_mb: 16 });
    expect(await home.plugins.call('sums', 'grow', [])).toBe(16 * 16);
    expect(await home.plugins.call('sums', 'double', [2])).toBe(4);
  });

  test('needs more memory than its cap to start is refused', async () => {
    await using home = await openHome({ plugins: { big: { limits: { memory_mb: 2 } } } });
    const bytes = await component('(component (core module $m (memory 64)) (core instance (instantiate $m)))');
    expect(await codeOf(home.plugins.add(home.file('big.wasm', bytes), { name: 'big' }))).toBe('plugin.memory');
  });

  test('spreads its memory over several cannot pass the cap either', async () => {
    await using home = await openHome({ plugins: { many: { limits: { memory_mb: 4 } } } });
    const one = (n: number) => `(core module $m${n} (memory 1)
      (func (export "grow") (result i32) (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size)))
      (core instance $i${n} (instantiate $m${n}))
      (func (export "grow${n}") (result u32) (canon lift (core func $i${n} "grow")))`;
    const bytes = await component(`(component ${[1, 2, 3].map(one).join('\n')})`);
    await home.plugins.add(home.file('many.wasm', bytes), { name: 'many' });
    let pages = 0;
    for (const n of [1, 2, 3]) pages += Number(await home.plugins.call('many', `grow${n}`, []));
    expect(pages).toBeLessThanOrEqual(64);
    expect(pages).toBeGreaterThan(60);
  });

  test('fails again and again is quarantined, visibly, until someone resumes it', async () => {
    await using home = await sums();
    for (let i = 0; i < 5; i++) expect(await codeOf(home.plugins.call('sums', 'crash', []))).toBe('plugin.crashed');
    expect(await codeOf(home.plugins.call('sums', 'double', [1]))).toBe('plugin.quarantined');
    expect(home.plugins.list()[0]).toMatchObject({ state: 'quarantined' });
    expect(home.plugins.list()[0]?.detail).toContain('5 faults');
    home.plugins.resume('sums');
    expect(await home.plugins.call('sums', 'double', [1])).toBe(2);
  });

  test('is called no more is gone after its idle time', async () => {
    await using home = await sums({ idle_ms: 30 });
    expect(await home.plugins.call('sums', 'double', [1])).toBe(2);
    expect(childrenOf(process.pid).length).toBe(1);
    const stopped = () => home.events.findLast((e) => e.type === 'plugin.stopped');
    for (let i = 0; i < 1_500 && !stopped(); i++) await Bun.sleep(20);
    expect(stopped()).toMatchObject({ reason: 'idle' });
    expect(childrenOf(process.pid)).toEqual([]);
    expect(home.plugins.list()[0]?.state).toBe('idle');
  });

  test('is told to rest is gone at once, but not in the middle of a call, and starts again when called', async () => {
    await using home = await sums({ idle_ms: 60_000 });
    expect(await home.plugins.call('sums', 'double', [1])).toBe(2);
    const last = home.plugins.call('sums', 'double', [2]);
    home.plugins.rest('sums');
    expect(await last).toBe(4);
    expect(home.events.some((e) => e.type === 'plugin.stopped')).toBe(false);
    home.plugins.rest('sums');
    home.plugins.rest('nobody');
    expect(await home.plugins.call('sums', 'double', [3])).toBe(6);
    expect(home.events.filter((e) => e.type === 'plugin.started').length).toBe(2);
    expect(home.events.find((e) => e.type === 'plugin.stopped')).toMatchObject({ reason: 'idle' });
    home.plugins.rest('sums');
    for (let i = 0; i < 3_000 && childrenOf(process.pid).length > 0; i++) await Bun.sleep(10);
    expect(childrenOf(process.pid)).toEqual([]);
  });

  test('works when its caller gives up is ended at once', async () => {
    await using home = await sums();
    await home.plugins.call('sums', 'double', [1]);
    const stop = new AbortController();
    const call = codeOf(home.plugins.call('sums', 'spin', [], { signal: stop.signal }));
    setTimeout(() => stop.abort(), 50);
    expect(await call).toBe('interrupted');
    expect(await home.plugins.call('sums', 'double', [1])).toBe(2);
    expect(home.plugins.list()[0]?.state).toBe('idle');
  });

  test('is running ends with px', async () => {
    const home = await sums();
    const call = codeOf(home.plugins.call('sums', 'spin', []));
    for (let i = 0; i < 3_000 && childrenOf(process.pid).length === 0; i++) await Bun.sleep(10);
    await home[Symbol.asyncDispose]();
    expect(await call).toBe('interrupted');
    expect(childrenOf(process.pid)).toEqual([]);
  });
});

describe('at add', () => {
  const planted = (root: string) => `f'];require('fs').writeFileSync('${join(root, 'planted')}','x')//`;
  test('a core name that would become code is refused before it runs', async () => {
    await using home = await openHome();
    const name = planted(home.root);
    for (const wat of [
      `(component (core module $m (func (export "${name}"))) (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "${name}"))))`,
      `(component (core module $a (func (export "${name}"))) (core module $b (import "x" "${name}" (func)))
        (core instance $i (instantiate $a)) (core instance (instantiate $b (with "x" (instance $i)))))`,
    ]) {
      expect(await codeOf(home.plugins.add(home.file('evil.wasm', await component(wat))))).toBe('plugin.unsafe');
      expect(existsSync(join(home.root, 'planted'))).toBe(false);
    }
    expect(home.plugins.list()).toEqual([]);
  });

  test('what is not a component, damaged, or empty is refused with a reason', async () => {
    await using home = await openHome();
    const cut = plainBytes.subarray(0, plainBytes.length - 40);
    const flipped = plainBytes.slice();
    for (let i = 20; i < flipped.length; i += 7) flipped[i] = (flipped[i] ?? 0) ^ 0xff;
    const core = await component('(module (func (export "f")))');
    for (const bytes of [cut, flipped, core]) {
      const file = home.file('bad.wasm', bytes);
      expect(await codeOf(home.plugins.add(file))).toBe('plugin.invalid');
    }
    expect(await codeOf(home.plugins.add(home.file('bad.wasm', 'hello')))).toBe('plugin.invalid');
    expect(await codeOf(home.plugins.add(join(home.root, 'nothing.wasm')))).toBe('not-found');
    expect(home.plugins.list()).toEqual([]);
  });

  test('imports beyond host-api are refused by name; WASI that reaches nothing is not', async () => {
    await using home = await openHome();
    const importing = (name: string) => component(`(component (import "${name}" (instance (export "go" (func)))))`);
    for (const name of [
      'wasi:sockets/other@0.2.0',
      'wasi:keyvalue/store@0.2.0',
      'wasi:http/outgoing-handler@0.2.0',
      'other:thing/api',
      'project-x:core/host-api@9.0.0',
    ]) {
      const add = home.plugins.add(home.file('asks.wasm', await importing(name)));
      expect(add).rejects.toThrow(name);
      expect(await codeOf(add)).toBe('plugin.imports');
    }
    const wasi = await component(`(component
      (import "wasi:clocks/monotonic-clock@0.2.3" (instance $c (export "now" (func (result u64)))))
      (core func $now (canon lower (func $c "now")))
      (core module $m (import "c" "now" (func $n (result i64))) (func (export "run") (result i64) (call $n)))
      (core instance $i (instantiate $m (with "c" (instance (export "now" (func $now))))))
      (func (export "run") (result u64) (canon lift (core func $i "run"))))`);
    await home.plugins.add(home.file('wasi.wasm', wasi));
    expect(Number(await home.plugins.call('wasi', 'run', []))).toBeGreaterThan(0);
  });

  test('a start that never ends is stopped, and nothing is installed', async () => {
    await using home = await openHome({ plugins: { stuck: { limits: { cpu_ms: 200 } } } });
    const bytes = await component(
      '(component (core module $m (func $f (loop (br 0))) (start $f)) (core instance (instantiate $m)))',
    );
    // Where the machine is busy, the time on the wall is over first.
    expect(await codeOf(home.plugins.add(home.file('stuck.wasm', bytes), { name: 'stuck' }))).toMatch(
      /^plugin\.(cpu|wall)$/,
    );
    expect(home.plugins.list()).toEqual([]);
  }, 60_000);

  test('a bad name in plugin.yaml, and a folder without a plugin, are refused', async () => {
    await using home = await openHome();
    home.file('plugin.yaml', 'name: "../up"\n');
    writeFileSync(join(home.root, 'a.wasm'), plainBytes);
    expect(await codeOf(home.plugins.add(home.root))).toBe('plugin.invalid');
    expect(await codeOf(home.plugins.add(join(home.root, 'state')))).toBe('plugin.invalid');
  });

  test('a folder whose files are links out of it, devices or pipes is refused without reading them', async () => {
    await using home = await openHome();
    const folder = join(home.root, 'gift');
    const outside = home.file('private.ts', 'export const secret = 1;');
    const refused = async (name: string, target: string) => {
      mkdirSync(folder);
      symlinkSync(target, join(folder, name));
      const code = await codeOf(home.plugins.add(folder));
      rmSync(folder, { recursive: true });
      return code;
    };
    expect(await refused('plugin.ts', outside)).toBe('plugin.invalid');
    expect(await refused('plugin.ts', '/dev/zero')).toBe('plugin.invalid');
    expect(await refused('plugin.yaml', '/dev/zero')).toBe('plugin.invalid');
    mkdirSync(folder);
    Bun.spawnSync(['mkfifo', join(folder, 'plugin.yaml')]);
    expect(await codeOf(home.plugins.add(folder))).toBe('plugin.invalid');
  });

  test('a source that no file system could name is just not found', async () => {
    await using home = await openHome();
    expect(await codeOf(home.plugins.add('x'.repeat(4000)))).toBe('not-found');
    expect(await codeOf(home.plugins.add('./a\0b.wasm'))).toBe('not-found');
  });

  test('tools whose schema is no JSON, or endless, are refused as the fault of the plugin', async () => {
    await using home = await openHome();
    const nested = JSON.stringify(`${'['.repeat(7000)}${']'.repeat(7000)}`);
    for (const parameters of ["'{'", nested]) {
      const text = `export const tools = [{ name: 'a', description: '', parameters: ${parameters}, run() {} }];`;
      expect(await codeOf(home.plugins.add(home.file('liar.ts', text)))).toBe('plugin.invalid');
    }
  });
});
