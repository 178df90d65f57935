/*
 * host-api in JavaScript, over the one function that the engine's process gives: arguments and answers are JSON, spelt as between a plugin's
 * process and px, bytes in base64. Names and shapes are those that toolchains for JavaScript make of the contract: camelCase,
 * a variant as `{tag, val}`, and the `err` of a result thrown as an error's `payload`.
 */

/** The engine's own, whatever a script puts in their place. */
export const { parse, stringify } = JSON;

/** Answers `{"ok": …}` or `{"err": …}` to a function of the contract and the JSON array of its arguments. */
export type Host = (fn: string, args: string) => string;

let answer: Host;

/** Gives the engine its host, once, before any script is evaluated. */
export function connect(host: Host): void {
  answer = host;
}

class HostError extends Error {
  readonly payload: unknown;
  constructor(payload: unknown) {
    super(typeof payload === 'string' ? payload : stringify(payload));
    Object.defineProperty(this, 'payload', { value: payload });
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what the contract says each function returns
function ask(fn: string, ...args: unknown[]): any {
  const said = parse(answer(fn, stringify(args)));
  if ('err' in said) throw new HostError(fn === 'http-request' ? variant(said.err) : said.err);
  return said.ok;
}

/** A case of a variant: `"timeout"` or `{"denied": "…"}`. */
function variant(json: string | Record<string, unknown>): { tag: string; val?: unknown } {
  if (typeof json === 'string') return { tag: json };
  const [tag, val] = Object.entries(json)[0] ?? ['network', 'the host did not answer'];
  return { tag, val };
}

/** The script that this instance runs; none of the contract's. */
export const source = (): string => ask('source');

/** A request as the host takes it; its time in milliseconds. */
export interface HostRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array | undefined;
  timeoutMs: number | undefined;
}

/** A file or folder: its size in bytes, when it was modified in ms since 1970. */
export interface HostFile {
  name: string;
  kind: 'file' | 'folder' | 'other';
  size: number;
  modified: number;
}

/** A message that nobody asked for. */
export interface HostMessage {
  id: string;
  senderId: string;
  senderName: string;
  text: string;
  metadata: string | undefined;
}

/** The contract's interface `host-api`: see wit/core.wit. */
export const hostApi = {
  kvSet: (key: string, value: Uint8Array): void => ask('kv-set', key, value.toBase64()),
  kvGet: (key: string): Uint8Array => Uint8Array.fromBase64(ask('kv-get', key)),
  kvDelete: (key: string): void => ask('kv-delete', key),
  kvList: (prefix: string): string[] => ask('kv-list', prefix),
  log: (level: 'info' | 'warn' | 'error' | 'debug', message: string): void => ask('log', level, message.slice(0, 8192)),
  now: (): number => Date.now(),
  randomBytes: (count: number): Uint8Array => Uint8Array.fromBase64(ask('random-bytes', count)),
  configGet: (key: string): string | undefined => ask('config-get', key) ?? undefined,
  secretExists: (name: string): boolean => ask('secret-exists', name),
  httpRequest({ body, timeoutMs, ...request }: HostRequest): {
    status: number;
    headers: [string, string][];
    body: Uint8Array;
  } {
    const given = { ...request, body: body?.toBase64() ?? null, timeout_ms: timeoutMs ?? null };
    const got = ask('http-request', given);
    return { ...got, body: Uint8Array.fromBase64(got.body) };
  },
  fileList: (path: string): HostFile[] => ask('file-list', path),
  fileStat: (path: string): HostFile => ask('file-stat', path),
  fileRead: (path: string, offset: number, length: number): Uint8Array =>
    Uint8Array.fromBase64(ask('file-read', path, Number(offset), length)),
  fileWrite: (path: string, content: Uint8Array): void => ask('file-write', path, content.toBase64()),
  fileDelete: (path: string): void => ask('file-delete', path),
  emitMessage: ({ id, senderId, senderName, text, metadata }: HostMessage): void =>
    ask('emit-message', { id, sender_id: senderId, sender_name: senderName, text, metadata: metadata ?? null }),
};
