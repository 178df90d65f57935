import { configGet, type Json, type Request, type Response, type WaitAnswer } from 'px';
import { answerOf } from '../direct.ts';

export type Args = { [key: string]: Json };

/** A Bot API reply. */
interface Reply {
  ok: boolean;
  result?: Json;
  description?: string;
  error_code?: number;
  parameters?: { retry_after?: number; migrate_to_chat_id?: number };
}

/** How long Telegram may take for an answer, in ms. */
const answerMs = 20_000;

const api = () => (text('api') ?? 'https://api.telegram.org').replace(/\/+$/, '');
const token = () => text('token') ?? '{{secret:TELEGRAM_TOKEN}}';

/** The URL of a method. The token is a placeholder here: px fills it in on the way out. */
export function methodUrl(method: string): string {
  return `${api()}/bot${token()}/${method}`;
}

/** The URL of a file, by the path that `getFile` tells. */
export function fileUrl(path: string): string {
  return `${api()}/file/bot${token()}/${path}`;
}

function text(key: string): string | undefined {
  const value = configGet(key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What Telegram said no to. Its text tells px what to do: `retry-after:`, `unauthorized:`, `refused:`. */
export class Refusal extends Error {
  readonly status: number;
  /** Telegram's own words. */
  readonly said: string;
  /** The group's new number, when it has become a supergroup. */
  readonly movedTo: number | undefined;
  constructor(status: number, message: string, said = '', movedTo?: number) {
    super(message);
    this.status = status;
    this.said = said;
    this.movedTo = movedTo;
  }
}

/** The request that calls a method. */
export function methodRequest(method: string, args: Args): Request {
  return {
    url: methodUrl(method),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(args),
    timeoutMs: answerMs,
  };
}

/** Calls a method and waits for it. Throws {@link Refusal}, and errors that begin with `unknown:` when it may have been done. */
export function call(method: string, args: Args): Json {
  return read(answerOf(methodRequest(method, args)));
}

/** The result in an answer. Throws as {@link call} does. */
export function read(answer: WaitAnswer): Json {
  if ('ok' in answer) return result(answer.ok);
  const { kind, message } = answer.err;
  // Cut off after it was sent, nobody knows whether it arrived.
  const sent = kind === 'timeout' || (kind === 'network' && /reset|closed|aborted|hang ?up/i.test(message));
  throw new Error(`${sent ? 'unknown' : kind}: ${message}`);
}

/** The result in a response. Throws {@link Refusal}. */
export function result(response: Response): Json {
  let reply: Reply;
  try {
    reply = response.json<Reply>();
  } catch {
    throw new Refusal(response.status, `Telegram answered HTTP ${response.status} with something that is not JSON`);
  }
  if (reply?.ok) return reply.result ?? null;
  const status = reply?.error_code ?? response.status;
  const said = reply?.description ?? 'no reason given';
  throw new Refusal(status, explain(status, said, reply), said, reply?.parameters?.migrate_to_chat_id);
}

function explain(status: number, said: string, reply: Reply): string {
  if (status === 401 || status === 404)
    return `unauthorized: Telegram does not know this bot token (${said}); get one from @BotFather`;
  if (status === 409)
    return `conflict: another program reads this bot's messages, or it has a webhook (${said}); stop it, or call deleteWebhook`;
  if (status === 429) return `retry-after:${reply?.parameters?.retry_after ?? 5} Telegram asks to slow down`;
  if (status === 403 && /blocked by the user/i.test(said)) return 'refused: this person has blocked the bot';
  if (status === 403 && /kicked|not a member/i.test(said)) return 'refused: the bot is no longer in this group';
  if (status === 403 && /deactivated/i.test(said)) return 'refused: this person has left Telegram';
  if (status === 400 || status === 403 || status === 413) return `refused: ${said}`;
  return `Telegram answered ${status}: ${said}`;
}
