/**
 * Several files in one, so that the executable embeds one and reads only the slice it needs: `pxpk`, the length of an index (u32, little
 * endian), the index as JSON (`{name: [offset, size]}`, offsets from the end of the index), the files' bytes.
 */
export function writePack(files: [name: string, bytes: Uint8Array][]): Uint8Array {
  const index: Record<string, [number, number]> = {};
  let offset = 0;
  for (const [name, bytes] of files) {
    index[name] = [offset, bytes.length];
    offset += bytes.length;
  }
  const head = new TextEncoder().encode(JSON.stringify(index));
  const out = new Uint8Array(8 + head.length + offset);
  out.set(new TextEncoder().encode('pxpk'));
  new DataView(out.buffer).setUint32(4, head.length, true);
  out.set(head, 8);
  for (const [name, bytes] of files) out.set(bytes, 8 + head.length + (index[name]?.[0] ?? 0));
  return out;
}

/** A pack that stays on disk (or inside the executable); a file of it is read when asked for. */
export interface Pack {
  names: string[];
  /** The bytes of one file; throws when there is none of this name. */
  read(name: string): Promise<Uint8Array>;
  /** All files below a folder (`engine/`), by their whole names, in one read. */
  readFolder(folder: string): Promise<[name: string, bytes: Uint8Array<ArrayBuffer>][]>;
}

/** Opens a pack by the path of its file. */
export async function openPack(path: string): Promise<Pack> {
  const file = Bun.file(path);
  const start = new DataView(await file.slice(0, 8).arrayBuffer());
  if (start.byteLength < 8 || start.getUint32(0) !== 0x7078706b) throw new Error(`${path} is not a pack`);
  const base = 8 + start.getUint32(4, true);
  const index = new Map<string, [number, number]>(Object.entries(JSON.parse(await file.slice(8, base).text())));
  const slice = async (from: number, to: number) =>
    new Uint8Array(await file.slice(base + from, base + to).arrayBuffer());
  return {
    names: [...index.keys()],
    async read(name) {
      const [offset, size] = index.get(name) ?? [];
      if (offset === undefined || size === undefined) throw new Error(`${path} has no ${name}`);
      return slice(offset, offset + size);
    },
    async readFolder(folder) {
      const inside = [...index].filter(([name]) => name.startsWith(folder));
      const from = Math.min(...inside.map(([, [offset]]) => offset));
      const whole = await slice(from, Math.max(...inside.map(([, [offset, size]]) => offset + size)));
      return inside.map(([name, [offset, size]]) => [name, whole.subarray(offset - from, offset - from + size)]);
    },
  };
}
