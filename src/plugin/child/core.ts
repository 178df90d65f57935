import { PxError } from '../../error/error.ts';
import { type Extent, instancesOf, shareMemory, shareTables } from './share.ts';

/**
 * jco writes core names into the JavaScript it generates without escaping them, so that a name can become code.
 * Nothing that could end a string literal or a comment is let through.
 */
const safeName = /^[A-Za-z0-9_.:/@#$[\]()<>=+,|\- ]{0,1024}$/;

const section = { import: 2, table: 4, memory: 5, export: 7 };

const decoder = new TextDecoder();

/** A cursor over a core module. Every read is bounded. */
class Reader {
  at = 8;
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    if (bytes.length < 8 || magic.some((b, i) => bytes[i] !== b)) throw invalid('not a core module');
  }
  get done(): boolean {
    return this.at >= this.bytes.length;
  }
  byte(): number {
    const b = this.bytes[this.at++];
    if (b === undefined) throw invalid('it ends too early');
    return b;
  }
  /** An unsigned LEB128 number of at most 35 bits. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const b = this.byte();
      value += (b & 0x7f) * 2 ** shift;
      if (!(b & 0x80)) return value;
      if (shift >= 28) throw invalid('a number is too long');
    }
  }
  name(): string {
    const length = this.number();
    const raw = this.bytes.subarray(this.at, this.at + length);
    if (raw.length !== length) throw invalid('a name is cut off');
    this.at += length;
    const text = decoder.decode(raw);
    if (!safeName.test(text))
      throw new PxError('plugin.unsafe', `a core module has the unsafe name ${JSON.stringify(text.slice(0, 60))}`, {
        hint: 'Its names could become code in the glue that runs it. Build the plugin with a usual toolchain.',
      });
    return text;
  }
  reference(): void {
    const nullable = 0x63;
    const nonNull = 0x64;
    const type = this.byte();
    if (type === nullable || type === nonNull) this.number();
  }
  limits(what: string): Extent {
    const flags = this.byte();
    if (flags > 1)
      throw new PxError('plugin.unsafe', `a ${what} is shared, 64-bit or has its own page size, which px does not run`);
    const min = this.number();
    return { min, max: flags === 1 ? this.number() : undefined };
  }
}

const invalid = (why: string) => new PxError('plugin.invalid', `a core module inside the component is broken: ${why}`);

/** The sections of a module: id, where its body begins and ends, and where its header began. */
function* sections(reader: Reader): Generator<{ id: number; from: number; end: number }> {
  while (!reader.done) {
    const from = reader.at;
    const id = reader.byte();
    const size = reader.number();
    const end = reader.at + size;
    if (end > reader.bytes.length) throw invalid('a section is cut off');
    yield { id, from, end };
    reader.at = end;
  }
}

/** What a core module defines that takes memory. */
interface Defined {
  memories: Extent[];
  tables: Extent[];
}

/** Refuses unsafe names; gives the memories and tables the module defines. Throws PxError `plugin.unsafe`, `plugin.invalid`. */
function inspectCore(wasm: Uint8Array): Defined {
  const reader = new Reader(wasm);
  const memories: Extent[] = [];
  const tables: Extent[] = [];
  for (const { id, end } of sections(reader)) {
    if (id === section.import) for (let left = reader.number(); left > 0; left--) importEntry(reader);
    else if (id === section.export)
      for (let left = reader.number(); left > 0; left--) {
        reader.name();
        reader.byte();
        reader.number();
      }
    else if (id === section.memory)
      for (let left = reader.number(); left > 0; left--) memories.push(reader.limits('memory'));
    else if (id === section.table)
      for (let left = reader.number(); left > 0; left--) {
        tableType(reader, wasm);
        tables.push(reader.limits('table'));
      }
    else continue;
    if (reader.at !== end) throw invalid('a section has another length than it says');
  }
  return { memories, tables };
}

/** Reads a table's type: its bytes. */
function tableType(reader: Reader, wasm: Uint8Array): Uint8Array {
  const from = reader.at;
  if (wasm[from] === 0x40) throw new PxError('plugin.unsafe', 'a table has an initial value, which px does not run');
  reader.reference();
  return wasm.subarray(from, reader.at);
}

function importEntry(reader: Reader): void {
  reader.name();
  reader.name();
  const kind = reader.byte();
  if (kind === 0) reader.number();
  else if (kind === 1) {
    reader.reference();
    reader.limits('table');
  } else if (kind === 2) reader.limits('memory');
  else if (kind === 3) {
    reader.reference();
    reader.byte();
  } else if (kind === 4) {
    reader.byte();
    reader.number();
  } else throw invalid('an import is of an unknown kind');
}

/** The module with its memories and tables capped, in order of definition. */
function capCore(wasm: Uint8Array, caps: { memories: number[]; tables: number[] }): Uint8Array {
  const reader = new Reader(wasm);
  const out: Uint8Array[] = [wasm.subarray(0, 8)];
  let memory = 0;
  let table = 0;
  let changed = false;
  for (const { id, from, end } of sections(reader)) {
    if (id !== section.memory && id !== section.table) {
      out.push(wasm.subarray(from, end));
      continue;
    }
    changed = true;
    const count = reader.number();
    const body = leb(count);
    for (let i = 0; i < count; i++) {
      if (id === section.table) body.push(...tableType(reader, wasm));
      const { min, max } = reader.limits(id === section.table ? 'table' : 'memory');
      const cap = (id === section.table ? caps.tables[table++] : caps.memories[memory++]) ?? min;
      body.push(1, ...leb(min), ...leb(Math.min(max ?? cap, cap)));
    }
    out.push(Uint8Array.from([id, ...leb(body.length), ...body]));
  }
  return changed ? Buffer.concat(out) : wasm;
}

/**
 * Files as given, each core module among them with checked names, and with memories and tables that stay within the bounds together, over all
 * instances of all modules. Throws PxError `plugin.unsafe`, `plugin.invalid`, `plugin.memory`.
 */
export function capModules(files: [string, Uint8Array][], memoryMb: number): [string, Uint8Array][] {
  const times = instancesOf(files);
  const modules = files.map(([name, bytes]) => ({
    name,
    bytes,
    defined: name.endsWith('.wasm') ? inspectCore(bytes) : undefined,
    times: times.get(name) ?? 1,
  }));
  /** The caps of one kind, module by module: of several instances the smallest share counts, since they share the bytes. */
  const share = (kind: keyof Defined, shared: (all: Extent[]) => number[]) => {
    const own = modules.map(({ defined }) => defined?.[kind] ?? []);
    const caps = shared(own.flatMap((list, i) => Array.from({ length: modules[i]?.times ?? 1 }, () => list).flat()));
    return own.map((list, i) => {
      const all = caps.splice(0, list.length * (modules[i]?.times ?? 1));
      return list.map((_, n) => Math.min(...all.filter((_cap, at) => at % list.length === n)));
    });
  };
  const memories = share('memories', (all) => shareMemory(all, memoryMb));
  const tables = share('tables', shareTables);
  return modules.map(({ name, bytes, defined }, i) => [
    name,
    defined ? capCore(bytes, { memories: memories[i] ?? [], tables: tables[i] ?? [] }) : bytes,
  ]);
}

/** A number as unsigned LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}
