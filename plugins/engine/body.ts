import { Utf8Decoder, Utf8Encoder } from './text.ts';
import { SearchParams } from './url.ts';

/** What a Request or Response can be made of. */
export type BodyGiven = string | Uint8Array | ArrayBuffer | ArrayBufferView | SearchParams | undefined | null;

/** The bytes of a body, and the content type that goes with its kind. */
export function readBody(given: BodyGiven): { bytes: Uint8Array | undefined; type: string | undefined } {
  if (given === undefined || given === null) return { bytes: undefined, type: undefined };
  if (given instanceof Uint8Array) return { bytes: given, type: undefined };
  if (given instanceof ArrayBuffer) return { bytes: new Uint8Array(given), type: undefined };
  if (ArrayBuffer.isView(given))
    return { bytes: new Uint8Array(given.buffer, given.byteOffset, given.byteLength), type: undefined };
  const form = given instanceof SearchParams;
  return {
    bytes: new Utf8Encoder().encode(`${given}`),
    type: form ? 'application/x-www-form-urlencoded;charset=UTF-8' : 'text/plain;charset=UTF-8',
  };
}

/** A body as a stream: all of it is there already and comes as one chunk. */
class ByteStream implements AsyncIterable<Uint8Array> {
  readonly #take: () => Uint8Array;
  locked = false;
  constructor(take: () => Uint8Array) {
    this.#take = take;
  }
  getReader() {
    this.locked = true;
    let done = false;
    return {
      closed: Promise.resolve(undefined),
      read: async (): Promise<{ done: boolean; value: Uint8Array | undefined }> => {
        if (done) return { done: true, value: undefined };
        done = true;
        const value = this.#take();
        return value.length > 0 ? { done: false, value } : { done: true, value: undefined };
      },
      cancel: async (): Promise<void> => {
        done = true;
      },
      releaseLock: (): void => {
        this.locked = false;
      },
    };
  }
  async cancel(): Promise<void> {
    this.#take();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const bytes = this.#take();
    if (bytes.length > 0) yield bytes;
  }
}

/** How Request and Response are read: once. */
export class Body {
  protected readonly content: Uint8Array | undefined;
  bodyUsed = false;
  #stream: ByteStream | undefined;

  constructor(content: Uint8Array | undefined) {
    this.content = content;
  }
  get body(): ByteStream | null {
    if (!this.content) return null;
    this.#stream ??= new ByteStream(() => this.#take());
    return this.#stream;
  }
  async bytes(): Promise<Uint8Array> {
    return this.#take();
  }
  async arrayBuffer(): Promise<ArrayBufferLike> {
    return this.#take().slice().buffer;
  }
  async text(): Promise<string> {
    return new Utf8Decoder().decode(this.#take());
  }
  async json(): Promise<unknown> {
    return JSON.parse(new Utf8Decoder().decode(this.#take()));
  }
  #take(): Uint8Array {
    if (this.bodyUsed) throw new TypeError('the body has been read already');
    this.bodyUsed = this.content !== undefined;
    return this.content ?? new Uint8Array();
  }
}
