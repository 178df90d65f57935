import { snake, type WitPrimitive, type WitType } from '../../src/plugin/wit/types.ts';
import type { Json } from '../../src/wire/wire.ts';
import type { Random } from '../plugin/fuzz/random.ts';

const primitives = 'bool s8 u8 s16 u16 s32 u32 s64 u64 f32 f64 char string'.split(' ') as [
  WitPrimitive,
  ...WitPrimitive[],
];
const compounds = ['list', 'option', 'result', 'tuple', 'record', 'variant', 'enum', 'flags'] as const;
const words = ['a', 'x2', 'first-name', 'HTTP-api', 'write-all', 'type', 'some', 'none', 'ok', 'err', 'n-0'] as const;

/** A type of WIT, of at most this many levels. */
export function generateType(random: Random, depth = 4): WitType {
  if (depth === 0 || random.below(4) === 0) return { kind: random.pick(primitives) };
  const of = () => generateType(random, depth - 1);
  const perhaps = () => (random.below(3) === 0 ? null : of());
  const names = () => {
    const first = random.below(words.length);
    return Array.from({ length: 1 + random.below(4) }, (_, i) => words[(first + i) % words.length] ?? 'a');
  };
  const kind = random.pick(compounds);
  switch (kind) {
    case 'list':
    case 'option':
      return { kind, of: of() };
    case 'result':
      return { kind, ok: perhaps(), err: perhaps() };
    case 'tuple':
      return { kind, of: Array.from({ length: 1 + random.below(3) }, of) };
    case 'record':
      return { kind, fields: names().map((name) => ({ name, type: of() })) };
    case 'variant':
      return { kind, cases: names().map((name) => ({ name, type: perhaps() })) };
    case 'enum':
      return { kind, cases: names() };
    case 'flags':
      return { kind, names: names() };
  }
}

const texts = ['', 'Zoë', '日本\n"\\', '😀\u0000', '{{secret:X}}'] as const;
const wholes: Record<string, readonly [Json, ...Json[]]> = {
  s8: [-128, 0, 127],
  u8: [0, 255],
  s16: [-32768, 7],
  u16: [65535, 1],
  s32: [-2147483648, 2147483647],
  u32: [4294967295, 0],
  s64: [-5, '-9223372036854775808', Number.MAX_SAFE_INTEGER, '9007199254740993'],
  u64: [0, '18446744073709551615', 9007199254740991, '9007199254740992'],
  f32: [1.5, -0.25, 'NaN', '-Infinity'],
  f64: [0.1, 1e300, 'Infinity', 'NaN'],
};

/** A value of a type as px writes it; `plain`: as a model writes it, by the schema. */
export function generateValue(type: WitType, random: Random, plain = false): Json {
  const of = (inner: WitType) => generateValue(inner, random, plain);
  const some = <T>(make: () => T): T[] => Array.from({ length: random.below(4) }, make);
  const oneOf = (cases: { name: string; type: WitType | null }[]): Json => {
    const { name, type: inner } = cases[random.below(cases.length)] ?? { name: '', type: null };
    return inner ? { [name]: of(inner) } : name;
  };
  switch (type.kind) {
    case 'bool':
      return random.below(2) === 0;
    case 'string':
      return random.pick(texts);
    case 'char':
      return random.pick(['a', '\0', 'ë', '😀']);
    case 'list':
      return type.of.kind === 'u8'
        ? Uint8Array.from(some(() => random.below(256))).toBase64()
        : some(() => of(type.of));
    case 'option': {
      if (random.below(3) === 0) return null;
      return type.of.kind === 'option' ? { some: of(type.of) } : of(type.of);
    }
    case 'tuple':
      return type.of.map(of);
    case 'record': {
      // What is optional a model leaves out.
      const fields = type.fields.flatMap(({ name, type: inner }): [string, Json][] => {
        const value = of(inner);
        const left = plain && value === null && inner.kind === 'option' && inner.of.kind !== 'option';
        return left ? [] : [[snake(name), value]];
      });
      return Object.fromEntries(fields);
    }
    case 'result': {
      const { ok, err } = type;
      const [name, inner] = random.below(2) === 0 ? (['ok', ok] as const) : (['err', err] as const);
      return plain && !inner ? name : { [name]: inner ? of(inner) : null };
    }
    case 'variant':
      return oneOf(type.cases);
    case 'enum':
      return type.cases[random.below(type.cases.length)] ?? '';
    case 'flags':
      return type.names.filter(() => random.below(2) === 0);
    case 'opaque':
      throw new Error('no value');
    default: {
      const value = random.pick(wholes[type.kind] ?? [0]);
      return plain && /^f/.test(type.kind) && typeof value === 'string' ? 1 : value;
    }
  }
}

/** A type as WIT writes it; what has to have a name is declared on the way. */
export function witOf(type: WitType, declare: (text: (name: string) => string) => string): string {
  const of = (inner: WitType) => witOf(inner, declare);
  const lines = (items: { name: string; type: WitType | null }[], form: (name: string, inner: string) => string) =>
    items.map(({ name, type: inner }) => (inner ? form(`%${name}`, of(inner)) : `%${name}`)).join(', ');
  switch (type.kind) {
    case 'list':
    case 'option':
      return `${type.kind}<${of(type.of)}>`;
    case 'tuple':
      return `tuple<${type.of.map(of).join(', ')}>`;
    case 'result': {
      const { ok, err } = type;
      if (err) return `result<${ok ? of(ok) : '_'}, ${of(err)}>`;
      return ok ? `result<${of(ok)}>` : 'result';
    }
    case 'record': {
      const body = lines(type.fields, (name, inner) => `${name}: ${inner}`);
      return declare((name) => `record ${name} { ${body} }`);
    }
    case 'variant': {
      const body = lines(type.cases, (name, inner) => `${name}(${inner})`);
      return declare((name) => `variant ${name} { ${body} }`);
    }
    case 'enum':
      return declare((name) => `enum ${name} { ${type.cases.map((one) => `%${one}`).join(', ')} }`);
    case 'flags':
      return declare((name) => `flags ${name} { ${type.names.map((one) => `%${one}`).join(', ')} }`);
    case 'opaque':
      throw new Error('no type');
    default:
      return type.kind;
  }
}
