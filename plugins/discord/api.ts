import { configGet, type Json, type Request, type WaitAnswer } from 'px';
import { answerOf } from '../direct.ts';

export type Args = { [key: string]: Json };

/** How long Discord may take for an answer, in ms. */
const answerMs = 20_000;

/** A setting that is text. */
function text(key: string): string | undefined {
  const value = configGet(key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const api = () => (text('api') ?? 'https://discord.com/api/v10').replace(/\/+$/, '');
/** The token is a placeholder here: px fills it in on the way out. */
export const token = () => text('token') ?? '{{secret:DISCORD_TOKEN}}';
/** Whether the bot may read what is not said to it: a right that has to be switched on at Discord, too. */
export const readsAll = () => configGet('message_content') === true;

/** Headers of every request; Discord wants bots to say what they are. */
const headers = (): Record<string, string> => ({
  authorization: `Bot ${token()}`,
  'user-agent': 'DiscordBot (https://discord.com/developers, 0.1) px',
});

/** The request that calls the API. */
export function apiRequest(method: string, path: string, args?: Json, timeoutMs = answerMs): Request {
  return {
    method,
    url: `${api()}${path}`,
    headers: args === undefined ? headers() : { ...headers(), 'content-type': 'application/json' },
    timeoutMs,
    ...(args === undefined ? {} : { body: JSON.stringify(args) }),
  };
}

/** A request with a file, whose bytes px puts where the body names them. */
export function uploadRequest(
  path: string,
  args: Args,
  file: { id: string; name: string; mime: string },
  key: string,
): Request {
  const boundary = `px${key}`.replace(/[^\w]/g, '');
  const name = file.name.replace(/[\r\n"\\]/g, '_');
  const part = (of: string, type: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name=${of}\r\nContent-Type: ${type}\r\n\r\n`;
  const json = `${part('"payload_json"', 'application/json')}${JSON.stringify(args)}\r\n`;
  return {
    method: 'POST',
    url: `${api()}${path}`,
    headers: { ...headers(), 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `${json}${part(`"files[0]"; filename="${name}"`, file.mime)}{{file:${file.id}}}\r\n--${boundary}--\r\n`,
    timeoutMs: 120_000,
  };
}

/** What Discord said no to. Its text tells px what to do: `retry-after:`, `unauthorized:`, `refused:`, `unknown:`. */
export class Refusal extends Error {
  readonly status: number;
  /** Seconds to wait, when that is all that is asked. */
  readonly retryAfter: number | undefined;
  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Calls the API and waits for it. Throws {@link Refusal}, and errors that begin with `unknown:` when it may have been done. */
export function call(method: string, path: string, args?: Json, timeoutMs?: number): Json {
  return read(answerOf(apiRequest(method, path, args, timeoutMs)));
}

/** Most waits for one call, and the longest, in seconds: a plugin's call has its bounds, too. */
const patience = { times: 4, seconds: 12 };

/** The same, waiting as Discord asks. */
export async function patiently(method: string, path: string): Promise<Json> {
  for (let turn = 1; ; turn++) {
    try {
      return call(method, path);
    } catch (e) {
      const wait = e instanceof Refusal ? e.retryAfter : undefined;
      if (wait === undefined || wait > patience.seconds || turn === patience.times) throw e;
      await new Promise<void>((resolve) => setTimeout(resolve, wait * 1000));
    }
  }
}

/** The result in an answer; `null` for one without content. Throws as {@link call} does. */
export function read(answer: WaitAnswer): Json {
  if ('err' in answer) {
    const { kind, message } = answer.err;
    // Cut off after it was sent, nobody knows whether it arrived.
    const sent = kind === 'timeout' || (kind === 'network' && /reset|closed|aborted|hang ?up/i.test(message));
    throw new Error(`${sent ? 'unknown' : kind}: ${message}`);
  }
  const { status, body } = answer.ok;
  if (status === 204 || (status < 300 && body.length === 0)) return null;
  let said: Json;
  try {
    said = answer.ok.json();
  } catch {
    if (status < 300) throw new Error('Discord answered with something that is not JSON');
    said = {};
  }
  if (status < 300) return said;
  throw refusal(status, objectOf(said), Number(answer.ok.header('retry-after') ?? Number.NaN));
}

/** Discord's own code for what is wrong, where it says more than the status. */
const words: Record<number, string> = {
  10003: 'this channel does not exist any more',
  10008: 'this message does not exist any more',
  30046: 'this message is too old to be edited so often',
  50001: 'the bot cannot see this channel',
  50007: 'this person takes no direct messages from the bot',
  50013: 'the bot may not do this here: its role lacks the permission',
  50083: 'this thread is archived',
};

function refusal(status: number, said: { [key: string]: Json }, header: number): Refusal {
  const code = Number(said['code'] ?? 0);
  const what = words[code] ?? `${said['message'] ?? 'no reason given'}${details(said['errors'])}`;
  if (status === 429) {
    const seconds = Number(said['retry_after'] ?? header);
    const wait = Number.isFinite(seconds) ? Math.max(0.1, seconds) : 5;
    return new Refusal(status, `retry-after:${wait} Discord asks to slow down`, wait);
  }
  if (status === 401)
    return new Refusal(
      status,
      'unauthorized: Discord does not know this bot token; make one at discord.com/developers',
    );
  if (status >= 500) return new Refusal(status, `unknown: Discord answered ${status}`);
  return new Refusal(status, `refused: ${what}`);
}

/** The first of what Discord lists as wrong in a request. */
function details(errors: Json | undefined, path = ''): string {
  if (typeof errors !== 'object' || errors === null || Array.isArray(errors)) return '';
  const list = errors['_errors'];
  if (Array.isArray(list)) return ` (${path}: ${objectOf(list[0])['message'] ?? '?'})`;
  const [first] = Object.entries(errors);
  return first ? details(first[1], path === '' ? first[0] : `${path}.${first[0]}`) : '';
}

/** A value as an object; empty for what is none. */
export function objectOf(value: Json | undefined): { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
