/** UTF-8 for an engine that has none: WHATWG rules, so what is broken becomes U+FFFD. */
export class Utf8Encoder {
  readonly encoding = 'utf-8';

  encode(text = ''): Uint8Array {
    const s = `${text}`;
    const out = new Uint8Array(s.length * 3);
    let n = 0;
    for (let i = 0; i < s.length; i++) {
      let c = s.charCodeAt(i);
      if (c >= 0xd800 && c < 0xe000) {
        const low = c < 0xdc00 ? s.charCodeAt(i + 1) : 0;
        if (low >= 0xdc00 && low < 0xe000) {
          c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
          i++;
        } else c = 0xfffd;
      }
      if (c < 0x80) out[n++] = c;
      else {
        if (c < 0x800) out[n++] = 0xc0 | (c >> 6);
        else {
          if (c < 0x10000) out[n++] = 0xe0 | (c >> 12);
          else {
            out[n++] = 0xf0 | (c >> 18);
            out[n++] = 0x80 | ((c >> 12) & 63);
          }
          out[n++] = 0x80 | ((c >> 6) & 63);
        }
        out[n++] = 0x80 | (c & 63);
      }
    }
    return out.slice(0, n);
  }

  encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const point of text) {
      const bytes = this.encode(point);
      if (written + bytes.length > into.length) break;
      into.set(bytes, written);
      written += bytes.length;
      read += point.length;
    }
    return { read, written };
  }
}

type Encoding = 'utf-8' | 'utf-16le' | 'windows-1252';

/** See {@link Utf8Encoder}; besides UTF-8 there are UTF-16 (little endian) and Latin-1. Other encodings are refused. */
export class Utf8Decoder {
  readonly encoding: Encoding;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** Bytes of a character that is not whole yet, while a stream is decoded. */
  #rest = new Uint8Array();
  #begun = false;

  constructor(label = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    this.encoding = encodingOf(label);
    this.fatal = options.fatal ?? false;
    this.ignoreBOM = options.ignoreBOM ?? false;
  }

  decode(source?: ArrayBuffer | ArrayBufferView, { stream = false }: { stream?: boolean } = {}): string {
    let b = bytesOf(source);
    if (this.#rest.length > 0) {
      const joined = new Uint8Array(this.#rest.length + b.length);
      joined.set(this.#rest);
      joined.set(b, this.#rest.length);
      b = joined;
    }
    const end = b.length - (stream ? unfinished(b, this.encoding) : 0);
    this.#rest = b.slice(end);
    const text = this.#text(b.subarray(0, end));
    const first = !this.#begun;
    this.#begun = stream && (this.#begun || text !== '');
    return first && !this.ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  #text(b: Uint8Array): string {
    let out = '';
    let units: number[] = [];
    const wide = this.encoding === 'utf-16le';
    for (let i = 0; i < b.length; ) {
      if (this.encoding === 'utf-8') {
        const c = this.#point(b, i);
        i += c.length;
        if (c.value > 0xffff) units.push(0xd7c0 + (c.value >> 10), 0xdc00 + (c.value & 0x3ff));
        else units.push(c.value);
      } else {
        units.push(wide ? (b[i] ?? 0) | ((b[i + 1] ?? 0) << 8) : (b[i] ?? 0));
        i += wide ? 2 : 1;
      }
      if (units.length > 4096) {
        out += String.fromCharCode.apply(null, units);
        units = [];
      }
    }
    return out + String.fromCharCode.apply(null, units);
  }

  #point(b: Uint8Array, at: number): { value: number; length: number } {
    const lead = b[at] ?? 0;
    if (lead < 0x80) return { value: lead, length: 1 };
    const need =
      lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xc2 && lead < 0xe0 ? 1 : 0;
    let value = lead & (0x3f >> need);
    let length = 1;
    for (; length <= need; length++) {
      const next = b[at + length] ?? 0;
      // The second byte has tighter bounds: overlong forms, surrogates and what is past U+10FFFF end here.
      const low = length > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const high = length > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (next < low || next > high) break;
      value = (value << 6) | (next & 63);
    }
    if (need > 0 && length > need) return { value, length };
    if (this.fatal) throw new TypeError('the bytes are not UTF-8');
    return { value: 0xfffd, length };
  }
}

function encodingOf(label: string): Encoding {
  const name = `${label}`.trim();
  if (/^(utf-?8|unicode-1-1-utf-8)$/i.test(name)) return 'utf-8';
  if (/^utf-16(le)?$/i.test(name)) return 'utf-16le';
  if (/^(windows-1252|latin-?1|iso-8859-1|us-ascii|ascii)$/i.test(name)) return 'windows-1252';
  throw new RangeError(`no encoding ${label}: px plugins have UTF-8, UTF-16LE and Latin-1`);
}

function bytesOf(source: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (source === undefined) return new Uint8Array();
  if (source instanceof Uint8Array) return source;
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

/** How many bytes at the end begin a character that may go on in the next part. */
function unfinished(b: Uint8Array, encoding: Encoding): number {
  if (encoding === 'utf-16le') return b.length % 2;
  if (encoding !== 'utf-8') return 0;
  for (let back = 1; back <= 3 && back <= b.length; back++) {
    const lead = b[b.length - back] ?? 0;
    if (lead >= 0xc0) return back < (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2) ? back : 0;
    if (lead < 0x80) return 0;
  }
  return 0;
}
