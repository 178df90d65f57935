import type * as Px from 'px';
import { type HostRequest, hostApi as host } from './host.ts';
import { random } from './random.ts';
import { Utf8Decoder, Utf8Encoder } from './text.ts';

const encoder = new Utf8Encoder();
const decoder = new Utf8Decoder();
const bytesOf = (value: unknown): Uint8Array => {
  if (value instanceof Uint8Array) return value;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : encoder.encode(`${value}`);
};

/**
 * A value as text the host takes: half of a character (an emoji that `slice` cut in two) becomes `\ufffd`. As it is, it would be a trap of the
 * engine, and a fault of the plugin.
 */
export const plain = (value: unknown): string => `${value}`.toWellFormed();
/** A number of bytes or milliseconds as the host takes it. */
const count = (value: number): number => Math.min(Math.max(Math.floor(Number(value)) || 0, 0), 0xffff_ffff);

/** What a thrown value of any shape says. */
export function reason(thrown: unknown): string {
  const value = payload(thrown);
  return plain(typeof value === 'string' ? value : value instanceof Error ? value.message : JSON.stringify(value));
}

function payload(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'payload' in thrown ? thrown.payload : thrown;
}

/** See px.d.ts; here and below: each name is documented there. */
export class HttpError extends Error {
  readonly kind: Px.HttpError['kind'];
  constructor(kind: Px.HttpError['kind'], message: string) {
    super(message);
    this.name = 'HttpError';
    this.kind = kind;
  }
}

/** The host's http-error, as thrown (`{tag, val}`) or as JSON (`"timeout"`, `{"denied": "…"}`), as an HttpError. */
export function httpError(from: unknown): HttpError {
  const value = payload(from);
  let kind = typeof value === 'string' ? value : 'network';
  let detail: unknown = value instanceof Error ? value.message : '';
  if (typeof value === 'object' && value !== null && !(value instanceof Error)) {
    [kind, detail] =
      'tag' in value
        ? [`${value.tag}`, 'val' in value ? value.val : '']
        : (Object.entries(value)[0] ?? ['network', '']);
  }
  switch (kind) {
    case 'denied':
      return new HttpError(kind, `${detail || 'no grant allows it'}`);
    case 'timeout':
      return new HttpError(kind, 'the request took too long');
    case 'too-large':
      return new HttpError(kind, `the answer is larger than ${detail} bytes`);
    default:
      return new HttpError('network', `${detail || kind}`);
  }
}

/** An answer with the ways to read it. */
export function response(status: number, headers: [string, string][], body: Uint8Array): Px.Response {
  return {
    status,
    headers,
    body,
    text: () => decoder.decode(body),
    json: () => JSON.parse(decoder.decode(body)),
    header: (name) => headers.find(([k]) => k.toLowerCase() === name.toLowerCase())?.[1],
  };
}

/** A request with everything filled in, as the host takes it. */
export function request(from: Px.Request | string): HostRequest {
  const { method, url, headers, body, timeoutMs } = typeof from === 'string' ? ({ url: from } as Px.Request) : from;
  return {
    method: plain(method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase(),
    url: plain(url),
    headers: (Array.isArray(headers) ? headers : Object.entries(headers ?? {})).map(([k, v]) => [plain(k), plain(v)]),
    body: body === undefined ? undefined : bytesOf(body),
    timeoutMs: timeoutMs === undefined ? undefined : count(timeoutMs),
  };
}

function metadataText(metadata: Px.Message['metadata']): string | undefined {
  return metadata === undefined || typeof metadata === 'string' ? metadata : JSON.stringify(metadata);
}

/** A message as JSON under the host's mapping. */
export function messageJson(m: Px.Message): unknown {
  return {
    id: plain(m.id),
    sender: { id: plain(m.sender.id), display_name: plain(m.sender.displayName ?? '') },
    text: plain(m.text),
    metadata: metadataText(m.metadata) ?? null,
  };
}

/** Runs a host call; what it throws becomes an Error with a plain message. */
function call<T>(run: () => T): T {
  try {
    return run();
  } catch (e) {
    throw new Error(reason(e));
  }
}

const levels: unknown[] = ['info', 'warn', 'error', 'debug'];

/** The module `px`. */
export const px: typeof Px = {
  HttpError,
  log: (level, message) => host.log(levels.includes(level) ? level : 'info', plain(message)),
  kvSet: (key, value) => call(() => host.kvSet(plain(key), bytesOf(value))),
  kvGet: (key) => {
    try {
      return host.kvGet(plain(key));
    } catch (e) {
      if (reason(e) === 'not-found') return undefined;
      throw new Error(reason(e));
    }
  },
  kvGetText: (key) => {
    const value = px.kvGet(key);
    return value && decoder.decode(value);
  },
  kvDelete: (key) => call(() => host.kvDelete(plain(key))),
  kvList: (prefix = '') => call(() => host.kvList(plain(prefix))),
  now: () => Date.now(),
  randomBytes: random,
  configGet: (key) => {
    const text = host.configGet(plain(key));
    return text === undefined ? undefined : JSON.parse(text);
  },
  secretExists: (name) => host.secretExists(plain(name)),
  httpRequest: (from) => {
    try {
      const { status, headers, body } = host.httpRequest(request(from));
      return response(status, headers, body);
    } catch (e) {
      throw httpError(e);
    }
  },
  fileList: (path = '') => call(() => host.fileList(plain(path))),
  fileStat: (path) => call(() => host.fileStat(plain(path))),
  fileRead: (path, { offset = 0, length = 0xffff_ffff } = {}) =>
    call(() => host.fileRead(plain(path), count(offset), count(length))),
  fileReadText: (path, range) => decoder.decode(px.fileRead(path, range)),
  fileWrite: (path, content) => call(() => host.fileWrite(plain(path), bytesOf(content))),
  fileDelete: (path) => call(() => host.fileDelete(plain(path))),
  emitMessage: (m) =>
    call(() =>
      host.emitMessage({
        id: plain(m.id),
        senderId: plain(m.sender.id),
        senderName: plain(m.sender.displayName ?? ''),
        text: plain(m.text),
        metadata: metadataText(m.metadata)?.toWellFormed(),
      }),
    ),
};
