import { detector } from './detect.ts';
import { base64Forms, characterForms, hexForm } from './form.ts';

/** The known secrets as two expressions: one for text, one for bytes read as Latin-1. Made once, until a secret changes. */
export interface Needles {
  /** Two groups a pattern belong to each name: the value as characters or hex, and as base64. */
  names: string[];
  /** Tells quickly whether a text holds a value at all: nearly none does. */
  detect: (text: string) => string | boolean;
  text: () => RegExp;
  bytes: () => RegExp;
}

/** Pieces of a long value are looked for one by one, so that a part of a private key is found too. */
const pieceLength = 256;
const minPieceLength = 6;

/** What finds these values in every form a program usually gives them; undefined when there is nothing to find. */
export function needles(values: [name: string, value: string][]): Needles | undefined {
  const pieces = values
    .flatMap(([name, value]) =>
      inEitherCase(value)
        .flatMap(split)
        .map((piece): [string, string] => [name, piece]),
    )
    // Of two values that start alike the longer one has to be tried first.
    .sort((a, b) => b[1].length - a[1].length);
  if (pieces.length === 0) return undefined;
  const pattern = (bytes: boolean) =>
    pieces
      .map(([, piece]) => {
        const plain = `${characterForms(piece, bytes, piece.length <= pieceLength / 2)}|${hexForm(piece)}`;
        return `(${plain})|(${base64Forms(piece).join('|')})`;
      })
      .join('|');
  let text: RegExp | undefined;
  let bytes: RegExp | undefined;
  return {
    names: pieces.map(([name]) => name),
    detect: detector(pieces),
    // Compiling them takes milliseconds, and usually nobody needs them.
    text: () => (text ??= new RegExp(pattern(false), 'g')),
    bytes: () => (bytes ??= new RegExp(pattern(true), 'g')),
  };
}

/** The text with each found value replaced by `[redacted:NAME]`; the same text when none was found. */
export function scrubText(text: string, known: Needles | undefined): string {
  const found = known?.detect(text) ?? false;
  if (!known || found === false) return text;
  return replace(text, known.text(), known.names) ?? (found === true ? text : withheld(found));
}

/** The same for bytes; the same array when none was found. */
export function scrubBytes(bytes: Uint8Array, known: Needles | undefined): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = known?.detect(buffer.toString()) ?? false;
  if (!known || found === false) return bytes;
  const scrubbed =
    replace(buffer.toString('latin1'), known.bytes(), known.names) ?? (found === true ? undefined : withheld(found));
  return scrubbed === undefined ? bytes : new Uint8Array(Buffer.from(scrubbed, 'latin1'));
}

/** A value is in there, written in a way that cannot be cut out: nothing of the text may pass. */
function withheld(name: string): string {
  return `[redacted:${name}]`;
}

function replace(text: string, pattern: RegExp, names: string[]): string | undefined {
  pattern.lastIndex = 0;
  let match = pattern.exec(text);
  if (!match) return undefined;
  let out = '';
  let done = 0;
  let last = '';
  for (; match; match = pattern.exec(text)) {
    const group = match.findIndex((found, i) => i > 0 && found !== undefined) - 1;
    let start = match.index;
    let end = start + match[0].length;
    if (group % 2 === 1) {
      // Up to six bits of the value stand in the base64 character on either side. The search itself goes on right behind the
      // match: that character can be the first of another one.
      if (isBase64(text, start - 1)) start--;
      if (isBase64(text, end)) end++;
      while (text[end] === '=') end++;
    }
    const mark = `[redacted:${names[group >> 1] ?? ''}]`;
    if (start > done || mark !== last) out += text.slice(done, start) + mark;
    last = mark;
    done = Math.max(done, end);
  }
  return out + text.slice(done);
}

function isBase64(text: string, at: number): boolean {
  return /[A-Za-z0-9+/_-]/.test(text[at] ?? '');
}

/** A value of small letters only (hex, a UUID) says as much in capitals, and the other way round. */
function inEitherCase(value: string): string[] {
  const [small, large] = [value.toLowerCase(), value.toUpperCase()];
  if (small === large) return [value];
  return value === small ? [value, large] : value === large ? [value, small] : [value];
}

function split(value: string): string[] {
  const lines = value.includes('\n')
    ? value.split(/\r?\n/).filter((line) => line.length >= 20 && !line.startsWith('-----'))
    : [];
  if (value.length <= pieceLength) return [value, ...lines];
  const count = Math.ceil(value.length / pieceLength);
  const size = Math.max(minPieceLength, Math.ceil(value.length / count));
  const parts = Array.from({ length: count }, (_, i) => value.slice(i * size, (i + 1) * size));
  return [...parts.filter((part) => part.length >= minPieceLength), ...lines];
}
