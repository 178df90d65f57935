import { expect, test } from 'bun:test';
import { component } from './component.ts';
import { childrenOf, codeOf, openHome, type TestHome } from './home.ts';

/*
 * Limits that hostile.test.ts (processor time, memory, faults) and lock.test.ts (wall time, output, host calls, frames) do not try.
 */

async function install(wat: string, limits: object = {}): Promise<TestHome> {
  const home = await openHome({ plugins: { guest: { limits } } });
  await home.plugins.add(home.file('guest.wasm', await component(wat)), { name: 'guest' });
  return home;
}

const grow = `(func (export "grow") (result i32)
  (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size))`;

test('a module instantiated several times, also inside components, shares one cap', async () => {
  await using home = await install(
    `(component
      (core module $m (memory 1) ${grow})
      (core instance $a (instantiate $m)) (core instance $b (instantiate $m))
      (component $inner
        (core module $n (memory 1) ${grow}) (core instance $i (instantiate $n))
        (func (export "grow") (result u32) (canon lift (core func $i "grow"))))
      (instance $x (instantiate $inner)) (instance $y (instantiate $inner))
      (func (export "a") (result u32) (canon lift (core func $a "grow")))
      (func (export "b") (result u32) (canon lift (core func $b "grow")))
      (export "x" (func $x "grow")) (export "y" (func $y "grow")))`,
    { memory_mb: 4 },
  );
  let pages = 0;
  for (const name of ['a', 'b', 'x', 'y']) pages += Number(await home.plugins.call('guest', name, []));
  expect(pages).toBe(64);
});

test('a component of hundreds of instances is refused', async () => {
  await using home = await openHome();
  const wat = `(component (core module $m) ${'(core instance (instantiate $m))'.repeat(300)})`;
  expect(await codeOf(home.plugins.add(home.file('many.wasm', await component(wat))))).toBe('plugin.memory');
});

test('tables stop growing at a bound they share, and a larger one is refused', async () => {
  const table = (n: number) => `(table $t${n} 10 funcref)
    (func (export "grow${n}") (result i32)
      (loop $l (br_if $l (i32.ne (table.grow $t${n} (ref.null func) (i32.const 1000)) (i32.const -1)))) (table.size $t${n}))`;
  await using home = await install(`(component
    (core module $m ${table(1)} ${table(2)}) (core instance $i (instantiate $m))
    (func (export "grow1") (result u32) (canon lift (core func $i "grow1")))
    (func (export "grow2") (result u32) (canon lift (core func $i "grow2"))))`);
  const entries =
    Number(await home.plugins.call('guest', 'grow1', [])) + Number(await home.plugins.call('guest', 'grow2', []));
  expect(entries).toBeLessThanOrEqual(100_000);
  expect(entries).toBeGreaterThan(90_000);
  for (const wide of ['(table 200000 funcref)', '(table 60000 funcref) (table 60000 externref)']) {
    const bytes = await component(`(component (core module $m ${wide}) (core instance (instantiate $m)))`);
    expect(await codeOf(home.plugins.add(home.file('wide.wasm', bytes)))).toBe('plugin.memory');
  }
});

test('recursion without end is a trap, and the next call has a fresh instance', async () => {
  await using home = await install(`(component
    (core module $m
      (global $count (mut i32) (i32.const 0))
      (func $deep (export "deep") (param i64 i64 i64) (result i32)
        (i32.add (call $deep (local.get 0) (local.get 1) (local.get 2)) (i32.const 1)))
      (func (export "count") (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count)))
    (core instance $i (instantiate $m))
    (func (export "deep") (param "a" u64) (param "b" u64) (param "c" u64) (result u32) (canon lift (core func $i "deep")))
    (func (export "count") (result u32) (canon lift (core func $i "count"))))`);
  expect([await home.plugins.call('guest', 'count', []), await home.plugins.call('guest', 'count', [])]).toEqual([
    1, 2,
  ]);
  const before = childrenOf(process.pid);
  expect(await codeOf(home.plugins.call('guest', 'deep', [1, 2, 3]))).toBe('plugin.crashed');
  expect(childrenOf(process.pid)).toEqual([]);
  expect(await home.plugins.call('guest', 'count', [])).toBe(1);
  expect(childrenOf(process.pid)).not.toEqual(before);
});

test('a result over its limit is refused and the plugin lives; arguments over theirs never reach it', async () => {
  await using home = await install(
    `(component
      (core module $m
        (memory (export "m") 4)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "big") (param i32) (result i32)
          (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (local.get 0))
          (memory.fill (i32.const 1024) (i32.const 120) (local.get 0)) (i32.const 16)))
      (core instance $i (instantiate $m))
      (func (export "big") (param "n" u32) (result string)
        (canon lift (core func $i "big") (memory (core memory $i "m")) (realloc (core func $i "realloc")))))`,
    { output_bytes: 2048 },
  );
  expect(await home.plugins.call('guest', 'big', [1000])).toBe('x'.repeat(1000));
  expect(await codeOf(home.plugins.call('guest', 'big', [3000]))).toBe('plugin.output');
  expect(await home.plugins.call('guest', 'big', [10])).toBe('x'.repeat(10));
  expect(home.events.filter((e) => e.type === 'plugin.started').length).toBe(1);
});
