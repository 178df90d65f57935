/** Numbers of a core module's sections and of the kinds of what it imports and exports. */
const section = { import: 2, table: 4, memory: 5, global: 6, export: 7 };
const kind = { function: 0, table: 1, memory: 2, global: 3 };

/** Whether a core module defines a memory or a table. */
export function definesGrowing(wasm: Uint8Array): boolean {
  return [...sections(wasm)].some(({ id }) => id === section.memory || id === section.table);
}

/**
 * A core module with each global it defines and may change exported, under the name `global:INDEX`: what they hold is a part of a running
 * module's state as its memory is. For modules that were built here: nothing is checked.
 */
export function withGlobalsExported(wasm: Uint8Array): Uint8Array {
  const all = [...sections(wasm)];
  const body = (id: number) => all.find((one) => one.id === id);
  const own = body(section.global);
  if (!own) return wasm;
  const imported = importedGlobals(wasm, body(section.import)?.from);
  const entries = mutableGlobals(wasm, own.from).map((at) => {
    const name = new TextEncoder().encode(`global:${imported + at}`);
    return [...leb(name.length), ...name, kind.global, ...leb(imported + at)];
  });
  const before = body(section.export);
  if (entries.length === 0) return wasm;
  if (!before) throw new Error('a module with globals has no exports');
  const [count, first] = number(wasm, before.from);
  const content = [...leb(count + entries.length), ...wasm.subarray(first, before.end), ...entries.flat()];
  const made = Uint8Array.from([section.export, ...leb(content.length), ...content]);
  return Buffer.concat([wasm.subarray(0, before.header), made, wasm.subarray(before.end)]);
}

/** The sections of a module: where the header begins, where the body does, and where it ends. */
function* sections(wasm: Uint8Array): Generator<{ id: number; header: number; from: number; end: number }> {
  for (let at = 8; at < wasm.length; ) {
    const [size, from] = number(wasm, at + 1);
    yield { id: wasm[at] ?? -1, header: at, from, end: from + size };
    at = from + size;
  }
}

function importedGlobals(wasm: Uint8Array, from: number | undefined): number {
  if (from === undefined) return 0;
  let [left, at] = number(wasm, from);
  let globals = 0;
  const skip = () => {
    [, at] = number(wasm, at);
  };
  const limits = () => {
    const bounded = wasm[at++] === 1;
    skip();
    if (bounded) skip();
  };
  for (; left > 0; left--) {
    for (let names = 0; names < 2; names++) {
      const [length, start] = number(wasm, at);
      at = start + length;
    }
    const what = wasm[at++];
    if (what === kind.function) skip();
    else if (what === kind.table) {
      at++;
      limits();
    } else if (what === kind.memory) limits();
    else {
      globals++;
      at += 2;
    }
  }
  return globals;
}

/** Which of the globals of a section are mutable, by their place in it. */
function mutableGlobals(wasm: Uint8Array, from: number): number[] {
  const [count, first] = number(wasm, from);
  const found: number[] = [];
  let at = first;
  for (let i = 0; i < count; i++) {
    if (wasm[at + 1] === 1) found.push(i);
    at += 2;
    // An initial value: constants, other globals and sums of them.
    for (let op = wasm[at++]; op !== 0x0b; op = wasm[at++]) {
      if (op === 0x41 || op === 0x42 || op === 0x23) [, at] = number(wasm, at);
      else if (op !== 0x6a && op !== 0x7c) throw new Error(`a global begins with an unknown instruction ${op}`);
    }
  }
  return found;
}

/** An LEB128 number (the sign of a signed one is not minded) and where it ends. */
function number(wasm: Uint8Array, from: number): [value: number, end: number] {
  let value = 0;
  for (let i = 0; ; i++) {
    const byte = wasm[from + i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, from + i + 1];
  }
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...leb(Math.floor(value / 128))];
}
