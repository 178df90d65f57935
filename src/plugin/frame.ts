/** Bytes of a frame's length prefix: an unsigned 32-bit little-endian number. */
const prefix = 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** A frame broke the format or a limit: whoever sent it is not to be listened to any longer. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** A value as a frame (length, then JSON), and each blob as a frame of its own (length, then the bytes as they are). */
export function encodeFrame(value: unknown, blobs: Uint8Array[] = []): Uint8Array {
  return encodeJson(JSON.stringify(value), blobs);
}

/** The same of a value that is JSON already. */
export function encodeJson(json: string, blobs: Uint8Array[] = []): Uint8Array {
  const payloads = [encoder.encode(json), ...blobs];
  const bytes = new Uint8Array(payloads.reduce((sum, payload) => sum + prefix + payload.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const payload of payloads) {
    view.setUint32(at, payload.length, true);
    bytes.set(payload, at + prefix);
    at += prefix + payload.length;
  }
  return bytes;
}

/** The length a frame's prefix announces. */
export function frameLength(head: Uint8Array): number {
  return new DataView(head.buffer, head.byteOffset, prefix).getUint32(0, true);
}

/** A frame's JSON. Throws FrameError when it is none. */
export function parseFrame(json: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(json));
  } catch (cause) {
    throw new FrameError('a frame is not JSON', { cause });
  }
}

/**
 * Cuts a hostile byte stream into frames. Holds at most one frame and one chunk; a frame that announces more than `max`
 * bytes throws FrameError at once.
 */
export class FrameCutter {
  #chunks: Uint8Array[] = [];
  #held = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** The payloads that are complete after this chunk, oldest first. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      if (this.#held < prefix) return;
      const length = frameLength(this.#peek(prefix));
      if (length > this.#max) throw new FrameError(`a frame of ${length} bytes, ${this.#max} are allowed`);
      if (this.#held < prefix + length) return;
      this.#take(prefix);
      yield this.#take(length);
    }
  }

  /** The first bytes, joined only when they are spread over chunks. */
  #peek(count: number): Uint8Array {
    const first = this.#chunks[0];
    if (first && first.length >= count) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #take(count: number): Uint8Array {
    const from = this.#peek(count);
    this.#held -= count;
    if (from.length === count) this.#chunks.shift();
    else this.#chunks[0] = from.subarray(count);
    return from.subarray(0, count);
  }
}
