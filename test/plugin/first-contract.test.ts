import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWit, type WitItem } from '../../src/plugin/author/wit-docs.ts';
import type { Json } from '../../src/wire/wire.ts';
import { openHome, type TestHome } from './home.ts';

const frozen = (name: string) => readFileSync(join(import.meta.dir, 'first-contract', name));
const now = readFileSync(join(import.meta.dir, '../../wit/core.wit'), 'utf8');

/** Adds a frozen component to a home of its own. */
async function installed(file: string): Promise<TestHome> {
  const home = await openHome();
  await home.plugins.add(home.file('plugin.wasm', new Uint8Array(frozen(file))), { name: 'old' });
  return home;
}

describe('plugins built against the first version of the contract still run', () => {
  for (const file of ['rust-connector-seed.wasm', 'rust-connector.wasm'])
    test(`a connector: ${file}`, async () => {
      await using home = await installed(file);
      const call = (fn: string, ...args: Json[]) => home.plugins.call('old', fn, args);
      expect(home.plugins.list()).toMatchObject([{ name: 'old', kind: 'messaging' }]);
      expect(await call('post-message', 'ada', 'Good day')).toBe('1');
      expect(await call('poll-events')).toEqual([
        { id: '1', sender: { id: 'echo', display_name: 'Echo' }, text: 'Good day', metadata: '{"channel":"ada"}' },
      ]);
      expect(await call('poll-events')).toEqual([]);
      expect(home.plugins.logs('old').map((line) => line.message)).toContain('kept message 1 for ada');
    }, 60_000);

  for (const file of ['rust-example.wasm', 'c-example.wasm'])
    test(`typed functions, the store, the log and the web: ${file}`, async () => {
      await using home = await installed(file);
      const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('hello', { status: 203 }) });
      const host = `127.0.0.1:${server.port}`;
      home.configure({
        plugins: { old: { grants: { egress: [`GET http://${host}/`], private_hosts: [host] } } },
      });
      const call = (fn: string, ...args: Json[]) => home.plugins.call('old', fn, args);
      expect(await call('greet', 'Zoë')).toBe('Hello, Zoë!');
      expect(home.plugins.logs('old').at(-1)?.message).toBe('Hello, Zoë!');
      expect(await call('add', 2, 3)).toBe(5);
      expect(await call('total', [{ item: 'tea', price: 2.5, amount: 4 }])).toEqual({
        items: ['tea'],
        amount: 4,
        price: 10,
      });
      expect([await call('remember', 'k', 'one'), await call('remember', 'k', 'two')]).toEqual([null, 'one']);
      expect(await call('fetch', `http://${host}/`)).toEqual({ status: 203, body: 'hello' });
      await server.stop(true);
    }, 60_000);
});

/** Every declaration, as `interface host-api / record request / field method` with its text. */
function declarations(items: WitItem[], path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const item of items) {
    // What a world imports or includes shows in its exports.
    if (['use', 'include', 'import', 'package'].includes(item.kind)) continue;
    const at = `${path}${item.kind} ${item.name}`;
    // A record, variant or enum is the order of its parts, too.
    const parts = ['interface', 'world'].includes(item.kind) ? '' : ` { ${item.items.map((i) => i.text).join(', ')} }`;
    found.set(at, item.text + parts);
    for (const [inner, text] of declarations(item.items, `${at} / `)) found.set(inner, text);
  }
  return found;
}

test('the contract only grows: all of its first version stands in it unchanged', () => {
  const today = declarations(readWit(now));
  const first = declarations(readWit(frozen('core.wit').toString()));
  expect(first.size).toBeGreaterThan(60);
  // Between px and an engine it once carried: no plugin was ever built for them.
  const internal = /^(?:interface plugin-source|world script-engine)\b/;
  expect([...first].filter(([at, text]) => !internal.test(at) && today.get(at) !== text)).toEqual([]);
});

test('every function of the contract is documented, in wit/ and in the reference', () => {
  const reference = readFileSync(join(import.meta.dir, '../../docs/reference/wit.md'), 'utf8');
  const functions = readWit(now).flatMap((home) =>
    home.items.filter(({ kind }) => kind === 'func' || kind === 'export'),
  );
  expect(functions.length).toBeGreaterThan(30);
  expect(functions.filter(({ docs }) => docs.length < 15).map(({ name }) => name)).toEqual([]);
  expect(
    functions.filter(({ text, docs }) => !reference.includes(`${text}\n\`\`\`\n\n${docs}`)).map((f) => f.name),
  ).toEqual([]);
});
