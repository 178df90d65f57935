import type { Json } from '../../wire/wire.ts';

/**
 * Where a value is not what was expected, as text; undefined when it is. Lists have the same length; objects may hold more than was
 * expected of them.
 */
export function mismatch(expected: Json, got: Json, path = ''): string | undefined {
  const at = path === '' ? '' : `${path}: `;
  const different = `${at}expected ${shown(expected)}, got ${shown(got)}`;
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return different;
    for (const [i, one] of expected.entries()) {
      const found = mismatch(one, got[i] ?? null, `${path}[${i}]`);
      if (found) return found;
    }
    return undefined;
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof got !== 'object' || got === null || Array.isArray(got)) return different;
    for (const [key, one] of Object.entries(expected)) {
      const found = mismatch(one, got[key] ?? null, path === '' ? key : `${path}.${key}`);
      if (found) return found;
    }
    return undefined;
  }
  return expected === got ? undefined : different;
}

const shown = (value: Json) => {
  const text = JSON.stringify(value);
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
};
