import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import Ajv2020 from 'ajv/dist/2020.js';
import { PxError } from '../../src/error/error.ts';
import { argumentsOf, fromWit, schemaOf, schemaOfParams, toWit } from '../../src/plugin/wit/json.ts';
import { readComponent } from '../../src/plugin/wit/read.ts';
import type { WitField, WitType } from '../../src/plugin/wit/types.ts';
import { checkArguments } from '../../src/tool/arguments.ts';
import type { Json } from '../../src/wire/wire.ts';
import { createRandom } from '../plugin/fuzz/random.ts';
import { generateType, generateValue, witOf } from './generate.ts';

const message = (run: () => unknown): string => {
  try {
    run();
  } catch (e) {
    if (e instanceof PxError && e.code === 'plugin.function') return e.message;
    throw e;
  }
  return 'accepted';
};
const point: WitType = {
  kind: 'record',
  fields: [
    { name: 'first-name', type: { kind: 'string' } },
    { name: 'age', type: { kind: 'option', of: { kind: 'u8' } } },
  ],
};

describe('JSON to WIT', () => {
  test('64-bit integers are taken as numbers and as text, and keep every digit', () => {
    const max = '18446744073709551615';
    expect(toWit({ kind: 'u64' }, max)).toBe(18446744073709551615n);
    expect(toWit({ kind: 'u64' }, 7)).toBe(7n);
    expect(fromWit({ kind: 'u64' }, 18446744073709551615n)).toBe(max);
    expect(fromWit({ kind: 's64' }, -5n)).toBe(-5);
    expect(message(() => toWit({ kind: 'u64' }, '18446744073709551616'))).toContain('a whole number from 0 to');
    expect(message(() => toWit({ kind: 's64' }, 1.5))).toContain('whole number');
  });

  test('an integer out of range names its place and range', () => {
    const type: WitType = { kind: 'list', of: point };
    expect(message(() => toWit(type, [{ first_name: 'a', age: 256 }], 'people'))).toBe(
      'people[0].age must be a whole number from 0 to 255, not 256',
    );
  });

  test('keys are taken in snake_case, kebab-case and camelCase; an unknown one is named', () => {
    for (const key of ['first_name', 'first-name', 'firstName'])
      expect(toWit(point, { [key]: 'x' })).toEqual({ firstName: 'x', age: undefined });
    expect(message(() => toWit(point, { firstname: 'x' }, 'who'))).toBe(
      'who has no "firstname"; it takes first_name, age',
    );
    expect(message(() => toWit(point, JSON.parse('{"__proto__": {"first_name": "x"}}')))).toContain(
      'has no "__proto__"',
    );
  });

  test('bytes are base64 or an array of numbers', () => {
    const bytes: WitType = { kind: 'list', of: { kind: 'u8' } };
    expect(toWit(bytes, '+/8=')).toEqual(Uint8Array.of(0xfb, 0xff));
    expect(toWit(bytes, '-_8')).toEqual(Uint8Array.of(0xfb, 0xff));
    expect(toWit(bytes, [251, 255])).toEqual(Uint8Array.of(0xfb, 0xff));
    expect(message(() => toWit(bytes, 'no base64!'))).toContain('base64');
  });

  test('a wrong case lists the right ones', () => {
    const shape: WitType = {
      kind: 'variant',
      cases: [
        { name: 'no-thing', type: null },
        { name: 'some-text', type: { kind: 'string' } },
      ],
    };
    expect(toWit(shape, 'no_thing')).toEqual({ tag: 'no-thing' });
    expect(toWit(shape, { some_text: 'x' })).toEqual({ tag: 'some-text', val: 'x' });
    expect(message(() => toWit(shape, { other: 1 }))).toContain('one of "no-thing", {"some-text": …}');
    expect(message(() => toWit({ kind: 'enum', cases: ['red', 'blue'] }, 'green'))).toContain('one of red, blue');
  });

  test('named arguments become the array a function takes', () => {
    const params = [
      { name: 'zone-offset', type: { kind: 'option', of: { kind: 's32' } } satisfies WitType },
      { name: 'text', type: { kind: 'string' } satisfies WitType },
    ];
    expect(argumentsOf(params, { text: 'x' })).toEqual([null, 'x']);
    expect(message(() => argumentsOf(params, { zone: 1 }))).toContain('it takes zone_offset, text');
  });
});

describe('schemas', () => {
  test('parameters are one object with snake_case names; options need not be given', () => {
    const params = [
      { name: 'zone-offset', type: { kind: 'option', of: { kind: 's8' } } satisfies WitType, docs: 'Minutes.' },
      { name: 'who', type: point },
    ];
    expect(schemaOfParams(params)).toEqual({
      type: 'object',
      properties: {
        zone_offset: { type: 'integer', minimum: -128, maximum: 127, description: 'Minutes.' },
        who: {
          type: 'object',
          properties: { first_name: { type: 'string' }, age: { type: 'integer', minimum: 0, maximum: 255 } },
          required: ['first_name'],
        },
      },
      required: ['who'],
    });
  });

  test('a 64-bit integer beyond 2^53 gets through as text, as the schema says; as a number it has lost digits and is refused', () => {
    const params: WitField[] = [
      { name: 'of', type: { kind: 'u64' } },
      { name: 'more', type: { kind: 'list', of: { kind: 's64' } } },
    ];
    const schema = schemaOfParams(params);
    for (const given of [
      { of: 7, more: [-1] },
      { of: '18446744073709551615', more: ['-9223372036854775808', 9007199254740991] },
    ]) {
      expect([checkArguments(schema, given), new Ajv2020({ strict: false }).validate(schema, given)]).toEqual([
        [],
        true,
      ]);
      for (const { name, type } of params) toWit(type, (given as { [name: string]: Json })[name]);
    }
    expect(message(() => toWit({ kind: 'u64' }, 2 ** 60, 'of'))).toContain('of must be text when it is beyond 2^53');
  });

  test('variants say which cases stand alone and which carry a value', () => {
    const type: WitType = { kind: 'result', ok: { kind: 'bool' }, err: null };
    expect(schemaOf(type)).toEqual({
      anyOf: [
        { type: 'string', enum: ['err'] },
        { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
      ],
    });
  });
});

describe('types made by chance', () => {
  const random = createRandom(20261129);
  const types = Array.from({ length: 2_000 }, () => generateType(random));

  test('a value goes into WIT and comes back the same, whatever its type', () => {
    const kinds = new Set<string>();
    for (const type of types)
      for (let i = 0; i < 3; i++) {
        const value = generateValue(type, random);
        expect([type, fromWit(type, toWit(type, value))]).toEqual([type, value]);
        kinds.add(type.kind);
      }
    expect(kinds.size).toBe(21);
  });

  test('a value as the schema asks for it is taken', () => {
    const ajv = new Ajv2020({ strict: false });
    for (const type of types.slice(0, 200)) {
      const valid = ajv.compile(schemaOf(type));
      for (let i = 0; i < 3; i++) {
        const value = generateValue(type, random, true);
        expect([JSON.stringify({ type, value }), valid(value), message(() => toWit(type, value))]).toEqual([
          expect.anything(),
          true,
          'accepted',
        ]);
      }
    }
  });
});

/** Values that must come back unchanged from a component that returns what it got. */
const samples: Record<string, { wit: string; values: Json[] }> = {
  bool: { wit: 'bool', values: [true, false] },
  small: { wit: 'tuple<s8, u8, s16, u16, s32, u32>', values: [[-128, 255, -3, 65535, -2147483648, 4294967295]] },
  wide: { wit: 'tuple<s64, u64>', values: [[-5, 77]] },
  floats: {
    wit: 'tuple<f32, f64>',
    values: [
      [1.5, -0.1],
      ['NaN', 'Infinity'],
    ],
  },
  text: { wit: 'tuple<char, string>', values: [['😀', 'hé😀']] },
  bytes: { wit: 'list<u8>', values: ['AAH/', ''] },
  'list-u16': { wit: 'list<u16>', values: [[1, 65535], []] },
  'list-s64': { wit: 'list<s64>', values: [[-1, 2]] },
  'list-f64': { wit: 'list<f64>', values: [[0.5]] },
  'list-bool': { wit: 'list<bool>', values: [[true, false]] },
  'list-char': { wit: 'list<char>', values: [['a', '😀']] },
  maybe: { wit: 'option<string>', values: [null, 'x'] },
  'maybe-maybe': { wit: 'option<option<u8>>', values: [null, { some: null }, { some: 3 }] },
  'maybe-thrice': {
    wit: 'option<option<option<u8>>>',
    values: [null, { some: null }, { some: { some: null } }, { some: { some: 3 } }],
  },
  'maybe-four': {
    wit: 'list<option<option<option<option<string>>>>>',
    values: [
      [null, { some: null }],
      [{ some: { some: { some: null } } }, { some: { some: { some: 'x' } } }, { some: { some: null } }],
    ],
  },
  rec: {
    wit: 'rec',
    values: [
      { first_name: 'a', n: 5, data: 'AAEC', col: 'dark-blue' },
      { first_name: '', n: null, data: '', col: null },
    ],
  },
  recs: { wit: 'list<rec>', values: [[{ first_name: 'a', n: 5, data: '', col: null }]] },
  vari: { wit: 'vari', values: ['none-at-all', { 'some-text': 'x' }, { opt: null }, { opt: 3 }] },
  flg: { wit: 'flg', values: [[], ['write-all'], ['read', 'x2']] },
  nested: {
    wit: 'tuple<u8, result<u8, string>>',
    values: [
      [1, { ok: 2 }],
      [1, { err: 'e' }],
    ],
  },
  unit: {
    wit: 'tuple<u8, result>',
    values: [
      [1, { ok: null }],
      [1, { err: null }],
    ],
  },
};

const random = createRandom(1129);
const declared: string[] = [];
const declare = (text: (name: string) => string) => {
  const name = `t${declared.length}`;
  declared.push(text(name));
  return name;
};
// In a tuple: a result alone would be the function's own.
for (let i = 0; i < 40; i++) {
  const type: WitType = { kind: 'tuple', of: [generateType(random, 3), { kind: 'u8' }] };
  samples[`g${i}`] = {
    wit: witOf(type, declare),
    // What runs inside this component makes floats of 64-bit integers; those go through one without it below.
    values: Array.from({ length: 3 }, () => generateValue(type, random)).filter(
      (value) => !/"-?\d{16,}"/.test(JSON.stringify(value)),
    ),
  };
}

/** A component that imports nothing, at work in this process. */
async function instanceOf(component: Uint8Array, dir: string) {
  const { transpileBytes } = await import('@bytecodealliance/jco-transpile');
  const { files } = await transpileBytes(component, { name: 'p', instantiation: 'sync', base64Cutoff: 0 });
  const byName = new Map(Object.entries(files));
  writeFileSync(join(dir, 'p.mjs'), byName.get('p.js') ?? '');
  const generated = await import(join(dir, 'p.mjs'));
  return generated.instantiate((f: string) => new WebAssembly.Module(new Uint8Array(byName.get(f) ?? [])), {});
}

test('64-bit integers go through a real component without loss', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'px-wide-'));
  const instance = await instanceOf(
    await parse(`(component
      (core module $m (func (export "same") (param i64) (result i64) local.get 0))
      (core instance $i (instantiate $m))
      (func (export "u") (param "v" u64) (result u64) (canon lift (core func $i "same")))
      (func (export "s") (param "v" s64) (result s64) (canon lift (core func $i "same"))))`),
    dir,
  );
  for (const [kind, values] of [
    ['u64', [0, 7, 9007199254740991, '9007199254740992', '9007199254740993', '18446744073709551615']],
    ['s64', [-1, '-9007199254740993', '9223372036854775807', '-9223372036854775808']],
  ] as const)
    for (const value of values)
      expect([kind, fromWit({ kind }, instance[kind[0] ?? ''](toWit({ kind }, value)))]).toEqual([kind, value]);
  rmSync(dir, { recursive: true });
});

test('every kind of value goes through a real component and comes back the same', async () => {
  const { componentize } = await import('componentize-qjs');
  const dir = mkdtempSync(join(tmpdir(), 'px-echo-'));
  const names = Object.keys(samples);
  const camel = (n: string) => `e${n.replace(/(?:^|-)(.)/g, (_, c: string) => c.toUpperCase())}`;
  writeFileSync(
    join(dir, 'w.wit'),
    `package demo:echo@0.1.0; interface e {
      record rec { first-name: string, n: option<u64>, data: list<u8>, col: option<color> }
      variant vari { none-at-all, some-text(string), opt(option<u8>) }
      enum color { red, dark-blue } flags flg { read, write-all, x2 }
      ${declared.join('\n')}
      ${names.map((n) => `e-${n}: func(v: ${samples[n]?.wit}) -> ${samples[n]?.wit};`).join('\n')}
    } world w { export e; }`,
  );
  const { component } = await componentize({
    witPath: dir,
    world: 'w',
    jsSource: `export const e = { ${names.map((n) => `${camel(n)}: v => v`).join(', ')} };`,
    optSize: true,
    sync: true,
    stubWasi: true,
  });
  const instance = await instanceOf(component, dir);
  expect(readComponent(component).functions.map((f) => f.name)).not.toContain('init');
  for (const fn of readComponent(component).functions) {
    const sample = samples[fn.name.slice(fn.name.indexOf('#e-') + 3)];
    const [param] = fn.params;
    if (!sample || !param) continue;
    for (const value of sample.values) {
      const call = fn.jsPath.reduce((at, key) => at[key], instance);
      expect([fn.name, fromWit(fn.result, call(toWit(param.type, value)))]).toEqual([fn.name, value]);
    }
  }
  rmSync(dir, { recursive: true });
}, 30_000);
