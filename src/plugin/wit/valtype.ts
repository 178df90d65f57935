import { type Cursor, hex, invalid } from './cursor.ts';
import type { WitPrimitive, WitType } from './types.ts';

const primitives: Record<number, WitPrimitive> = {
  127: 'bool',
  126: 's8',
  125: 'u8',
  124: 's16',
  123: 'u16',
  122: 's32',
  121: 'u32',
  120: 's64',
  119: 'u64',
  118: 'f32',
  117: 'f64',
  116: 'char',
  115: 'string',
};

/** Looks a type index up; throws when it is not a value type. */
export type Lookup = (index: number) => WitType;

/** Reads a value type: a primitive's code or a type index. */
export function readValType(c: Cursor, lookup: Lookup): WitType {
  const first = c.byte();
  if (first < 0x40) return lookup(first);
  if (first < 0x80) return primitive(first);
  let index = first & 0x7f;
  for (let shift = 7; shift < 35; shift += 7) {
    const b = c.byte();
    index += (b & 0x7f) * 2 ** shift;
    if (b >= 0x80) continue;
    if (b & 0x40) break;
    return lookup(index);
  }
  throw invalid('a type index is out of range');
}

function primitive(code: number): WitType {
  if (code === 0x64) return { kind: 'opaque', what: 'an error context' };
  const kind = primitives[code];
  if (!kind) throw invalid(`it has an unknown type ${hex(code)}`);
  return { kind };
}

/** Reads the definition of a value type whose first byte is `code`. */
export function readDefinedType(code: number, c: Cursor, lookup: Lookup): WitType {
  const type = () => readValType(c, lookup);
  switch (code) {
    case 0x72:
      return { kind: 'record', fields: unique(c.list(() => ({ name: c.name(), type: type() }))) };
    case 0x71:
      return {
        kind: 'variant',
        cases: unique(
          c.list(() => {
            const one = { name: c.name(), type: c.optional(type) };
            if (c.byte() !== 0) throw invalid('a variant case has an unknown ending');
            return one;
          }),
        ),
      };
    case 0x70:
      return { kind: 'list', of: type() };
    case 0x67: {
      const of = type();
      return { kind: 'opaque', what: `a list of exactly ${c.u32()} (${of.kind})` };
    }
    case 0x6f:
      return { kind: 'tuple', of: c.list(type) };
    case 0x6e:
      return { kind: 'flags', names: names(c) };
    case 0x6d:
      return { kind: 'enum', cases: names(c) };
    case 0x6b:
      return { kind: 'option', of: type() };
    case 0x6a:
      return { kind: 'result', ok: c.optional(type), err: c.optional(type) };
    case 0x69:
    case 0x68:
      c.u32();
      return { kind: 'opaque', what: 'a resource' };
    case 0x66:
      c.optional(type);
      return { kind: 'opaque', what: 'a stream' };
    case 0x65:
      c.optional(type);
      return { kind: 'opaque', what: 'a future' };
    default:
      return primitive(code);
  }
}

function names(c: Cursor): string[] {
  return unique(c.list(() => ({ name: c.name() }))).map((n) => n.name);
}

/** Labels must differ: two equal ones would hide each other in JSON. */
function unique<T extends { name: string }>(items: T[]): T[] {
  if (items.length === 0) throw invalid('a type has no parts');
  if (new Set(items.map((i) => i.name)).size !== items.length) throw invalid('a type names a part twice');
  for (const i of items) label(i.name);
  return items;
}

/** A WIT label: words of letters and digits joined by dashes. */
export function label(name: string): string {
  if (!/^[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$/.test(name))
    throw invalid(`${JSON.stringify(name.slice(0, 60))} is not a WIT name`);
  return name;
}

/** How much JSON a type becomes when written out, in characters, roughly, and how deep it nests. Shared parts are counted each time. */
export interface Extent {
  size: number;
  depth: number;
}

const extents = new WeakMap<WitType, Extent>();

/** The extent of a type. Types are built from the bottom up, so the parts' extents are known already and this never recurses deeply. */
export function extent(type: WitType): Extent {
  const known = extents.get(type);
  if (known) return known;
  const total: Extent = { size: 16, depth: 0 };
  const add = (part: WitType | null, name = '') => {
    const e = part ? extent(part) : { size: 4, depth: 0 };
    total.size += e.size + name.length + 16;
    total.depth = Math.max(total.depth, e.depth);
  };
  switch (type.kind) {
    case 'list':
    case 'option':
      add(type.of);
      break;
    case 'result':
      add(type.ok);
      add(type.err);
      break;
    case 'tuple':
      for (const t of type.of) add(t);
      break;
    case 'record':
      for (const f of type.fields) add(f.type, f.name);
      break;
    case 'variant':
      for (const k of type.cases) add(k.type, k.name);
      break;
    case 'enum':
      for (const n of type.cases) add(null, n);
      break;
    case 'flags':
      for (const n of type.names) add(null, n);
      break;
  }
  total.depth++;
  extents.set(type, total);
  return total;
}

/** What a type holds that JSON cannot, or nothing. Call only for types of a bounded {@link extent}. */
export function opaquePart(type: WitType | null): string | undefined {
  if (!type) return undefined;
  const any = (parts: (WitType | null)[]) => parts.map(opaquePart).find((p) => p !== undefined);
  switch (type.kind) {
    case 'opaque':
      return type.what;
    case 'list':
    case 'option':
      return opaquePart(type.of);
    case 'result':
      return any([type.ok, type.err]);
    case 'tuple':
      return any(type.of);
    case 'record':
      return any(type.fields.map((f) => f.type));
    case 'variant':
      return any(type.cases.map((k) => k.type));
    default:
      return undefined;
  }
}
