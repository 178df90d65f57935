import type { Json } from '../../wire/wire.ts';
import type { LoadFrame } from '../protocol.ts';
import type { Outside } from './quickjs.ts';
import { inertWasi } from './wasi.ts';
import { inertSockets } from './wasi-sockets.ts';

/** Asks the daemon; blocks until it answered. Throws `{payload}` for the error arm of the call's result. */
export type AskHost = (fn: string, ...args: Json[]) => Json;

type Interface = Record<string, unknown>;

interface Request {
  method: string;
  url: string;
  headers: [string, string][];
  body?: Uint8Array;
  timeoutMs?: number;
}

interface Message {
  id: string;
  senderId: string;
  senderName: string;
  text: string;
  metadata?: string;
}

/** A file or folder as the daemon tells it. */
interface Entry {
  name: string;
  kind: string;
  size: number;
  modified: number;
}

const fileEntry = (entry: Entry) => ({ ...entry, size: BigInt(entry.size), modified: BigInt(entry.modified) });

const bytesOf = (json: Json): Uint8Array => Uint8Array.fromBase64(String(json));

/** host-api as jco wants it. Everything that reaches out is a question to the daemon, which alone decides. */
function hostApi(ask: AskHost, settings: Map<string, string>, time: () => number) {
  return {
    kvSet: (key: string, value: Uint8Array) => void ask('kv-set', key, value.toBase64()),
    kvGet: (key: string) => bytesOf(ask('kv-get', key)),
    kvDelete: (key: string) => void ask('kv-delete', key),
    kvList: (prefix: string) => ask('kv-list', prefix),
    log: (level: string, message: string) => void ask('log', level, message.slice(0, 8192)),
    now: () => BigInt(time()),
    randomBytes: random,
    configGet: (key: string) => settings.get(key),
    secretExists: (name: string) => ask('secret-exists', name),
    httpRequest: (request: Request) => {
      const response = askHttp(ask, request);
      return { ...response, body: bytesOf(response.body) };
    },
    fileList: (path: string) => (ask('file-list', path) as unknown as Entry[]).map(fileEntry),
    fileStat: (path: string) => fileEntry(ask('file-stat', path) as unknown as Entry),
    fileRead: (path: string, offset: bigint, length: number) => bytesOf(ask('file-read', path, Number(offset), length)),
    fileWrite: (path: string, content: Uint8Array) => void ask('file-write', path, content.toBase64()),
    fileDelete: (path: string) => void ask('file-delete', path),
    emitMessage: (m: Message) =>
      void ask('emit-message', {
        id: m.id,
        sender_id: m.senderId,
        sender_name: m.senderName,
        text: m.text,
        metadata: m.metadata ?? null,
      }),
  };
}

/** The request as JSON, and its error arm as jco's variant: `{"denied": "…"}` becomes `{tag, val}`. */
function askHttp(ask: AskHost, request: Request) {
  try {
    return ask('http-request', {
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: request.body ? request.body.toBase64() : null,
      timeout_ms: request.timeoutMs ?? null,
    }) as { status: number; headers: [string, string][]; body: string };
  } catch (thrown) {
    const payload = (thrown as { payload?: Json }).payload;
    if (typeof payload === 'string') throw { payload: { tag: payload } };
    const [tag, val] = Object.entries(payload ?? {})[0] ?? ['network', 'the host did not answer'];
    throw { payload: { tag, val: tag === 'too-large' ? BigInt(String(val)) : val } };
  }
}

/** The clock a plugin is told the time by, in ms since 1970. */
function clockOf({ clock }: Pick<LoadFrame, 'clock'>): () => number {
  const ahead = clock === undefined ? 0 : clock - Date.now();
  return () => Date.now() + ahead;
}

/** Everything the component may import, under each spelling jco looks for: as the component wrote it and without version. */
export function importsFor(load: Pick<LoadFrame, 'imports' | 'settings' | 'clock'>, ask: AskHost) {
  const { imports: names, settings } = load;
  const time = clockOf(load);
  const known: Record<string, Interface> = {
    'project-x:core/host-api': hostApi(ask, new Map(settings), time),
    ...(names.some((name) => name.startsWith('wasi:'))
      ? inertWasi((level, line) => void ask('log', level, line.slice(0, 8192)), time)
      : {}),
    ...(names.some((name) => name.startsWith('wasi:sockets/')) ? inertSockets() : {}),
  };
  for (const name of names) {
    const found = known[name.replace(/@[\d.]+$/, '')];
    if (found) known[name] = found;
  }
  return known;
}

/**
 * What a script can reach. What comes from outside is asked of the daemon, as a component's calls are; `onCall` is told of
 * every question that not each start answers alike.
 */
export function outsideFor(
  load: Pick<LoadFrame, 'settings' | 'clock'>,
  ask: AskHost,
  script: string,
  onCall: () => void,
): Outside {
  const settings = new Map(load.settings);
  const time = clockOf(load);
  const answer = (fn: string, args: Json[]): Json => {
    if (fn === 'source') return script;
    onCall();
    if (fn === 'random-bytes') return random(Number(args[0])).toBase64();
    if (fn === 'config-get') return settings.get(String(args[0])) ?? null;
    return ask(fn, ...args);
  };
  return {
    host(fn, args) {
      try {
        return JSON.stringify({ ok: answer(fn, JSON.parse(args)) });
      } catch (thrown) {
        if (typeof thrown === 'object' && thrown !== null && 'payload' in thrown)
          return JSON.stringify({ err: thrown.payload });
        throw thrown;
      }
    },
    now() {
      onCall();
      return time();
    },
    random(bytes) {
      onCall();
      crypto.getRandomValues(bytes);
    },
  };
}

function random(count: number): Uint8Array {
  if (count > 65_536) throw new Error('random-bytes gives at most 65536 bytes at a time');
  return crypto.getRandomValues(new Uint8Array(count));
}
