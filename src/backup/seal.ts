import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { invalid } from './tar.ts';

/**
 * A stream under a passphrase: a line `px backup 1`, one byte with log2 of scrypt's N, 16 bytes of salt, 7 bytes of nonce, then pieces of 64 KiB sealed with
 * AES-256-GCM under the key that scrypt makes. A piece's nonce is those 7 bytes, its number and whether it is the last one: pieces can be
 * neither reordered nor left out, and a stream that is cut off is noticed. The header is authenticated with every piece.
 */
const magic = new TextEncoder().encode('px backup 1\n');
const saltBytes = 16;
const nonceBytes = 7;
const tagBytes = 16;
const piece = 64 * 1024;
/** log2 of scrypt's N: 64 MiB and a few tenths of a second. What is read may ask for little more than what is written. */
const cost = { written: 16, most: 18 };

/** True for the beginning of a sealed stream. */
export const isSealed = (beginning: Uint8Array): boolean =>
  Buffer.from(beginning.subarray(0, magic.length)).equals(magic);

/** How many bytes {@link isSealed} looks at. */
export const sealedBeginning: number = magic.length;

/** Seals a stream. */
export async function* sealStream(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Uint8Array> {
  const head = Buffer.concat([magic, Buffer.of(cost.written), randomBytes(saltBytes + nonceBytes)]);
  yield head;
  const key = await keyOf(passphrase, head);
  let n = 0;
  for await (const [plain, last] of pieces(source, piece)) {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(head, n++, last), { authTagLength: tagBytes });
    cipher.setAAD(head);
    yield Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Reverse of {@link sealStream}; nothing unverified comes out. Throws PxError `backup.invalid` for another passphrase or changed bytes. */
export async function* openStream(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Uint8Array> {
  const headBytes = magic.length + 1 + saltBytes + nonceBytes;
  let head: Buffer | undefined;
  let key = Buffer.alloc(0);
  let n = 0;
  const body = split(source, headBytes, (bytes) => {
    head = bytes;
  });
  for await (const [sealed, last] of pieces(body, piece + tagBytes)) {
    if (!head || head.length < headBytes) throw invalid('it is cut off');
    if (key.length === 0) key = await keyOf(passphrase, head);
    if (sealed.length < tagBytes) throw invalid('it is cut off');
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(head, n++, last), { authTagLength: tagBytes });
    decipher.setAAD(head);
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    const plain = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
    try {
      yield Buffer.concat([plain, decipher.final()]);
    } catch (cause) {
      throw invalid(n === 1 ? 'the passphrase is wrong, or the file is damaged' : 'it is damaged or cut off', cause);
    }
  }
}

function keyOf(passphrase: string, head: Uint8Array): Promise<Buffer<ArrayBuffer>> {
  const log = head[magic.length] ?? 0;
  if (log < 10 || log > cost.most) throw invalid('its header is damaged');
  const salt = head.subarray(magic.length + 1, magic.length + 1 + saltBytes);
  const N = 2 ** log;
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, 32, { N, r: 8, p: 1, maxmem: 256 * N * 8 }, (error, key) =>
      error ? reject(error) : resolve(Buffer.from(key)),
    );
  });
}

function nonceOf(head: Uint8Array, n: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.set(head.subarray(head.length - nonceBytes), 0);
  nonce.writeUInt32BE(n, nonceBytes);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** A stream in pieces of one size; the last one may be shorter, also empty, and is marked. */
async function* pieces(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<[Buffer, last: boolean]> {
  let waiting: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of source) {
    waiting.push(chunk);
    held += chunk.length;
    if (held <= size) continue;
    // One byte stays behind at least: only the end tells which piece is the last one.
    const all = Buffer.concat(waiting);
    let at = 0;
    for (; all.length - at > size; at += size) yield [all.subarray(at, at + size), false];
    waiting = [all.subarray(at)];
    held = all.length - at;
  }
  yield [Buffer.concat(waiting), true];
}

/** Hands the first bytes of a stream to `head` and goes on with the rest. */
async function* split(source: AsyncIterable<Uint8Array>, bytes: number, head: (bytes: Buffer) => void) {
  let first: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source) {
    if (first === undefined) {
      yield chunk;
      continue;
    }
    first = Buffer.concat([first, chunk]);
    if (first.length < bytes) continue;
    head(first.subarray(0, bytes));
    yield first.subarray(bytes);
    first = undefined;
  }
  if (first !== undefined) head(first);
}
