import { describe, expect, test } from 'bun:test';
import { needles, scrubBytes, scrubText } from '../../src/secret/scrub.ts';

const values: [string, string][] = [
  ['TOKEN', '123456:AAF-x_y9zQwErTy'],
  ['ODD', 'p"a\\s/s w&rd+<é✓>\'%=?'],
  ['LONGER', 'shared-prefix-and-more'],
  ['SHORTER', 'shared-prefix'],
];
const known = needles(values);
const scrub = (text: string) => scrubText(text, known);
const everyByte = (value: string, write: (byte: number) => string) => [...Buffer.from(value)].map(write).join('');
const everyUnit = (value: string, write: (unit: number) => string) =>
  Array.from({ length: value.length }, (_, i) => write(value.charCodeAt(i))).join('');
const hex2 = (n: number) => n.toString(16).padStart(2, '0');

const writings: Record<string, (value: string) => string> = {
  'as it is': (v) => v,
  JSON: (v) => JSON.stringify(v),
  'JSON in JSON': (v) => JSON.stringify(JSON.stringify(v)),
  'JSON, three deep': (v) => JSON.stringify(JSON.stringify(JSON.stringify(v))),
  'JSON with ASCII only (Python)': (v) =>
    JSON.stringify(v).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'JSON with HTML escaped (Go)': (v) => JSON.stringify(v).replace(/[<>&]/g, (c) => `\\u00${hex2(c.charCodeAt(0))}`),
  'JSON with slashes escaped (PHP)': (v) => JSON.stringify(v).replaceAll('/', '\\/'),
  'every character as \\u': (v) => everyUnit(v, (u) => `\\u${u.toString(16).toUpperCase().padStart(4, '0')}`),
  'every byte as \\x': (v) => (/^[ -~]*$/.test(v) ? everyByte(v, (b) => `\\x${hex2(b)}`) : v),
  encodeURIComponent: encodeURIComponent,
  encodeURI: encodeURI,
  'percent in small letters': (v) => encodeURIComponent(v).replace(/%../g, (c) => c.toLowerCase()),
  'every byte percent-encoded': (v) => everyByte(v, (b) => `%${hex2(b)}`),
  'percent-encoded twice': (v) => encodeURIComponent(encodeURIComponent(v)),
  'a form field': (v) => new URLSearchParams({ v }).toString(),
  hex: (v) => Buffer.from(v).toString('hex'),
  'hex in capitals': (v) => Buffer.from(v).toString('hex').toUpperCase(),
  'a hex dump': (v) => everyByte(v, (b) => ` ${hex2(b)}`),
  'hex with colons': (v) => everyByte(v, (b) => `:${hex2(b)}`).slice(1),
  'hex with dashes in capitals': (v) =>
    everyByte(v, (b) => `-${hex2(b)}`)
      .slice(1)
      .toUpperCase(),
  'hex in lines': (v) => everyByte(v, (b) => `${hex2(b)} `).replace(/(.{24})/g, '$1\n'),
  'hex as a program has it': (v) => everyByte(v, (b) => `0x${hex2(b)}, `),
  base64: (v) => Buffer.from(v).toString('base64'),
  base64url: (v) => Buffer.from(v).toString('base64url'),
  'base64 after one byte': (v) => Buffer.from(`u${v}`).toString('base64'),
  'base64 after two bytes': (v) => Buffer.from(`u:${v}`).toString('base64url'),
  'base64 in the middle': (v) => Buffer.from(`some user:${v}@host and more`).toString('base64'),
  'base64 in a URL': (v) => encodeURIComponent(Buffer.from(`x${v}`).toString('base64')),
  'base64 in lines': (v) =>
    (
      Buffer.from(`ab${v}`)
        .toString('base64')
        .match(/.{1,20}/g) ?? []
    ).join('\r\n'),
  'HTML text': (v) => Bun.escapeHTML(v),
  'HTML entities': (v) => [...v].map((c) => `&#x${(c.codePointAt(0) ?? 0).toString(16)};`).join(''),
};

describe('a secret is found', () => {
  for (const [how, write] of Object.entries(writings)) {
    test(`written as ${how}`, () => {
      for (const [name, value] of values) {
        const written = write(value);
        for (const [before, after] of [
          ['', ''],
          ['before ', ' after'],
          ['\u00e9 {"x":"', '"}'],
        ]) {
          const out = scrub(before + written + after);
          expect(out).toContain(`[redacted:${name}]`);
          expect(out.startsWith(before ?? '')).toBe(true);
          expect(out.endsWith(after ?? '')).toBe(true);
          // What stays around the mark may be an empty frame (quotes, a form's key, neighbours in base64), never the value.
          const middle = written.length >> 1;
          expect(out).not.toContain(written.slice(middle - 4, middle + 4));
        }
      }
    });

    test(`in bytes, written as ${how}`, () => {
      for (const [name, value] of values) {
        const bytes = Buffer.concat([Buffer.from([0, 255, 0xc3]), Buffer.from(write(value)), Buffer.from([0xff, 0])]);
        const out = Buffer.from(scrubBytes(bytes, known));
        expect(out.toString()).toContain(`[redacted:${name}]`);
        expect([...out.subarray(0, 3)]).toEqual([0, 255, 0xc3]);
      }
    });
  }

  test('in every place of a text, the longer of two that start alike first', () => {
    expect(scrub('a shared-prefix b shared-prefix-and-more c 123456:AAF-x_y9zQwErTy')).toBe(
      'a [redacted:SHORTER] b [redacted:LONGER] c [redacted:TOKEN]',
    );
  });

  test('written partly plain, partly escaped', () => {
    expect(scrub('x 1234\\u0035%36:AAF%2Dx_y9zQwErT&#x79; y')).toContain('[redacted:TOKEN]');
  });

  test('in UTF-16, of which nothing passes then', () => {
    const [[name = '', value = ''] = []] = values;
    for (const written of [Buffer.from(`<${value}>`, 'utf16le'), Buffer.from(`<${value}>`, 'utf16le').swap16()])
      expect(Buffer.from(scrubBytes(written, known)).toString()).toBe(`[redacted:${name}]`);
  });

  test('in the other case, where its own is one only', () => {
    const key = '3f2a9b7c-11d0-4e5f-8a6b';
    const one = needles([['KEY', key]]);
    expect(scrubText(`id ${key.toUpperCase()} ${btoa(key.toUpperCase())}`, one)).toBe(
      'id [redacted:KEY] [redacted:KEY]',
    );
    expect(scrubText(key, needles([['KEY', key.toUpperCase()]]))).toBe('[redacted:KEY]');
  });

  test('in a private key: the whole, one line of it, or escaped', () => {
    const line = (i: number) => Buffer.from(new Bun.CryptoHasher('sha384').update(`${i}`).digest()).toString('base64');
    const pem = `-----BEGIN PRIVATE KEY-----\n${Array.from({ length: 26 }, (_, i) => line(i)).join('\n')}\n-----END PRIVATE KEY-----\n`;
    const one = needles([['PEM', pem]]);
    expect(scrubText(pem, one).trim()).toBe('[redacted:PEM]');
    expect(scrubText(JSON.stringify({ pem }), one)).toBe('{"pem":"[redacted:PEM]"}');
    expect(scrubText(`  ${line(7)}\n`, one)).toBe('  [redacted:PEM]\n');
    expect(scrubText(pem.replaceAll('\n', '\r\n'), one)).not.toContain(line(3));
    const coded = scrubText(Buffer.from(`x${pem}`).toString('base64'), one);
    expect(coded.replaceAll('[redacted:PEM]', '').length).toBeLessThan(40);
  });
});

describe('everything else', () => {
  test('is the very same text or array', () => {
    const text = 'An ordinary answer: 100% \\o/ & "more" aGVsbG8= 6869';
    const bytes = Buffer.from(text);
    expect(scrub(text)).toBe(text);
    expect(scrubBytes(bytes, known)).toBe(bytes);
    expect(scrubText(text, needles([]))).toBe(text);
  });

  test('base64 of something else keeps its characters next to a found value', () => {
    const out = scrub(
      `${Buffer.from('hello world').toString('base64')} ${Buffer.from(values[0]?.[1] ?? '').toString('base64')}`,
    );
    expect(out).toBe('aGVsbG8gd29ybGQ= [redacted:TOKEN]');
  });

  test('hostile text costs no more than its length', () => {
    const hostile = [
      '\\'.repeat(200_000),
      '%25'.repeat(70_000),
      '&#x'.repeat(70_000),
      '%'.repeat(200_000),
      '\\u005'.repeat(40_000),
    ];
    const start = performance.now();
    for (const text of hostile) expect(scrub(text)).toBe(text);
    expect(performance.now() - start).toBeLessThan(1_500);
  });
});
