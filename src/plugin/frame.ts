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
  const payload = encoder.encode(json);
  const bytes = new Uint8Array(blobs.reduce((sum, blob) => sum + prefix + blob.length, prefix + payload.length));
  let at = put(bytes, 0, payload);
  for (const blob of blobs) at = put(bytes, at, blob);
  return bytes;
}

function put(bytes: Uint8Array, at: number, payload: Uint8Array): number {
  const { length } = payload;
  for (let i = 0; i < prefix; i++) bytes[at + i] = length >>> (8 * i);
  bytes.set(payload, at + prefix);
  return at + prefix + length;
}

/** The length that the prefix at this place announces. */
export function frameLength(bytes: Uint8Array, at = 0): number {
  let length = 0;
  for (let i = prefix - 1; i >= 0; i--) length = length * 256 + (bytes[at + i] ?? 0);
  return length;
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

  /** Takes in what came. */
  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
  }

  /** The oldest payload that is complete, or undefined. */
  next(): Uint8Array | undefined {
    if (this.#held < prefix) return undefined;
    const length = frameLength(this.#peek(prefix));
    if (length > this.#max) throw new FrameError(`a frame of ${length} bytes, ${this.#max} are allowed`);
    if (this.#held < prefix + length) return undefined;
    this.#take(prefix);
    return this.#take(length);
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
