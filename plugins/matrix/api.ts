import { configGet, type Json, kvGetText, kvSet, now, type Request, type WaitAnswer } from 'px';
import { answerOf } from '../direct.ts';

export type JsonObject = { [key: string]: Json };

/** How long the server may take for an answer, in ms. */
const answerMs = 20_000;
/** How long what the server said of itself and of px's account is believed, in ms. */
const factsMs = 3_600_000;

const setting = (key: string): string | undefined => {
  const value = configGet(key);
  return typeof value === 'string' && value !== '' ? value : undefined;
};
const homeserver = () => (setting('homeserver') ?? 'https://matrix-client.matrix.org').replace(/\/+$/, '');
const token = () => setting('token') ?? '{{secret:MATRIX_TOKEN}}';

/** What the server said no to. Its text tells px what to do: `retry-after:`, `unauthorized:`, `refused:`. */
export class Refusal extends Error {
  readonly status: number;
  /** Matrix's own name of what is wrong: `M_FORBIDDEN`. */
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A request under `/_matrix`; parts of its path are escaped. The token is a placeholder: px fills it in on the way out. */
export function request(method: string, path: string[], body?: JsonObject, query: JsonObject = {}): Request {
  const text = body === undefined ? undefined : JSON.stringify(body);
  // Ids come from other people's events, and px has taken its marks out of all texts: what it would fill in here goes nowhere.
  if (path.some((part) => /[{}]/.test(part)) || /\{\{(?:secret|file):/i.test(text ?? ''))
    throw new Refusal(400, '', 'refused: this is no id of Matrix');
  const asked = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(`${value}`)}`);
  const headers: Record<string, string> = { authorization: `Bearer ${token()}` };
  if (text !== undefined) headers['content-type'] = 'application/json';
  return {
    method,
    url: `${homeserver()}/_matrix/${path.map(encodeURIComponent).join('/')}${asked.length > 0 ? `?${asked.join('&')}` : ''}`,
    headers,
    ...(text === undefined ? {} : { body: text }),
    timeoutMs: answerMs,
  };
}

/** A path of the client-server API. */
export const v3 = (...parts: string[]): string[] => ['client', 'v3', ...parts];

/** Makes a request and waits for it. Throws {@link Refusal}, and errors of the network. */
export function call(asked: Request): JsonObject {
  return read(answerOf(asked));
}

/**
 * The JSON of an answer. Throws as {@link call} does. That a request may have arrived although no answer came is not told apart: the
 * server knows each by its transaction id, and px asks again with the same one.
 */
export function read(answer: WaitAnswer): JsonObject {
  if ('err' in answer) throw new Error(`${answer.err.kind}: ${answer.err.message}`);
  const { status } = answer.ok;
  let said: Json;
  try {
    said = answer.ok.json();
  } catch {
    said = null;
  }
  const body = objectOf(said);
  if (body && status >= 200 && status < 300) return body;
  if (!body) throw new Refusal(status, '', `the server answered ${status} with something that is not JSON`);
  const code = textOf(body['errcode']) ?? '';
  const retry = body['retry_after_ms'];
  const wait = typeof retry === 'number' ? retry / 1000 : Number(answer.ok.header('retry-after') ?? 5);
  throw new Refusal(status, code, explain(status, code, textOf(body['error']) ?? code, wait));
}

function explain(status: number, code: string, said: string, wait: number): string {
  if (status === 429) return `retry-after:${Math.max(0.05, wait || 5)} the server asks to slow down`;
  if (status === 401)
    return `unauthorized: the server does not know this access token (${said}); log in anew and set MATRIX_TOKEN`;
  if (code === 'M_USER_DEACTIVATED') return `unauthorized: this account is deactivated (${said})`;
  if (code === 'M_USER_LOCKED' || code === 'M_USER_SUSPENDED') return `unauthorized: this account is locked (${said})`;
  if (code === 'M_FORBIDDEN') return `refused: px may not do this here: ${said}`;
  if (status >= 400 && status < 500) return `refused: ${said}`;
  return `the server answered ${status}: ${said}`;
}

export function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}
export const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
export const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** px's own account. */
export interface Me {
  id: string;
  /** As people see it. */
  name: string;
  /** Whether the server gives media only to who says who they are (Matrix 1.11). */
  guarded: boolean;
}

/** Who px is here, and what its server can do. */
export function me(): Me {
  const kept = kvGetText('me');
  const known: (Me & { at: number; of: string }) | undefined = kept === undefined ? undefined : JSON.parse(kept);
  return known?.of === homeserver() && now() - known.at < factsMs ? known : askMe();
}

/** The same, as the server says now. */
export function askMe(): Me {
  const id = textOf(call(request('GET', v3('account', 'whoami')))['user_id']);
  if (id === undefined) throw new Error('the server does not say who px is');
  const versions = listOf(call(request('GET', ['client', 'versions']))['versions']);
  const guarded = versions.some((one) => {
    const [, major, minor] = /^v(\d+)\.(\d+)$/.exec(`${one}`) ?? [];
    return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 11);
  });
  const facts: Me = { id, name: nameOf(id) ?? localpart(id), guarded };
  kvSet('me', JSON.stringify({ ...facts, at: now(), of: homeserver() }));
  return facts;
}

function nameOf(id: string): string | undefined {
  try {
    return textOf(call(request('GET', v3('profile', id, 'displayname')))['displayname']);
  } catch (e) {
    if (e instanceof Refusal && e.status !== 401 && e.status !== 429) return undefined;
    throw e;
  }
}

/** `@ada:example.org` → `ada`. */
export const localpart = (id: string): string => /^@?([^:]*)/.exec(id)?.[1] ?? id;
