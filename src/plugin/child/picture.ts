/*
 * A picture of a running module's state: its memories and its globals, so that a script is evaluated once and not at each start. It is
 * data and never code: what a forged one can do is what the guest itself could have done to its own memory.
 */

/** What holds the state of a plugin's core instances: all that they export of it, in order of instantiation. */
export interface State {
  memories: WebAssembly.Memory[];
  globals: WebAssembly.Global[];
}

interface Head {
  globals: number[];
  /** Of each memory its pages, and which bytes differ from those of a fresh instance: offset and length. */
  memories: { pages: number; changed: [offset: number, length: number][] }[];
}

const pageBytes = 65_536;
/** Equal bytes between two changes that are not worth a gap. */
const worthAGap = 32;
const prefix = 4;

/** The state that these instances export. */
export function stateOf(instances: WebAssembly.Instance[]): State {
  const exported = instances.flatMap(({ exports }) => Object.values(exports));
  return {
    memories: [...new Set(exported.filter((one) => one instanceof WebAssembly.Memory))],
    globals: [...new Set(exported.filter((one) => one instanceof WebAssembly.Global))].filter(isMutable),
  };
}

function isMutable(global: WebAssembly.Global): boolean {
  try {
    const { value } = global;
    global.value = value;
    return true;
  } catch {
    return false;
  }
}

/** A copy of every memory, to find later what has changed. */
export const copyOf = ({ memories }: State): Uint8Array[] =>
  memories.map(({ buffer }) => new Uint8Array(buffer.slice(0)));

/** What has changed since the copy was made, as bytes. */
export function takePicture({ memories, globals }: State, fresh: Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const head: Head = {
    globals: globals.map(({ value }) => Number(value)),
    memories: memories.map(({ buffer }, i) => {
      const now = new Uint8Array(buffer);
      const changed = changes(fresh[i] ?? new Uint8Array(), now);
      parts.push(...changed.map(([offset, length]) => now.subarray(offset, offset + length)));
      return { pages: now.length / pageBytes, changed };
    }),
  };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(prefix);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...parts]);
}

/** Where the bytes are others than before; what is beyond the end of before was zero. */
function changes(before: Uint8Array, now: Uint8Array): [offset: number, length: number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < now.length; at++) {
    if (now[at] === (before[at] ?? 0)) continue;
    const last = found.at(-1);
    if (last && at - (last[0] + last[1]) < worthAGap) last[1] = at - last[0] + 1;
    else found.push([at, 1]);
  }
  return found;
}

/** Puts fresh instances into the state of the picture. Throws when they are not of the same modules. */
export function applyPicture({ memories, globals }: State, picture: Uint8Array): void {
  const size = new DataView(picture.buffer, picture.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(picture.subarray(prefix, prefix + size))) as Head;
  if (head.globals.length !== globals.length || head.memories.length !== memories.length)
    throw new Error('the picture is of another engine');
  let at = prefix + size;
  for (const [i, { pages, changed }] of head.memories.entries()) {
    const memory = memories[i];
    if (!memory) continue;
    const missing = pages - memory.buffer.byteLength / pageBytes;
    if (missing > 0) memory.grow(missing);
    const bytes = new Uint8Array(memory.buffer);
    for (const [offset, length] of changed) {
      bytes.set(picture.subarray(at, at + length), offset);
      at += length;
    }
  }
  for (const [i, value] of head.globals.entries()) {
    const global = globals[i];
    if (global) global.value = value;
  }
}
