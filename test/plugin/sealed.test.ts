import { describe, expect, test } from 'bun:test';
import type * as v from 'valibot';
import type { ConfigSchema } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { codeOf, openHome } from './home.ts';

/** A home with the code interpreter, and what a program comes to in it. */
async function interpreter(config: v.InferInput<typeof ConfigSchema> = {}) {
  const home = await openHome(config);
  await home.plugins.add('js-run');
  const run = async (code: string) =>
    String(await home.plugins.call('js-run', 'call-tool', ['js_run', JSON.stringify({ code })]));
  const fails = (code: string) =>
    run(code).then(
      (answer) => `answered ${answer.slice(0, 200)}`,
      (thrown: unknown) => (thrown instanceof PxError ? `${thrown.code} ${thrown.message}` : String(thrown)),
    );
  return Object.assign(home, { run, fails });
}

describe('js-run', () => {
  test('tells what was printed and the value of the last expression, of an awaited program what it returns', async () => {
    await using js = await interpreter();
    expect(await js.run('console.log("a", 1n, [{ b: null }]); const x = 6; x * 7')).toBe('a 1n [{ b: null }]\n=> 42');
    expect(await js.run('const r = await new Promise((ok) => setTimeout(ok, 5, "later")); return r')).toBe('=> later');
    expect(
      await js.run('({ m: new Map([[1, new Set("ab")]]), f() {}, d: new Date(0), e: [undefined, -0, NaN] })'),
    ).toBe(
      '=> { m: Map { 1 => Set { "a", "b" } }, f: [function f], d: 1970-01-01T00:00:00.000Z, e: [undefined, -0, NaN] }',
    );
    expect(await js.run('let o = {}; o.self = o; o')).toBe('=> { self: [circular] }');
    expect(await js.run('1;')).toBe('=> 1');
    expect(await js.run('var a')).toContain('nothing was printed');
  }, 20_000);

  test('says what is wrong with a program, and where; what was printed before is told', async () => {
    await using js = await interpreter();
    expect(await js.fails('let a = ;')).toContain('SyntaxError');
    expect(await js.fails('console.log("so far");\nnope()')).toBe(
      'plugin.guest so far\nError: ReferenceError: nope is not defined (line 2)',
    );
    expect(await js.fails('throw { code: 7 }')).toBe('plugin.guest Error: { code: 7 }');
    expect(await js.fails('await import("fs")')).toContain('no modules');
    expect(await js.fails('require("fs")')).toContain('require is not defined');
  }, 20_000);

  test('nothing of one call is left for the next', async () => {
    await using js = await interpreter();
    await js.fails(`globalThis.left = 1; Object.prototype.left = 2; Array.prototype.map = () => 'mine';
      JSON.stringify = () => '"forged"'; Promise.prototype.then = () => {}; Map.prototype.get = () => () => 'mine'; 1`);
    expect(await js.run('[typeof left, {}.left, [1].map((x) => x + 1), JSON.stringify({ a: 1 })]')).toBe(
      '=> ["undefined", undefined, [2], "{\\"a\\":1}"]',
    );
    const pids = js.events.flatMap((event) => (event.type === 'plugin.started' ? [event.pid] : []));
    expect(pids).toHaveLength(2);
    expect(new Set(pids).size).toBe(2);
  }, 20_000);

  test('a loop, a wait, memory and a deep recursion end with their call, however often, and the next call works', async () => {
    await using js = await interpreter({
      plugins: { 'js-run': { limits: { cpu_ms: 500, wall_ms: 1_500, memory_mb: 32 } } },
    });
    for (let i = 0; i < 6; i++) expect(await js.fails('for (;;);')).toMatch(/^plugin\.(cpu|wall)/);
    expect(await js.fails('await new Promise((ok) => setTimeout(ok, 1e9))')).toStartWith('plugin.wall');
    expect(await js.fails('await new Promise(() => {})')).toContain('never settles');
    expect(await js.fails('const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1))')).toMatch(
      /out of memory|plugin\./,
    );
    expect(await js.fails('(function f() { return f(); })()')).toContain('Maximum call stack size exceeded');
    expect(
      await js.fails(
        'Promise.resolve().then(function again() { return Promise.resolve().then(again) }); await 1; for (;;) await 1',
      ),
    ).toMatch(/plugin\.(cpu|wall)/);
    expect(await js.run('"still here"')).toBe('=> still here');
    expect(js.plugins.list().find(({ name }) => name === 'js-run')?.state).toBe('idle');
  }, 60_000);

  test('ten megabytes of output are cut, printed, returned or thrown', async () => {
    await using js = await interpreter();
    const long = (await js.run('for (let i = 0; i < 1e4; i++) console.log("x".repeat(1024)); "the end"')).split('\n');
    expect(long.join('\n').length).toBeLessThan(21_000);
    expect(long.slice(-2)).toEqual(['[cut: more than 20000 characters were printed]', '=> the end']);
    expect((await js.run('"x".repeat(1e7)')).length).toBeLessThan(21_000);
    expect(
      (await js.run('Array.from({ length: 1e4 }, (_, i) => ({ i, text: "y".repeat(1000) }))')).length,
    ).toBeLessThan(41_000);
    expect((await js.fails('throw new Error("z".repeat(1e7))')).length).toBeLessThan(70_000);
    expect(await js.fails('String.prototype.slice = Array.prototype.join = () => "w".repeat(1e7); 1')).toMatch(
      /plugin\.output|answered/,
    );
  }, 40_000);

  test('no global, prototype or import leads to a host function that answers', async () => {
    await using js = await interpreter({
      plugins: {
        'js-run': {
          settings: { hidden: 'a-setting' },
          grants: { egress: ['* http://127.0.0.1/'], private_hosts: ['127.0.0.1:80'] },
        },
      },
    });
    expect(
      await js.run(
        '["fetch", "Request", "px", "require", "process", "Bun", "__px_import"].map((name) => typeof globalThis[name]).join()',
      ),
    ).toBe('=> undefined,undefined,undefined,undefined,undefined,undefined,undefined');
    for (const name of ['project-x:core/host-api@0.1.0', 'px', 'px:engine', '<evalScript>'])
      expect(
        await js.fails(`const host = await (0, eval)('imp' + 'ort(${JSON.stringify(name)})'); return host`),
      ).toContain('could not load module');
    // What px's part of the engine calls on the way to the host can be replaced; the way itself leads nowhere else.
    await js.fails(`const stringify = JSON.stringify; const kept = [];
      JSON.stringify = (value) => { kept.push(value); return stringify(['error', 'a line in the log of px']) };
      JSON.parse = (text) => { kept.push(text); return { ok: null } };
      console.error('x'); structuredClone({}); crypto.randomUUID(); for (const one of kept) try { one('kvSet', '["a","YQ=="]') } catch {} 1`);
    // Functions on the stack and those that px patches its own calls into are the engine's, and lead no further.
    await js.fails(`Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFunction?.());
      const seen = new Error().stack; for (const f of [seen].flat()) try { f?.('kvSet', '["a"]') } catch {} 1`);
    await js.fails(
      'console.log = 1; Object.defineProperty(Object.prototype, "then", { get() { console.error("then") } }); 1',
    );
    expect(js.store.db.query('select count(*) as n from plugin_kv').get()).toEqual({ n: 0 });
    expect(JSON.stringify(js.plugins.logs('js-run'))).not.toContain('a line in the log');
    expect(js.logged.filter(({ level }) => level === 'error')).toEqual([]);
  }, 60_000);
});

describe('a sealed plugin', () => {
  const source = `import { kvSet, configGet, httpRequest } from 'px';
    export const manifest = { name: 'pure', version: '1', description: '', sealed: true };
    let calls = 0;
    export const count = () => ++calls;
    export const store = () => kvSet('a', 'b');
    export const setting = () => configGet('a') ?? 'none';
    export const ask = () => httpRequest('http://127.0.0.1/');`;

  test('of anybody gets nothing that px.yaml grants, and a new process each call', async () => {
    await using home = await openHome({
      plugins: {
        pure: { settings: { a: 'x' }, grants: { egress: ['GET http://127.0.0.1/'], private_hosts: ['127.0.0.1:80'] } },
      },
    });
    const info = await home.plugins.add(home.file('pure.ts', source));
    expect(info.manifest.sealed).toBe(true);
    const calls = Promise.all([1, 2, 3].map(() => home.plugins.call('pure', 'count', [])));
    expect(await calls).toEqual([1, 1, 1]);
    expect(await home.plugins.call('pure', 'setting', [])).toBe('none');
    for (const fn of ['store', 'ask'])
      expect(await home.plugins.call('pure', fn, []).catch(String)).toContain('the plugin is sealed');
    expect(
      await home.plugins.hold(
        'pure',
        { method: 'GET', url: 'http://127.0.0.1/', headers: [] },
        AbortSignal.timeout(1000),
      ),
    ).toEqual({
      err: { denied: 'the plugin is sealed' },
    });
  }, 20_000);

  test('that asks for something is not installed', async () => {
    await using home = await openHome();
    const asks = source.replace('sealed: true', 'sealed: true, egress: ["GET https://example.com/"]');
    expect(await codeOf(home.plugins.add(home.file('pure.ts', asks)))).toBe('plugin.invalid');
  });
});
