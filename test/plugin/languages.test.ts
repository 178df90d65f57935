import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../src/wire/wire.ts';
import { codeOf, openHome, type TestHome } from './home.ts';

const built = join(import.meta.dir, '../../build/plugins');

/** One example that exports the world of plugins/example.wit. */
interface Example {
  language: string;
  file: string;
  /** A plain script: no types, and what it throws is told instead of being a trap. */
  script?: true;
  /** WASI it imports beside host-api. */
  wasi?: RegExp;
  limits?: object;
  /** Memory it gets by with, in MiB. */
  leastMb: number;
  /** Its standard output is px's log. */
  prints?: true;
}

const inert = /^wasi:(cli|clocks|filesystem|io|random|sockets)\//;

/** `scripts/build-plugins.ts --examples` builds them, and says why one is missing. */
const examples: Example[] = [
  { language: 'Rust', file: 'example-rust.wasm', leastMb: 2 },
  { language: 'Rust with WASI', file: 'example-rust-wasi.wasm', prints: true, wasi: inert, leastMb: 3 },
  { language: 'C', file: 'example-c.wasm', leastMb: 1 },
  { language: 'AssemblyScript', file: 'example-as.wasm', leastMb: 1 },
  { language: 'Go', file: 'example-go.wasm', prints: true, leastMb: 12 },
  {
    language: 'Python',
    file: 'example-python.wasm',
    prints: true,
    wasi: inert,
    limits: { memory_mb: 128 },
    leastMb: 24,
  },
  { language: 'TypeScript, componentize-qjs', file: 'example-ts-component.wasm', leastMb: 4 },
  { language: 'TypeScript, as a script', file: 'example-ts-script.js', script: true, leastMb: 4 },
];

const texts = ['', 'x', 'Zoë 👩‍👩‍👧 ﷽ \u0000 "quoted" \\ \n\t𝒳', 'ü'.repeat(20_000)];
const lines = (items: [string, number, number][]): Json =>
  items.map(([item, price, amount]) => ({ item, price, amount }));

for (const { language, file, script, wasi, limits, leastMb, prints } of examples)
  describe.skipIf(!existsSync(join(built, file)))(`the example in ${language}`, () => {
    let home: TestHome;
    let server: ReturnType<typeof Bun.serve>;
    const call = (fn: string, ...args: Json[]) => home.plugins.call('example', fn, args);
    const configure = (egress: string[], more: object = {}) =>
      home.configure({
        plugins: {
          example: {
            grants: { egress, private_hosts: [`127.0.0.1:${server.port}`] },
            limits: { ...limits, cpu_ms: 2000, ...more },
          },
        },
      });

    beforeAll(async () => {
      server = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch: (request) => new Response(`grüße von ${new URL(request.url).pathname}`, { status: 203 }),
      });
      home = await openHome({ plugins: { example: { limits } } });
      await home.plugins.add(home.file(file, readFileSync(join(built, file))), { name: 'example' });
    });
    afterAll(async () => {
      await home[Symbol.asyncDispose]();
      await server.stop(true);
    });

    test('asks for host-api and WASI that reaches nothing, and offers each function as a tool', async () => {
      const info = await home.plugins.inspect('example');
      const names = ['add', 'crash', 'fetch', 'greet', 'look-around', 'remember', 'spin', 'total'];
      expect(info.functions.map((f) => f.name).sort()).toEqual(names);
      if (script) return;
      expect(info.imports.filter((name) => !name.startsWith('project-x:core/host-api') && !wasi?.test(name))).toEqual(
        [],
      );
      expect(info.tools.map((t) => t.name).sort()).toEqual(names.map((name) => `example_${name.replace('-', '_')}`));
      expect(info.tools.find((t) => t.name === 'example_total')).toMatchObject({
        description: 'Adds up an order.',
        parameters: { required: ['lines'] },
      });
    });

    test('takes and gives any text', async () => {
      for (const text of texts) expect(await call('greet', text)).toBe(`Hello, ${text || 'whoever you are'}!`);
    });

    test('writes lines into the log under its name', async () => {
      await call('greet', 'log ☕');
      expect(home.plugins.logs('example').at(-1)).toMatchObject({ level: 'info', message: 'Hello, log ☕!' });
    });

    test('takes and gives records and lists, empty and long ones', async () => {
      expect(await call('total', [])).toEqual({ items: [], amount: 0, price: 0 });
      expect(
        await call(
          'total',
          lines([
            ['ä', 1.5, 2],
            ['', 0.25, 4],
          ]),
        ),
      ).toEqual({
        items: ['ä', ''],
        amount: 6,
        price: 4,
      });
      const many = Array.from({ length: 3000 }, (_, i): [string, number, number] => [`item ${i}`, 0.5, 2]);
      const sum = (await call('total', lines(many))) as { items: string[]; amount: number; price: number };
      expect([sum.items.length, sum.items[2999], sum.amount, sum.price]).toEqual([3000, 'item 2999', 6000, 3000]);
    });

    test('tells an error of its own, and works on', async () => {
      expect(await call('add', 2, -40)).toBe(-38);
      expect(await codeOf(call('add', 2_147_483_647, 1))).toBe('plugin.guest');
      expect(call('add', -2_147_483_648, -1)).rejects.toThrow('the sum does not fit in 32 bits');
      if (!script) expect(await codeOf(call('add', 'x', 1))).toBe('plugin.function');
      expect(await call('add', 1, 1)).toBe(2);
    });

    test('keeps values in its own store', async () => {
      expect(await call('remember', 'kéy', 'first ☕')).toBeNull();
      expect(await call('remember', 'kéy', '')).toBe('first ☕');
      expect(await call('remember', 'kéy', 'x'.repeat(50_000))).toBe('');
      home.configure({ plugins: { example: { limits: { ...limits, kv_bytes: 1000 } } } });
      expect(await codeOf(call('remember', 'other', 'x'.repeat(2000)))).toBe('plugin.guest');
    });

    test('reaches the web only where it was granted', async () => {
      const url = `http://127.0.0.1:${server.port}/page`;
      configure([]);
      expect(call('fetch', url)).rejects.toThrow(/denied|no egress rule/);
      expect(await codeOf(call('fetch', url))).toBe('plugin.guest');
      configure([`GET ${url}`]);
      expect(await call('fetch', url)).toEqual({ status: 203, body: 'grüße von /page' });
      expect(await codeOf(call('fetch', `${url}/../other`))).toBe('plugin.guest');
    });

    test('finds a clock and chance around it, and no variable, no file, no network', async () => {
      const lookAround = async () => (await call('look-around')) as Record<string, Json>;
      const [one, two] = [await lookAround(), await lookAround()];
      for (const seen of [one, two]) expect(seen).toMatchObject({ variables: [], files: [], connected: false });
      expect(Math.abs(Number(one['clock']) - Date.now())).toBeLessThan(10_000);
      expect(one['random']).not.toEqual(two['random']);
      const printed = home.plugins.logs('example').some((line) => line.message === 'looking around');
      if (prints) expect(printed).toBe(true);
    });

    test('gives back what a call took: hundreds of long texts pass through little memory', async () => {
      configure([], { memory_mb: leastMb });
      for (let i = 0; i < 400; i++) await call('greet', 'y'.repeat(25_000));
    });

    test('is stopped when it works without end, and starts again', async () => {
      configure([], { cpu_ms: 300 });
      expect(await codeOf(call('spin'))).toBe('plugin.cpu');
      expect(await call('add', 1, 2)).toBe(3);
    });

    test('ends with a trap, and starts again', async () => {
      expect(await codeOf(call('crash'))).toBe(script ? 'plugin.guest' : 'plugin.crashed');
      expect(await call('add', 1, 2)).toBe(3);
    });
  });
