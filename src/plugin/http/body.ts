import { rename, rm } from 'node:fs/promises';
import type { HeldFiles } from '../plugin.ts';

/** The body passed the limit. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/**
 * A response's body, unpacked, of at most `max` bytes. Read as a stream whatever length it announces, so that neither a long answer nor a small packed one that
 * unpacks to gigabytes is ever held. Throws BodyTooLarge.
 */
export async function readBody(response: Response, max: number): Promise<Uint8Array> {
  const announced = Number(response.headers.get('content-length') ?? '0');
  if (announced > max) {
    await response.body?.cancel();
    throw new BodyTooLarge();
  }
  if (!response.body) return new Uint8Array();
  const packed = (response.headers.get('content-encoding') ?? '').trim().toLowerCase();
  if (packed === '' || packed === 'identity') return collect(response.body, max);
  if (packed !== 'gzip' && packed !== 'x-gzip') throw new Error(`the answer is packed with ${packed.slice(0, 20)}`);
  return collect(response.body.pipeThrough(atMost(max)).pipeThrough(new DecompressionStream('gzip')), max);
}

/** Keeps a response's body as a file, which is there whole or not at all. Throws BodyTooLarge. */
export async function keepBody(response: Response, into: NonNullable<HeldFiles['into']>): Promise<Uint8Array> {
  const packed = (response.headers.get('content-encoding') ?? '').trim().toLowerCase();
  if (packed !== '' && packed !== 'identity') throw new Error(`the file is packed with ${packed.slice(0, 20)}`);
  const beside = `${into.path}.part`;
  const writer = Bun.file(beside).writer();
  try {
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > into.maxBytes) throw new BodyTooLarge();
      writer.write(chunk);
      await writer.flush();
    }
    await writer.end();
    await rename(beside, into.path);
  } catch (thrown) {
    await writer.end();
    await rm(beside, { force: true });
    throw thrown;
  }
  return new Uint8Array();
}

/** A body with the files that stand in it as `{{file:ID}}`; other marks stay as they are. */
export async function withFiles(
  body: Uint8Array<ArrayBuffer>,
  files: HeldFiles['out'] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  let rest = Buffer.from(body);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const { id, path } of files) {
    const mark = `{{file:${id}}}`;
    const at = rest.indexOf(mark);
    if (at < 0) continue;
    parts.push(rest.subarray(0, at), await Bun.file(path).bytes());
    rest = rest.subarray(at + mark.length);
  }
  return parts.length === 0 ? body : Buffer.concat([...parts, rest]);
}

function atMost(max: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let seen = 0;
  return new TransformStream({
    transform(chunk, controller) {
      seen += chunk.length;
      if (seen > max) throw new BodyTooLarge();
      controller.enqueue(chunk);
    },
  });
}

async function collect(stream: ReadableStream<Uint8Array>, max: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > max) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
