import type { SecretPlace } from '../../policy/policy.ts';
import { fill, plainPlaceholders, secretsIn, urlSafe } from './placeholder.ts';

/** Gives a secret's value for one place of a request, or throws why it may not go there. A place that is not plain is undefined. */
export type ValueAt = (name: string, place: SecretPlace | undefined) => string;

/** A text with a word of its own in the place of each secret: where a word is found in what the text means, there the secret goes. */
function marked(text: string): { text: string; marks: { name: string; mark: string }[] } {
  const run = crypto.randomUUID().replaceAll('-', '');
  const marks: { name: string; mark: string }[] = [];
  const plain = fill(text, (name) => {
    const mark = `px${run}x${marks.length}z`;
    marks.push({ name, mark });
    return mark;
  });
  return { text: plain, marks };
}

function replaced(text: string, values: Map<string, string>): string {
  let out = text;
  for (const [mark, value] of values) out = out.replaceAll(mark, () => value);
  return out;
}

/** A URL with its secrets in path and query; `shown` is the same with a word in the place of each. */
export function readUrlSecrets(
  template: string,
  parse: (text: string) => URL,
): { shown: URL; text: string; open(value: ValueAt): string } {
  const { text, marks } = marked(plainPlaceholders(template));
  const shown = parse(text);
  return {
    shown,
    text,
    open(value) {
      const values = marks.map(({ name, mark }): [string, string] => [mark, urlSafe(value(name, inUrl(shown, mark)))]);
      return replaced(text, new Map(values));
    },
  };
}

function inUrl(url: URL, mark: string): SecretPlace | undefined {
  if (url.pathname.includes(mark)) return { in: 'path' };
  const fields = [...url.searchParams].filter(([, value]) => value.includes(mark));
  const [[field] = []] = fields;
  return fields.length === 1 && field !== undefined ? { in: 'query', name: field } : undefined;
}

/**
 * A header with its secrets. After `Basic` stands `user:{{secret:NAME}}`, in clear or already in base64: the host encodes what it
 * has filled in.
 */
export function fillHeader(header: string, value: string, valueAt: ValueAt): string {
  const name = header.toLowerCase();
  const [, scheme = '', rest = ''] = (name === 'authorization' && /^(basic|bearer) +(.*)$/i.exec(value)) || [];
  if (/^basic$/i.test(scheme)) {
    const decoded = secretsIn(rest).length > 0 ? rest : fromBase64(rest);
    if (decoded === undefined || secretsIn(decoded).length === 0) return value;
    const full = fill(decoded, (secret) => valueAt(secret, { in: 'basic' }));
    return `Basic ${full.includes(':') ? Buffer.from(full).toString('base64') : full}`;
  }
  const bearer = /^bearer$/i.test(scheme);
  return fill(value, (secret) => valueAt(secret, bearer ? { in: 'bearer' } : { in: 'header', name }));
}

function fromBase64(text: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.fromBase64(text.trim()));
  } catch {
    return undefined;
  }
}

/** A body with its secrets: in JSON and in forms written as a value is written there, elsewhere as they are. */
export function fillBody(body: Uint8Array, contentType: string | undefined, valueAt: ValueAt): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(body);
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const encoded = type === formType && bytes.includes('%7B%7Bsecret');
  if (!encoded && !bytes.includes('{{secret:')) return bytes;
  // Latin-1 keeps every byte as it is, also in a body that is not text.
  const latin = bytes.toString('latin1');
  const { text, marks } = marked(encoded ? plainPlaceholders(latin) : latin);
  const [fields, write] = formOf(type, text);
  const values = marks.map(({ name, mark }): [string, string] => {
    const at = fields.filter(([, value]) => value.includes(mark));
    const [[field] = []] = at;
    const value = valueAt(name, { in: 'body', ...(at.length === 1 && field !== undefined ? { name: field } : {}) });
    return [mark, Buffer.from(write(value)).toString('latin1')];
  });
  return Buffer.from(replaced(text, new Map(values)), 'latin1');
}

/** Whether a secret stands anywhere in a request. */
export function holdsSecret(request: {
  url: string;
  headers: [string, string][];
  body: Uint8Array | undefined;
}): boolean {
  let found = secretsIn(plainPlaceholders(request.url)).length > 0;
  const seen: ValueAt = () => {
    found = true;
    return '';
  };
  for (const [name, value] of request.headers) fillHeader(name, value, seen);
  if (request.body) fillBody(request.body, formType, seen);
  return found;
}

const formType = 'application/x-www-form-urlencoded';
type Fields = [name: string, value: string][];

function formOf(type: string, text: string): [Fields, write: (value: string) => string] {
  if (type === formType) return [[...new URLSearchParams(text)], encodeURIComponent];
  if (!/^(application\/json|.*\+json)$/.test(type)) return [[], (value) => value];
  try {
    const fields: Fields = [];
    walk(JSON.parse(text), '', fields);
    return [fields, (value) => JSON.stringify(value).slice(1, -1)];
  } catch {
    return [[], (value) => value];
  }
}

/** Every text in a JSON value, by its dotted path. */
function walk(value: unknown, path: string, into: Fields): void {
  if (typeof value === 'string') into.push([path, value]);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`, into);
}
