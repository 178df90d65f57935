import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../e2e/px.ts';
import { component, connector, plain } from './component.ts';
import { codeOf, openHome } from './home.ts';

let plainBytes: Uint8Array;
beforeAll(async () => {
  plainBytes = await component(plain);
});

/** Pipes this process holds; 0 where the system does not say. */
const pipes = (): number =>
  existsSync('/proc/self/fd')
    ? readdirSync('/proc/self/fd').filter((fd) => link(`/proc/self/fd/${fd}`).startsWith('pipe:')).length
    : 0;
const link = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

describe('an installed component', () => {
  test('answers with its typed result and offers its functions as tools', async () => {
    await using home = await openHome();
    const info = await home.plugins.add(home.file('sums.wasm', plainBytes));
    expect(info).toMatchObject({ name: 'sums', kind: 'component', state: 'idle', imports: [] });
    expect(info.functions.map((f) => f.name)).toEqual(['double', 'spin', 'crash', 'grow']);
    expect(await home.plugins.call('sums', 'double', [21])).toBe(42);
    const tool = home.plugins.tools().find((t) => t.name === 'sums_double');
    expect(tool?.parameters).toMatchObject({ type: 'object', required: ['n'] });
    expect(await tool?.call({ n: 4 }, AbortSignal.timeout(5000))).toBe('8');
  });

  test('is known after a restart without being started or read', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    await home.reopen();
    expect(home.plugins.list().map((p) => [p.name, p.state])).toEqual([['sums', 'idle']]);
    expect(home.plugins.tools().length).toBe(4);
    expect(await home.plugins.call('sums', 'double', [1])).toBe(2);
  });

  test('is not installed twice without being asked to, and goes when removed', async () => {
    await using home = await openHome();
    const file = home.file('sums.wasm', plainBytes);
    await home.plugins.add(file);
    expect(await codeOf(home.plugins.add(file))).toBe('conflict');
    expect(await codeOf(home.plugins.add(file, { replace: true }))).toBe('ok');
    await home.plugins.remove('sums');
    expect(home.plugins.list()).toEqual([]);
    expect(existsSync(join(home.root, 'plugins/sums.wasm'))).toBe(false);
    expect(readdirSync(join(home.root, 'state/cache'))).toEqual([]);
    expect(await codeOf(home.plugins.call('sums', 'double', [1]))).toBe('plugin.unknown');
  });

  test('that fails without an error says so in words', async () => {
    const failing = `(component
      (core module $m (func (export "f") (result i32) i32.const 1))
      (core instance $i (instantiate $m))
      (func (export "f") (result (result)) (canon lift (core func $i "f"))))`;
    await using home = await openHome();
    await home.plugins.add(home.file('fails.wasm', await component(failing)));
    await expect(home.plugins.call('fails', 'f', [])).rejects.toThrow('it failed and did not say why');
  });

  test('that is a program begins anew with each call: what main leaves behind is not fit to run again', async () => {
    const program = `(component
      (core module $m
        (global $ran (mut i32) (i32.const 0))
        (func (export "run") (result i32)
          (if (global.get $ran) (then unreachable))
          (global.set $ran (i32.const 1))
          i32.const 0))
      (core instance $i (instantiate $m))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (instance $cli (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $cli)))`;
    await using home = await openHome();
    await home.plugins.add(home.file('hello.wasm', await component(program)));
    for (let i = 0; i < 3; i++) expect(await home.plugins.call('hello', 'run', [])).toBeNull();
    expect(home.plugins.list()[0]?.state).toBe('idle');
  });

  test('that is a program may end itself: exit(0) is well, and exit(1) is its error and no crash', async () => {
    const program = (status: number) => `(component
      (import "wasi:cli/exit@0.2.0" (instance $e (export "exit" (func (param "status" (result))))))
      (alias export $e "exit" (func $exit))
      (core func $exit' (canon lower (func $exit)))
      (core module $m
        (import "" "exit" (func $exit (param i32)))
        (func (export "run") (result i32) (call $exit (i32.const ${status})) unreachable))
      (core instance $i (instantiate $m (with "" (instance (export "exit" (func $exit'))))))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (instance $cli (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $cli)))`;
    await using home = await openHome();
    await home.plugins.add(home.file('well.wasm', await component(program(0))));
    await home.plugins.add(home.file('ill.wasm', await component(program(1))));
    for (let i = 0; i < 2; i++) {
      expect(await home.plugins.call('well', 'run', [])).toBeNull();
      expect(await codeOf(home.plugins.call('ill', 'run', []))).toBe('plugin.guest');
    }
  });

  test('tells which argument does not fit, and which functions there are', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    expect(home.plugins.call('sums', 'double', ['x'])).rejects.toThrow('n must be a whole number');
    expect(await codeOf(home.plugins.call('sums', 'double', [1, 2]))).toBe('plugin.function');
    expect(await codeOf(home.plugins.call('sums', 'triple', [1]))).toBe('plugin.function');
    expect(await home.plugins.call('sums', 'double', [1])).toBe(2);
  });

  test('may have functions and a name that mean something in JavaScript', async () => {
    await using home = await openHome();
    const names = ['then', 'constructor', 'delete', 'await', 'to-string'];
    const exports = names.map((name) => `(func (export "${name}") (result u32) (canon lift (core func $i "f")))`);
    const wat = `(component (core module $m (func (export "f") (result i32) i32.const 7)) (core instance $i (instantiate $m)) ${exports.join(' ')})`;
    const file = home.file('words.wasm', await component(wat));
    await home.plugins.add(file);
    for (const name of names) expect([name, await home.plugins.call('words', name, [])]).toEqual([name, 7]);
    expect(await codeOf(home.plugins.add(file, { name: 'constructor' }))).toBe('plugin.invalid');
  });

  test('with the same function in two interfaces has a tool of each, and says of which', async () => {
    await using home = await openHome();
    const lifted = `(func $f (result u32) (canon lift (core func $i "f"))) (instance $n (export "get" (func $f)))`;
    const wat = `(component (core module $m (func (export "f") (result i32) i32.const 7)) (core instance $i (instantiate $m)) ${lifted}
      (export "demo:x/north@1.0.0" (instance $n)) (export "demo:x/south" (instance $n)))`;
    const { tools } = await home.plugins.add(home.file('places.wasm', await component(wat)));
    expect(tools.map(({ name }) => name)).toEqual(['places_north_get', 'places_south_get']);
    expect(await tools[1]?.call({}, new AbortController().signal)).toBe('7');
  });

  test('is not run when it is switched off', async () => {
    await using home = await openHome({ plugins: { sums: { enabled: false } } });
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    expect(home.plugins.list()[0]?.state).toBe('disabled');
    expect(home.plugins.tools()).toEqual([]);
    expect(await codeOf(home.plugins.call('sums', 'double', [1]))).toBe('plugin.disabled');
  });

  test('calls that come at once are answered one after the other', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => home.plugins.call('sums', 'double', [n])));
    expect(answers).toEqual([2, 4, 6, 8, 10]);
    expect(home.events.filter((e) => e.type === 'plugin.started').length).toBe(1);
  });
});

describe('a plugin whose tool is likely to be called', () => {
  test('is started before the call, once, and goes again when none comes', async () => {
    await using home = await openHome({ plugins: { sums: { limits: { idle_ms: 50 } } } });
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    const tool = home.plugins.tools().find((t) => t.name === 'sums_double');
    const before = pipes();
    const seen = () => home.events.map((e) => e.type).filter((type) => /^plugin\.(started|stopped|call)$/.test(type));
    for (let i = 0; i < 3; i++) tool?.soon();
    expect(await tool?.call({ n: 4 }, AbortSignal.timeout(5000))).toBe('8');
    expect(seen()).toEqual(['plugin.started', 'plugin.call']);
    await until('its end', () => seen().includes('plugin.stopped'));
    tool?.soon();
    await until('its second end', () => seen().filter((type) => type === 'plugin.stopped').length === 2);
    expect(seen()).toEqual(['plugin.started', 'plugin.call', 'plugin.stopped', 'plugin.started', 'plugin.stopped']);
    await until('the end of its pipes', () => pipes() <= before);
  });

  test("makes itself ready where it runs already: none of its own code runs, whatever that put in place of the language's", async () => {
    await using home = await openHome();
    const source = `let n = 0;
      export const tools = [{ name: 'count', description: 'Counts.', parameters: { type: 'object' }, run: () => ++n }];
      JSON.parse = JSON.stringify = () => { n += 100; console.log('called'); return '[]'; };
      Object.defineProperty(Object.prototype, 'text', { set() { n += 1000; } });`;
    await home.plugins.add(home.file('counter.ts', source));
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    const [count, double] = ['counter_count', 'sums_double'].map((name) =>
      home.plugins.tools().find((t) => t.name === name),
    );
    for (let i = 1; i < 4; i++) {
      expect(await count?.call({}, AbortSignal.timeout(5000))).toBe(`${i}`);
      expect(await double?.call({ n: i }, AbortSignal.timeout(5000))).toBe(`${2 * i}`);
      for (let times = 0; times < 3; times++) for (const tool of [count, double]) tool?.soon();
    }
    expect(home.events.filter((e) => e.type === 'plugin.started').length).toBe(2);
    expect(home.plugins.logs('counter').filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  test('that cannot be started says so in the call', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    writeFileSync(join(home.root, 'plugins/store', readdirSync(join(home.root, 'plugins/store'))[0] ?? ''), 'other');
    home.configure({ plugins: { sums: { limits: { memory_mb: 8 } } } });
    const tool = home.plugins.tools().find((t) => t.name === 'sums_double');
    tool?.soon();
    expect(await codeOf(tool?.call({ n: 4 }, AbortSignal.timeout(5000)) ?? Promise.resolve())).toBe('plugin.invalid');
  });

  test('is not started when it is switched off', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    const tool = home.plugins.tools().find((t) => t.name === 'sums_double');
    home.configure({ plugins: { sums: { enabled: false } } });
    tool?.soon();
    expect(await codeOf(home.plugins.call('sums', 'double', [1]))).toBe('plugin.disabled');
    expect(home.events.filter((e) => e.type === 'plugin.started')).toEqual([]);
  });
});

describe('the small world of the specification', () => {
  for (const version of ['', '@0.1.0'])
    test(`loads ${version || 'without a version'}: stores, reads, logs, answers`, async () => {
      await using home = await openHome();
      const info = await home.plugins.add(home.file('chat.wasm', await connector(version)));
      expect(info.kind).toBe('messaging');
      expect(info.tools).toEqual([]);
      expect(await home.plugins.call('chat', 'post-message', ['4711', 'grüße ☕'])).toBe('grüße ☕');
      expect(await home.plugins.call('chat', 'poll-events', [])).toEqual([]);
      expect(home.plugins.logs('chat').map((l) => l.message)).toEqual(['grüße ☕']);
      expect(home.logged.findLast((l) => l.scope === 'plugin/chat')?.message).toBe('grüße ☕');
    });

  test('what a plugin stores survives a restart and can be read in no file', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('chat.wasm', await connector()));
    await home.plugins.call('chat', 'post-message', ['1', 'a very private value']);
    await home.reopen();
    home.store.db.run('PRAGMA wal_checkpoint(TRUNCATE)');
    const file = readFileSync(join(home.root, 'state/px.db'));
    expect(file.includes('very private')).toBe(false);
    expect(file.includes('last')).toBe(false);
  });

  test('a value over the quota is refused with an error of the guest, and the next one fits', async () => {
    await using home = await openHome({ plugins: { chat: { limits: { kv_bytes: 100 } } } });
    await home.plugins.add(home.file('chat.wasm', await connector()));
    const big = home.plugins.call('chat', 'post-message', ['1', 'x'.repeat(200)]);
    expect(await codeOf(big)).toBe('plugin.guest');
    expect(home.events.some((e) => e.type === 'plugin.denied' && e.capability === 'kv-set')).toBe(true);
    expect(await home.plugins.call('chat', 'post-message', ['1', 'small'])).toBe('small');
  });

  test('a flood of log lines is cut at its rate, and later lines say so', async () => {
    await using home = await openHome({ plugins: { chat: { limits: { log_per_minute: 3 } } } });
    await home.plugins.add(home.file('chat.wasm', await connector()));
    for (let i = 0; i < 10; i++) await home.plugins.call('chat', 'post-message', ['1', `line ${i}`]);
    expect(home.plugins.logs('chat').map((l) => l.message)).toEqual(['line 0', 'line 1', 'line 2']);
  });

  test('a log line cannot draw on a terminal and has a bounded length', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('chat.wasm', await connector()));
    await home.plugins.call('chat', 'post-message', ['1', `\u001b[2J${'y'.repeat(9000)}`]);
    const [line] = home.plugins.logs('chat');
    expect(line?.message.startsWith('\\u001b[2J')).toBe(true);
    expect(line?.message.length).toBeLessThan(4200);
  });
});

describe('what was made of a plugin', () => {
  test('is readable by the owner only, and made again when one byte of it changed', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    const cache = join(home.root, 'state/cache');
    const folder = join(cache, readdirSync(cache)[0] ?? '');
    const code = join(folder, 'plugin.js');
    expect(statSync(code).mode & 0o777).toBe(0o600);
    const before = readFileSync(code, 'utf8');
    writeFileSync(code, `${before}\nthrow new Error('changed');`);
    await home.reopen();
    expect(await home.plugins.call('sums', 'double', [3])).toBe(6);
    expect(readFileSync(code, 'utf8')).toBe(before);
  });

  test('is refused when the installed file itself was changed', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('sums.wasm', plainBytes));
    writeFileSync(join(home.root, 'plugins/store', readdirSync(join(home.root, 'plugins/store'))[0] ?? ''), 'other');
    home.configure({ plugins: { sums: { limits: { memory_mb: 8 } } } });
    expect(await codeOf(home.plugins.call('sums', 'double', [3]))).toBe('plugin.invalid');
  });
});
