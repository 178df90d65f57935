import { describe, expect, test } from 'bun:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { PxError } from '../../src/error/error.ts';
import { readComponent } from '../../src/plugin/wit/read.ts';
import { stopwatch } from '../stopwatch.ts';
import { dummyComponent } from './component.ts';

const core = await Bun.file(new URL('../../wit/core.wit', import.meta.url)).text();
/** The first world px was asked for: no package version, three host functions. It must always load. */
const seed = await Bun.file(
  new URL('../../plugins/example-rust/echo-channel-seed/wit/core.wit', import.meta.url),
).text();

const refusal = (bytes: Uint8Array): string => {
  try {
    readComponent(bytes);
  } catch (e) {
    if (e instanceof PxError && e.code === 'plugin.invalid') return e.message;
    throw e;
  }
  return 'read';
};

describe('reading a component', () => {
  test('every world of core.wit is read, and needs host-api and nothing else', async () => {
    const exportsOf = async (world: string) => {
      const read = readComponent(await dummyComponent(core, world));
      return { imports: read.imports, names: read.functions.map((f) => f.name) };
    };
    const hostApi = ['project-x:core/host-api@0.1.0'];
    expect(await exportsOf('messaging-plugin')).toEqual({ imports: hostApi, names: ['post-message', 'poll-events'] });
    expect(await exportsOf('tool-plugin')).toEqual({ imports: hostApi, names: ['list-tools', 'call-tool'] });
    expect((await exportsOf('live-messaging-plugin')).names).toEqual(
      'post-message poll-events describe next-wait on-wait set-typing react edit-message get-history'.split(' '),
    );
    const rich = await exportsOf('rich-messaging-plugin');
    expect(rich.imports).toEqual(hostApi);
    expect(rich.names).toContain('poll-events');
    expect(rich.names).toContain('next-send');
  });

  test('the first world, without a package version, is read with its types', async () => {
    const { imports, functions } = readComponent(await dummyComponent(seed, 'messaging-plugin'));
    expect(imports).toEqual(['project-x:core/host-api']);
    const [post, poll] = functions;
    expect(post).toEqual({
      name: 'post-message',
      jsPath: ['postMessage'],
      params: [
        { name: 'channel-id', type: { kind: 'string' } },
        { name: 'content', type: { kind: 'string' } },
      ],
      result: { kind: 'string' },
      error: { kind: 'string' },
      docs: '',
      notCallable: '',
    });
    expect(poll?.error).toBeUndefined();
    expect(poll?.result).toMatchObject({ kind: 'list', of: { kind: 'record' } });
  });

  test('functions of an exported interface carry its name and every value type', async () => {
    const wit = `package demo:all@1.2.3;
      interface ops {
        record point { x: s32, why-not: option<u64> }
        variant shape { dot, line(tuple<point, point>), rest(list<result<f32, char>>) }
        flags mode { read, write-all }
        enum color { red, dark-blue }
        draw: func(s: shape, m: mode) -> result<color, string>;
        ping: func();
      }
      world w { export ops; }`;
    const { imports, functions } = readComponent(await dummyComponent(wit, 'w'));
    const point = {
      kind: 'record',
      fields: [
        { name: 'x', type: { kind: 's32' } },
        { name: 'why-not', type: { kind: 'option', of: { kind: 'u64' } } },
      ],
    };
    const shape = {
      kind: 'variant',
      cases: [
        { name: 'dot', type: null },
        { name: 'line', type: { kind: 'tuple', of: [point, point] } },
        {
          name: 'rest',
          type: { kind: 'list', of: { kind: 'result', ok: { kind: 'f32' }, err: { kind: 'char' } } },
        },
      ],
    };
    expect(imports).toEqual([]);
    expect(JSON.parse(JSON.stringify(functions))).toEqual([
      {
        name: 'demo:all/ops@1.2.3#draw',
        jsPath: ['demo:all/ops@1.2.3', 'draw'],
        params: [
          { name: 's', type: shape },
          { name: 'm', type: { kind: 'flags', names: ['read', 'write-all'] } },
        ],
        result: { kind: 'enum', cases: ['red', 'dark-blue'] },
        error: { kind: 'string' },
        docs: '',
        notCallable: '',
      },
      {
        name: 'demo:all/ops@1.2.3#ping',
        jsPath: ['demo:all/ops@1.2.3', 'ping'],
        params: [],
        result: null,
        docs: '',
        notCallable: '',
      },
    ]);
  });

  test('a function with resources is listed with the reason why it cannot be called', async () => {
    const wit = `package demo:r; interface i { resource blob { constructor(); size: func() -> u32; } open: func() -> blob; }
      world w { export i; }`;
    const { functions } = readComponent(await dummyComponent(wit, 'w'));
    expect(functions.map((f) => [f.name, f.notCallable])).toEqual([
      ['demo:r/i#[constructor]blob', 'it belongs to a resource'],
      ['demo:r/i#[method]blob.size', 'it belongs to a resource'],
      ['demo:r/i#open', 'it takes or returns a resource, which cannot be written as JSON'],
    ]);
  });

  test('imports of types alone ask for nothing; an import with functions or resources is listed', async () => {
    const wit = `package demo:t; interface types { record r { a: u8 } } interface fs { resource file; }
      interface f { go: func(); }
      world w { use types.{r}; use fs.{file}; import f; import plain: func(); export run: func(x: r); }`;
    const { imports } = readComponent(await dummyComponent(wit, 'w'));
    expect(imports.sort()).toEqual(['demo:t/f', 'demo:t/fs', 'plain']);
  });
});

describe('a hostile component', () => {
  test('a core module, an empty file and text are refused with the reason', async () => {
    const asynchronous = `(component (core module $m (func (export "f")))
      (core instance $i (instantiate $m)) (func (export "f") (canon lift (core func $i "f") async)))`;
    expect(refusal(await parse(asynchronous))).toContain('is asynchronous');
    expect(refusal(await parse('(module)'))).toContain('core module');
    expect(refusal(new Uint8Array())).toContain('does not begin like');
    expect(refusal(new TextEncoder().encode('hello world'))).toContain('does not begin like');
  });

  test('a type that doubles forty times is named too large, at once', async () => {
    let wat = '(type $t0 (record (field "a" u8)))';
    for (let i = 1; i <= 40; i++) wat += `(type $t${i} (tuple $t${i - 1} $t${i - 1}))`;
    const bomb = await parse(`(component ${wat} (type $f (func (param "x" $t40))) (import "f" (func $g (type $f)))
      (export "f" (func $g)))`);
    const took = stopwatch();
    expect(readComponent(bomb).functions[0]).toMatchObject({ params: [], notCallable: 'its types are too large' });
    expect(took()).toBeLessThan(100);
  });

  test('components nested a thousand deep are refused', () => {
    let body: number[] = [];
    const leb = (n: number) => [(n & 0x7f) | 0x80, ((n >> 7) & 0x7f) | 0x80, (n >> 14) & 0x7f];
    for (let i = 0; i < 1000; i++) {
      const inner = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, ...body];
      body = [4, ...leb(inner.length), ...inner];
    }
    expect(refusal(Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, ...body]))).toContain('nests too deeply');
  });

  test('a count of four thousand million is refused without allocating', () => {
    const bytes = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 7, 5, 0xff, 0xff, 0xff, 0xff, 0x0f];
    expect(refusal(Uint8Array.from(bytes))).toContain('longer than the file');
  });

  test('cut or damaged anywhere, it is read or refused with plugin.invalid, never another fault', async () => {
    const whole = await dummyComponent(core, 'live-messaging-plugin');
    for (let cut = 0; cut < whole.length; cut += 7) refusal(whole.subarray(0, cut));
    let seed = 42;
    const next = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const outcomes = new Set<string>();
    for (let i = 0; i < 3000; i++) {
      const copy = whole.slice();
      for (let n = next(4); n >= 0; n--) copy[8 + next(copy.length - 8)] = next(256);
      outcomes.add(refusal(copy));
    }
    expect(outcomes.size).toBeGreaterThan(10);
  });
});

describe('documentation in a component', () => {
  const withSection = (component: Uint8Array, json: string) => {
    const name = new TextEncoder().encode('package-docs');
    const body = [name.length, ...name, 0, ...new TextEncoder().encode(json)];
    const size = [(body.length & 0x7f) | 0x80, (body.length >> 7) & 0x7f];
    return Uint8Array.from([...component, 0, ...size, ...body]);
  };
  const wit = `package demo:d; interface i { record r { a-b: u8 } go: func(x: r) -> u8; }
    world w { export i; export top: func(); }`;

  test('function and field texts are read from package-docs', async () => {
    const docs = {
      worlds: { w: { func_exports: { top: { docs: 'The top.' } } } },
      interfaces: { i: { funcs: { go: 'Goes.' }, types: { r: { items: { 'a-b': 'First.' } } } } },
    };
    const { functions } = readComponent(withSection(await dummyComponent(wit, 'w'), JSON.stringify(docs)));
    expect(functions.map((f) => f.docs).sort()).toEqual(['Goes.', 'The top.']);
    expect(JSON.stringify(functions)).toContain('"docs":"First."');
  });

  test('nonsense in the section is no reason to refuse', async () => {
    const component = await dummyComponent(wit, 'w');
    for (const json of ['[', 'null', '{"worlds":[1]}', '{"interfaces":{"i":7}}', '['.repeat(5000)])
      expect(readComponent(withSection(component, json)).functions.map((f) => f.docs)).toEqual(['', '']);
  });
});
