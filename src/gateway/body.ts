import { PxError } from '../error/error.ts';
import { tooDeep } from '../wire/wire.ts';

/**
 * Reads a JSON body of at most `maxBytes`, counting what arrives rather than trusting `Content-Length`.
 * Throws PxError `too-large`, `gateway.media-type`, `gateway.bad-request`.
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
    throw new PxError('gateway.media-type', 'The body must be JSON.', { hint: 'Send Content-Type: application/json.' });
  const text = await readText(request, maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PxError('gateway.bad-request', 'The body is not valid JSON.', { cause });
  }
  if (tooDeep(value)) throw new PxError('gateway.bad-request', 'The body is nested too deeply.');
  return value;
}

/** A body of at most `maxBytes`. Throws PxError `too-large`. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new PxError('too-large', `The body is larger than ${maxBytes} bytes.`, {
      hint: 'Raise gateway.max_body_bytes in px.yaml.',
    });
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const bytes = await readBytes(request, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PxError('gateway.bad-request', 'The body is not valid UTF-8.', { cause });
  }
}
