import { PxError } from '../../error/error.ts';

/** A fault in a component's bytes. */
export function invalid(why: string): PxError {
  return new PxError('plugin.invalid', `not a component px can read: ${why}`, {
    hint: 'Build it again with a current toolchain; `px plugin inspect FILE` shows what px sees.',
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads forward through hostile bytes. Every read is bounds-checked; each item spends from one budget shared by the whole file. */
export class Cursor {
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #budget: { left: number };
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number, budget: { left: number }) {
    this.#bytes = bytes;
    this.#at = start;
    this.end = end;
    this.#budget = budget;
  }

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.end;
  }

  /** One byte. */
  byte(): number {
    if (this.#at >= this.end) throw invalid('it ends too early');
    return this.#bytes[this.#at++] ?? 0;
  }

  /** An unsigned LEB128 number below 2^32. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const b = this.byte();
      value += (b & 0x7f) * 2 ** shift;
      if (b < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw invalid('a number is too long');
  }

  /** A UTF-8 name of at most 1,024 bytes. */
  name(): string {
    const length = this.u32();
    if (length > 1024) throw invalid('a name is longer than 1,024 bytes');
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw invalid('a name is not UTF-8');
    }
  }

  /** The next bytes, not copied. */
  take(length: number): Uint8Array {
    if (length > this.end - this.#at) throw invalid('it ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A cursor over the next bytes, which this one skips. */
  slice(length: number): Cursor {
    const start = this.#at;
    this.take(length);
    return new Cursor(this.#bytes, start, start + length, this.#budget);
  }

  /** A counted list. */
  list<T>(read: (index: number) => T): T[] {
    const count = this.u32();
    if (count > this.end - this.#at) throw invalid('a list is longer than the file');
    const out: T[] = [];
    for (let i = 0; i < count; i++) {
      this.spend();
      out.push(read(i));
    }
    return out;
  }

  /** An optional value: 0x00, or 0x01 and the value. */
  optional<T>(read: () => T): T | null {
    const tag = this.byte();
    if (tag > 1) throw invalid(`an optional part begins with ${hex(tag)}`);
    return tag === 1 ? read() : null;
  }

  /** Takes from the budget of the whole file. */
  spend(cost = 1): void {
    this.#budget.left -= cost;
    if (this.#budget.left < 0) throw invalid('it declares too much');
  }

  /** Refuses bytes left over. */
  finish(what: string): void {
    if (!this.done) throw invalid(`${what} has bytes left over`);
  }
}

/** A byte for messages: `0x0d`. */
export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
