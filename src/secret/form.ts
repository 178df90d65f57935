/** How programs write a value: the expressions that {@link import('./scrub.ts')} joins. Each matches one piece of a value. */

/**
 * The value as characters. Each may stand as itself or percent-encoded (also twice), JSON- or JavaScript-escaped (also inside
 * JSON inside JSON) or as an HTML entity, mixed freely when `every`; else only those that encoders have to escape.
 */
export function characterForms(value: string, asBytes: boolean, every: boolean): string {
  return [...value.matchAll(/\\+|./gsu)].map(([unit]) => unitForms(unit, asBytes, every)).join('');
}

/** What may stand between two bytes of hex: nothing, as in `3a:5c`, `3A-5C`, a dump in lines, or `0x3a, 0x5c`. */
export const hexGap = '(?:[ :,\\r\\n-]{1,2}(?:0x)?)?';

/** The value's UTF-8 bytes in hex, either case. */
export function hexForm(value: string): string {
  return [...Buffer.from(value)].map(hexByte).join(hexGap);
}

/**
 * The characters of base64 that the value alone decides, for each of the three ways it can lie in a longer text; both
 * alphabets, also broken into lines or URL-encoded.
 */
export function base64Forms(value: string): string[] {
  return base64Cores(value).map((core) => [...core].map((c) => base64Character[c] ?? c).join('[\\r\\n]{0,2}'));
}

/** Those characters in the standard alphabet. */
export function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
}

const base64Character: Record<string, string> = {
  '+': '(?:[+-]|%2[bB]|\\\\u002[bB])',
  '/': '(?:\\\\{0,3}\\/|_|%2[fF])',
};
const entity: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };
const shortEscape: Record<string, string> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f' };

function unitForms(unit: string, asBytes: boolean, every: boolean): string {
  // A run of n backslashes is n to 8n of them, so that the expression never has two ways to share out a run.
  if (unit.startsWith('\\')) {
    const n = unit.length;
    return `(?:\\\\{${n},${n * 8}}|(?:%(?:25){0,2}5[cC]){${n},${n * 2}}|(?:\\\\{1,4}u005[cC]){${n}}|(?:&#(?:0*92|[xX]0*5[cC]);){${n}})`;
  }
  const plain = /[A-Za-z0-9]/.test(unit);
  const bytes = Buffer.from(unit);
  const literal = quoted(asBytes ? bytes.toString('latin1') : unit);
  if (plain && !every) return literal;
  const forms = [plain ? literal : `\\\\{0,7}${literal}`, [...bytes].map((b) => `%(?:25){0,2}${hexByte(b)}`).join('')];
  const units = Array.from({ length: unit.length }, (_, i) => unit.charCodeAt(i));
  forms.push(units.map((u) => `\\\\{1,7}u${hexDigits(u, 4)}`).join(''));
  if (bytes.length === 1) forms.push(`\\\\{1,7}x${hexByte(bytes[0] ?? 0)}`);
  const short = shortEscape[unit];
  if (short !== undefined) forms.push(`\\\\{1,7}${short}`);
  if (unit === '\n') forms.push('\\r\\n', '\\\\{1,7}r\\\\{1,7}n');
  if (unit === ' ') forms.push('\\+');
  forms.push(`&#(?:0*${unit.codePointAt(0) ?? 0}|[xX]0*${hexDigits(unit.codePointAt(0) ?? 0, 1)});`);
  const name = entity[unit];
  if (name !== undefined) forms.push(`&${name};`);
  return `(?:${forms.join('|')})`;
}

function hexByte(byte: number): string {
  return hexDigits(byte, 2);
}

function hexDigits(value: number, width: number): string {
  return value
    .toString(16)
    .padStart(width, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
