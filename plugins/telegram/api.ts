import { configGet, HttpError, httpRequest, type Json, type Response } from 'px';

/** A Bot API reply. */
interface Reply {
  ok: boolean;
  result?: Json;
  description?: string;
  error_code?: number;
  parameters?: { retry_after?: number };
}

/** The URL of a method. The token is a placeholder here: px fills it in on the way out. */
export function methodUrl(method: string): string {
  const api = text('api') ?? 'https://api.telegram.org';
  return `${api.replace(/\/+$/, '')}/bot${text('token') ?? '{{secret:TELEGRAM_TOKEN}}'}/${method}`;
}

function text(key: string): string | undefined {
  const value = configGet(key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What Telegram said no to. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Calls a method. Throws {@link Refusal}, whose text tells px what to do: `retry-after:`, `unauthorized:`, `refused:`, `unknown:`. */
export function call(method: string, args: { [key: string]: Json }): Json {
  return read(post(method, args));
}

function post(method: string, args: { [key: string]: Json }): Response {
  try {
    return httpRequest({
      url: methodUrl(method),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
      timeoutMs: 20_000,
    });
  } catch (e) {
    if (!(e instanceof HttpError)) throw e;
    // Cut off after it was sent, nobody knows whether it arrived.
    const sent = e.kind === 'timeout' || (e.kind === 'network' && /reset|closed|aborted|hang ?up/i.test(e.message));
    throw new Error(`${sent ? 'unknown' : e.kind}: ${e.message}`);
  }
}

/** The result in a reply. Throws {@link Refusal}. */
export function read(answer: Response): Json {
  let reply: Reply;
  try {
    reply = answer.json<Reply>();
  } catch {
    throw new Refusal(answer.status, `Telegram answered HTTP ${answer.status} with something that is not JSON`);
  }
  if (reply?.ok) return reply.result ?? null;
  const status = reply?.error_code ?? answer.status;
  throw new Refusal(status, explain(status, reply));
}

function explain(status: number, reply: Reply): string {
  const said = reply?.description ?? 'no reason given';
  if (status === 401 || status === 404)
    return `unauthorized: Telegram does not know this bot token (${said}); get one from @BotFather`;
  if (status === 409)
    return `conflict: another program reads this bot's messages, or it has a webhook (${said}); stop it, or call deleteWebhook`;
  if (status === 429) return `retry-after:${reply?.parameters?.retry_after ?? 5} Telegram asks to slow down`;
  if (status === 400 || status === 403) return `refused: ${said}`;
  return `Telegram answered ${status}: ${said}`;
}
