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
}

/** See {@link Utf8Encoder}. Other encodings are refused. */
export class Utf8Decoder {
  readonly encoding = 'utf-8';
  readonly #fatal: boolean;

  constructor(label = 'utf-8', options: { fatal?: boolean } = {}) {
    if (!/^(utf-?8|unicode-1-1-utf-8)$/i.test(label))
      throw new RangeError(`no encoding ${label}: px plugins have UTF-8`);
    this.#fatal = options.fatal ?? false;
  }

  decode(source?: Uint8Array | ArrayBuffer): string {
    const b = source === undefined ? new Uint8Array() : source instanceof Uint8Array ? source : new Uint8Array(source);
    let out = '';
    let units: number[] = [];
    let i = b[0] === 0xef && b[1] === 0xbb && b[2] === 0xbf ? 3 : 0;
    while (i < b.length) {
      const c = this.#point(b, i);
      i += c.length;
      if (c.value > 0xffff) units.push(0xd7c0 + (c.value >> 10), 0xdc00 + (c.value & 0x3ff));
      else units.push(c.value);
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
    if (this.#fatal) throw new TypeError('the bytes are not UTF-8');
    return { value: 0xfffd, length };
  }
}
