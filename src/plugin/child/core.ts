import { PxError } from '../../error/error.ts';

/** A linear memory a core module defines, in pages of 64 KiB. */
interface Memory {
  min: number;
  max: number | undefined;
}

/** Most entries a table of a plugin may have. */
const tableCap = 100_000;
const pagesPerMib = 16;

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
  limits(what: string): Memory {
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

/** Refuses unsafe names; gives the memories the module defines. Throws PxError `plugin.unsafe`, `plugin.invalid`. */
function inspectCore(wasm: Uint8Array): Memory[] {
  const reader = new Reader(wasm);
  const memories: Memory[] = [];
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
    else continue;
    if (reader.at !== end) throw invalid('a section has another length than it says');
  }
  return memories;
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

/**
 * How far each memory may grow so that all together never pass the cap, in pages. What is left above the minimums is shared
 * in proportion to them: the one that holds the program gets nearly all of it. Throws PxError `plugin.memory`.
 */
function shareMemory(memories: Memory[], memoryMb: number): number[] {
  const cap = memoryMb * pagesPerMib;
  const least = memories.reduce((sum, m) => sum + m.min, 0);
  if (least > cap)
    throw new PxError(
      'plugin.memory',
      `it needs ${Math.ceil(least / pagesPerMib)} MiB to start, ${memoryMb} are allowed`,
      {
        hint: 'Raise limits.memory_mb of the plugin in px.yaml.',
      },
    );
  const caps = memories.map((m) => m.min);
  let left = cap - least;
  const open = new Set(memories.keys());
  // Those with a maximum of their own may leave some of their share to the others.
  for (const bounded of [true, false]) {
    const weight = [...open].reduce((sum, i) => sum + (memories[i]?.min ?? 0) + 1, 0);
    const budget = left;
    for (const i of [...open]) {
      const memory = memories[i];
      if (!memory) continue;
      const share = Math.floor((budget * (memory.min + 1)) / weight);
      const room = memory.max === undefined ? Number.POSITIVE_INFINITY : Math.max(0, memory.max - memory.min);
      if (bounded && room > share) continue;
      const given = Math.min(share, room, left);
      caps[i] = memory.min + given;
      left -= given;
      open.delete(i);
    }
  }
  return caps;
}

/** The module with its memories capped (in order of definition) and its tables bounded. */
function capCore(wasm: Uint8Array, caps: number[]): Uint8Array {
  const reader = new Reader(wasm);
  const out: Uint8Array[] = [wasm.subarray(0, 8)];
  let memory = 0;
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
      if (id === section.table) {
        const type = reader.at;
        if (wasm[type] === 0x40)
          throw new PxError('plugin.unsafe', 'a table has an initial value, which px does not run');
        reader.reference();
        body.push(...wasm.subarray(type, reader.at));
      }
      const { min, max } = reader.limits(id === section.table ? 'table' : 'memory');
      const cap = id === section.table ? tableCap : (caps[memory++] ?? min);
      if (min > cap) throw new PxError('plugin.memory', `a table of ${min} entries is larger than px allows`);
      body.push(1, ...leb(min), ...leb(Math.min(max ?? cap, cap)));
    }
    out.push(Uint8Array.from([id, ...leb(body.length), ...body]));
  }
  return changed ? Buffer.concat(out) : wasm;
}

/** Files as given, each core module among them with checked names, and memories that together stay within the cap. */
export function capModules(files: [string, Uint8Array][], memoryMb: number): [string, Uint8Array][] {
  const memories = files.map(([name, bytes]) => (name.endsWith('.wasm') ? inspectCore(bytes) : []));
  const caps = shareMemory(memories.flat(), memoryMb);
  return files.map(([name, bytes], i) => {
    const own = caps.splice(0, memories[i]?.length ?? 0);
    return [name, name.endsWith('.wasm') ? capCore(bytes, own) : bytes];
  });
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
