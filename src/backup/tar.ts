import { PxError } from '../error/error.ts';

/** Tar archives as every tar reads them (ustar; a name of more than 100 bytes as a pax record), written and read as a stream. */
const block = 512;
/** Longest pax record that is read, in bytes. */
const maxPax = 64 * 1024;

/** One file or folder of an archive. */
export interface TarEntry {
  /** Path with `/`, without one at its end. */
  path: string;
  kind: 'file' | 'folder';
  /** Bytes of a file; 0 of a folder. */
  size: number;
  mode: number;
  /** Milliseconds since the epoch. */
  at: number;
}

/** The header of an entry; its bytes follow, and then {@link padding}. */
export function tarHeader(entry: TarEntry): Uint8Array {
  const path = new TextEncoder().encode(entry.kind === 'folder' ? `${entry.path}/` : entry.path);
  if (path.length <= 100) return header(path, entry.kind === 'folder' ? '5' : '0', entry);
  const record = paxRecord('path', new TextDecoder().decode(path));
  const pax = { ...entry, size: record.length };
  return concat([
    header(new TextEncoder().encode('pax'), 'x', pax),
    record,
    padding(record.length),
    header(path.subarray(0, 100), entry.kind === 'folder' ? '5' : '0', entry),
  ]);
}

/** What fills up the last block of so many bytes. */
export const padding = (size: number): Uint8Array => new Uint8Array((block - (size % block)) % block);

/** What an archive ends with. */
export const tarEnd = (): Uint8Array => new Uint8Array(2 * block);

function header(name: Uint8Array, type: string, { size, mode, at }: TarEntry): Uint8Array {
  const bytes = new Uint8Array(block);
  const put = (offset: number, text: string) => bytes.set(new TextEncoder().encode(text), offset);
  const octal = (value: number, width: number) => Math.floor(value).toString(8).padStart(width, '0');
  bytes.set(name, 0);
  put(100, `${octal(mode, 7)}\0`);
  put(108, '0000000\x000000000\0');
  put(124, `${octal(size, 11)}\0`);
  put(136, `${octal(Math.max(0, at / 1000), 11)}\0`);
  put(148, '        ');
  put(156, type);
  put(257, 'ustar\x0000');
  put(148, `${octal(sum(bytes), 6)}\0 `);
  return bytes;
}

/** `LENGTH path=VALUE\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = ` ${key}=${value}\n`;
  const bytes = new TextEncoder().encode(rest).length;
  let length = bytes + 1;
  while (String(length).length + bytes !== length) length = String(length).length + bytes;
  return new TextEncoder().encode(`${length}${rest}`);
}

/** One entry that was read, and its bytes, which must be read before the next entry. */
export interface TarPart extends TarEntry {
  bytes(): AsyncIterable<Uint8Array>;
}

/**
 * Reads an archive entry by entry. Only files and folders are known: a link, a device or anything else is refused, as is what is
 * no archive at all. Throws PxError `backup.invalid`.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarPart> {
  const reader = new Reader(source);
  let long: string | undefined;
  for (;;) {
    const head = await reader.exactly(block);
    if (head.every((byte) => byte === 0)) return;
    const found = Number.parseInt(text(head, 148, 8), 8);
    const summed = head.slice();
    summed.fill(32, 148, 156);
    if (found !== sum(summed)) throw invalid('a header in it is damaged');
    const type = text(head, 156, 1) || '0';
    const size = Number.parseInt(text(head, 124, 12).trim() || '0', 8);
    if (!Number.isSafeInteger(size) || size < 0) throw invalid('a size in it is wrong');
    if (type === 'x') {
      if (size > maxPax) throw invalid('a name in it is too long');
      long = /^\d+ path=(.+)\n$/s.exec(new TextDecoder().decode(await reader.exactly(size)))?.[1];
      if (long === undefined) throw invalid('it has a record px does not write');
      await reader.exactly(padding(size).length);
      continue;
    }
    const prefix = text(head, 345, 155);
    const path = long ?? (prefix === '' ? '' : `${prefix}/`) + text(head, 0, 100);
    long = undefined;
    if (type !== '0' && type !== '5') throw invalid(`${JSON.stringify(path)} in it is neither a file nor a folder`);
    if (type === '5' && size > 0) throw invalid('a folder in it has bytes');
    let left = size;
    yield {
      path: path.replace(/\/$/, ''),
      kind: type === '5' ? 'folder' : 'file',
      size,
      mode: Number.parseInt(text(head, 100, 8).trim() || '0', 8) & 0o777,
      at: Number.parseInt(text(head, 136, 12).trim() || '0', 8) * 1000,
      async *bytes() {
        while (left > 0) {
          const chunk = await reader.some(left);
          left -= chunk.length;
          yield chunk;
        }
      },
    };
    while (left > 0) left -= (await reader.some(left)).length;
    await reader.exactly(padding(size).length);
  }
}

/** Takes bytes from a stream in the amounts that are asked for. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  #have: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most so many. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#have.length === 0) {
      const { value, done } = await this.#source.next();
      if (done) throw invalid('it is cut off');
      this.#have = value;
    }
    const taken = this.#have.subarray(0, most);
    this.#have = this.#have.subarray(taken.length);
    return taken;
  }

  async exactly(wanted: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(wanted);
    for (let done = 0; done < wanted; ) {
      const chunk = await this.some(wanted - done);
      bytes.set(chunk, done);
      done += chunk.length;
    }
    return bytes;
  }
}

function sum(bytes: Uint8Array): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return total;
}

function text(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function concat(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** The error of a file that cannot be restored. */
export function invalid(why: string, cause?: unknown): PxError {
  return new PxError('backup.invalid', `This backup cannot be used: ${why}.`, {
    hint: 'Nothing was changed. Take another backup.',
    cause,
  });
}
