import { PxError } from '../../error/error.ts';
import type { Json } from '../../wire/wire.ts';
import { camel, snake, type WitField, type WitInteger, type WitType } from './types.ts';

export { schemaOf, schemaOfParams } from './schema.ts';

/*
 * The JSON mapping. Records ↔ objects with snake_case keys (kebab-case and camelCase are taken too); list<u8> ↔ base64 (an array of
 * numbers is taken too); s64, u64 ↔ number when safe, else decimal text; option: the value, or null or absent; option of option: {"some": …};
 * variant ↔ {"case": payload} or "case"; result inside a value ↔ {"ok": …} or {"err": …}; enum ↔ text; flags ↔ array of text; tuple ↔ array;
 * floats that JSON lacks ↔ "NaN", "Infinity", "-Infinity". Cases, enums and flags are spelt as in WIT (snake_case and camelCase are taken too).
 */

/** Smallest and largest value of WIT's integers; the 64-bit ones as bigint. */
const ranges: Record<WitInteger, [bigint, bigint]> = {
  s8: [-128n, 127n],
  u8: [0n, 255n],
  s16: [-32768n, 32767n],
  u16: [0n, 65535n],
  s32: [-(2n ** 31n), 2n ** 31n - 1n],
  u32: [0n, 2n ** 32n - 1n],
  s64: [-(2n ** 63n), 2n ** 63n - 1n],
  u64: [0n, 2n ** 64n - 1n],
};

const specialFloats: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function bad(path: string, wanted: string, got: unknown): PxError {
  const shown = got === undefined ? 'nothing' : JSON.stringify(got)?.slice(0, 60);
  return new PxError('plugin.function', `${path} must be ${wanted}, not ${shown}`, { data: { path } });
}

/**
 * JSON as the JavaScript value jco passes to a component. `path` names the place in errors.
 * Throws PxError `plugin.function` that says which part does not fit.
 */
export function toWit(type: WitType, json: Json | undefined, path = 'value'): unknown {
  switch (type.kind) {
    case 'bool':
      if (typeof json !== 'boolean') throw bad(path, 'true or false', json);
      return json;
    case 'string':
      if (typeof json !== 'string') throw bad(path, 'text', json);
      return json.toWellFormed();
    case 'char':
      if (typeof json !== 'string' || [...json].length !== 1 || !json.isWellFormed())
        throw bad(path, 'one character', json);
      return json;
    case 'f32':
    case 'f64': {
      const special = typeof json === 'string' ? specialFloats[json] : undefined;
      if (special === undefined && typeof json !== 'number') throw bad(path, 'a number', json);
      return special ?? json;
    }
    case 'list':
      return toList(type.of, json, path);
    case 'tuple':
      if (!Array.isArray(json) || json.length !== type.of.length)
        throw bad(path, `an array of ${type.of.length}`, json);
      return type.of.map((t, i) => toWit(t, json[i], `${path}[${i}]`));
    case 'option':
      return toOption(type.of, json, path);
    case 'record':
      return toRecord(type.fields, json, path);
    case 'result':
      return toCase(
        [
          { name: 'ok', type: type.ok },
          { name: 'err', type: type.err },
        ],
        json,
        path,
      );
    case 'variant':
      return toCase(type.cases, json, path);
    case 'enum': {
      const found = typeof json === 'string' ? type.cases.find((n) => spellings(n).includes(json)) : undefined;
      if (!found) throw bad(path, `one of ${type.cases.join(', ')}`, json);
      return found;
    }
    case 'flags': {
      const known = type.names.flatMap(spellings);
      if (!Array.isArray(json) || json.some((j) => typeof j !== 'string' || !known.includes(j)))
        throw bad(path, `an array of ${type.names.join(', ')}`, json);
      return Object.fromEntries(type.names.map((n) => [camel(n), spellings(n).some((s) => json.includes(s))]));
    }
    case 'opaque':
      throw new PxError('plugin.function', `${path} is ${type.what}, which JSON cannot say`);
    default:
      return toInteger(type.kind, json, path);
  }
}

/**
 * Whether jco writes an option of this type as the value itself or undefined, and not as `{tag, val}`: where the value is never undefined. So
 * of options within options it writes every second one plainly, counted from the innermost.
 */
function isPlain(of: WitType): boolean {
  return of.kind !== 'option' || !isPlain(of.of);
}

function toOption(of: WitType, json: Json | undefined, path: string): unknown {
  if (json === undefined || json === null) return isPlain(of) ? undefined : { tag: 'none' };
  if (of.kind !== 'option') return toWit(of, json, path);
  if (!isObject(json) || !Object.hasOwn(json, 'some')) throw bad(path, 'null or {"some": …}', json);
  const val = toWit(of, json['some'], `${path}.some`);
  return isPlain(of) ? val : { tag: 'some', val };
}

function toInteger(kind: WitInteger, json: Json | undefined, path: string): number | bigint {
  const [min, max] = ranges[kind];
  const value = kind === 's64' || kind === 'u64' ? wideInteger(json) : json;
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
  // It came as a number, and its last digits are lost already.
  if (typeof json === 'number' && !Number.isSafeInteger(json) && value === undefined && Number.isInteger(json))
    throw bad(path, `text when it is beyond 2^53, like ${JSON.stringify(String(max))}`, json);
  if (!whole || value < min || value > max) throw bad(path, `a whole number from ${min} to ${max}`, json);
  return value;
}

/** An integer that may be larger than a number says exactly: a number where it is safe, else decimal text. */
function wideInteger(json: Json | undefined): bigint | undefined {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json);
  return typeof json === 'string' && /^-?\d{1,20}$/.test(json) ? BigInt(json) : undefined;
}

/** What jco uses for lists of numbers. */
const typedArrays = {
  u8: Uint8Array,
  s8: Int8Array,
  u16: Uint16Array,
  s16: Int16Array,
  u32: Uint32Array,
  s32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

function toList(of: WitType, json: Json | undefined, path: string): unknown {
  if (of.kind === 'u8' && typeof json === 'string') {
    try {
      return Uint8Array.fromBase64(json, { alphabet: /[-_]/.test(json) ? 'base64url' : 'base64' });
    } catch {
      throw bad(path, 'base64 text', json);
    }
  }
  if (!Array.isArray(json)) throw bad(path, of.kind === 'u8' ? 'base64 text or an array of numbers' : 'an array', json);
  const items = json.map((j, i) => toWit(of, j, `${path}[${i}]`));
  if (of.kind === 'u64') return BigUint64Array.from(items.filter((i) => typeof i === 'bigint'));
  if (of.kind === 's64') return BigInt64Array.from(items.filter((i) => typeof i === 'bigint'));
  if (of.kind in typedArrays) {
    const Make = typedArrays[of.kind as keyof typeof typedArrays];
    return Make.from(items.filter((i) => typeof i === 'number'));
  }
  return items;
}

function toRecord(fields: WitField[], json: Json | undefined, path: string): unknown {
  if (!isObject(json)) throw bad(path, `an object with ${fields.map((f) => snake(f.name)).join(', ')}`, json);
  checkKeys(fields, json, path);
  return Object.fromEntries(
    fields.map((f) => [camel(f.name), toWit(f.type, pick(json, f.name), `${path}.${snake(f.name)}`)]),
  );
}

function toCase(cases: { name: string; type: WitType | null }[], json: Json | undefined, path: string): unknown {
  const wanted = `one of ${cases.map((c) => (c.type ? `{"${c.name}": …}` : `"${c.name}"`)).join(', ')}`;
  const keys = isObject(json) ? Object.keys(json) : [];
  const key = typeof json === 'string' ? json : keys.length === 1 ? keys[0] : undefined;
  const found = cases.find((c) => key !== undefined && spellings(c.name).includes(key));
  if (!found || key === undefined) throw bad(path, wanted, json);
  const payload = isObject(json) ? json[key] : undefined;
  if (found.type) return { tag: found.name, val: toWit(found.type, payload, `${path}.${found.name}`) };
  if (payload !== undefined && payload !== null) throw bad(`${path}.${found.name}`, 'null', payload);
  return { tag: found.name };
}

/**
 * An object of named arguments as the array a function takes: `{zone_offset: 60}` → `[60]`.
 * Throws PxError `plugin.function` for a key that is no parameter.
 */
export function argumentsOf(params: WitField[], named: { [key: string]: Json }): Json[] {
  checkKeys(params, named, 'arguments');
  return params.map((p) => pick(named, p.name) ?? null);
}

function checkKeys(fields: WitField[], json: { [key: string]: Json }, path: string): void {
  // Most names are spelt in one way only.
  if (Object.keys(json).every((key) => fields.some(({ name }) => name === key))) return;
  const known = fields.flatMap((f) => spellings(f.name));
  const extra = Object.keys(json).find((k) => !known.includes(k));
  if (extra === undefined) return;
  const names = fields.map((f) => snake(f.name)).join(', ') || 'nothing';
  throw new PxError('plugin.function', `${path} has no ${JSON.stringify(extra.slice(0, 60))}; it takes ${names}`, {
    data: { path },
  });
}

/** A member by any spelling of its WIT name. */
function pick(json: { [key: string]: Json }, name: string): Json | undefined {
  if (Object.hasOwn(json, name) && !/[-A-Z]/.test(name)) return json[name];
  const key = spellings(name).find((k) => Object.hasOwn(json, k));
  return key === undefined ? undefined : json[key];
}

function spellings(name: string): string[] {
  return [snake(name), name, camel(name)];
}

function isObject(json: unknown): json is { [key: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** A value that jco returned, as JSON. Throws PxError `plugin.invalid` when it is not of its type. */
export function fromWit(type: WitType | null, value: unknown): Json {
  if (!type) return null;
  const wrong = () => new PxError('plugin.invalid', `the plugin returned a value that is no ${type.kind}`);
  const parts = (v: unknown): { [key: string]: unknown } => {
    if (typeof v !== 'object' || v === null) throw wrong();
    return { ...v };
  };
  const items = (v: unknown): unknown[] => {
    if (Array.isArray(v)) return v;
    if (!ArrayBuffer.isView(v) || v instanceof DataView) throw wrong();
    return Array.from(v as Uint8Array | BigUint64Array, (n: unknown) => n);
  };
  switch (type.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrong();
      return value;
    case 'string':
    case 'char':
      if (typeof value !== 'string') throw wrong();
      return value;
    case 'enum':
      if (typeof value !== 'string' || !type.cases.includes(value)) throw wrong();
      return value;
    case 'list':
      if (type.of.kind === 'u8' && value instanceof Uint8Array) return value.toBase64();
      return items(value).map((v) => fromWit(type.of, v));
    case 'tuple':
      return items(value).map((v, i) => fromWit(type.of[i] ?? null, v));
    case 'option':
      if (!isPlain(type.of)) {
        const option = parts(value);
        return option['tag'] === 'some' ? { some: fromWit(type.of, option['val']) } : null;
      }
      if (value === undefined || value === null) return null;
      return type.of.kind === 'option' ? { some: fromWit(type.of, value) } : fromWit(type.of, value);
    case 'record': {
      const record = parts(value);
      return Object.fromEntries(type.fields.map((f) => [snake(f.name), fromWit(f.type, record[camel(f.name)])]));
    }
    case 'result': {
      const { tag, val } = parts(value);
      return tag === 'ok' ? { ok: fromWit(type.ok, val) } : { err: fromWit(type.err, val) };
    }
    case 'variant': {
      const { tag, val } = parts(value);
      const found = type.cases.find((c) => c.name === tag);
      if (!found) throw wrong();
      return found.type ? { [found.name]: fromWit(found.type, val) } : found.name;
    }
    case 'flags': {
      const set = parts(value);
      return type.names.filter((n) => set[camel(n)] === true);
    }
    case 'opaque':
      throw wrong();
    default:
      if (typeof value === 'bigint') {
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : value.toString();
      }
      if (typeof value !== 'number') throw wrong();
      return Number.isFinite(value) ? value : String(value);
  }
}
