/** The body passed the limit. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/**
 * A response's body, unpacked, of at most `max` bytes. Read as a stream, so that neither a long answer nor a small packed one that
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
  const bounded = response.body.pipeThrough(atMost(max));
  if (packed === '' || packed === 'identity') return collect(bounded, max);
  if (packed !== 'gzip' && packed !== 'x-gzip') throw new Error(`the answer is packed with ${packed.slice(0, 20)}`);
  return collect(bounded.pipeThrough(new DecompressionStream('gzip')), max);
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
