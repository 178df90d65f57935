import type { Chance } from './chance.ts';

/** A text in a chat of the fake platform, as a person sees it now. */
export interface Shown {
  id: number;
  chat: number;
  text: string;
  /** ms since the epoch. */
  at: number;
}

/** What a test does to the platform. */
export interface BotApiOptions {
  chance: Chance;
  /** How often a request fails, 0 to 1. */
  failures: number;
  /** Longest hold of a `getUpdates`, in ms; 5,000 when left out. */
  holdMs?: number;
  /** Called when a text is about to be shown, and when it is shown but px does not know yet. */
  sending?: (moment: 'before' | 'after') => void;
}

/** A Bot API on loopback that fails by chance: what Telegram's server does for one bot, as far as px can tell. */
export interface BotApi extends AsyncDisposable {
  readonly token: string;
  /** px.yaml of a channel `telegram` that talks to it; everybody is answered. */
  readonly config: { channels: object; plugins: object };
  /** A person writes; the text is kept until the bot acknowledges it. */
  say(chat: number, text: string, at?: number): void;
  /** What the bot has shown, oldest first; an edited text stands at its first place. */
  shown(): Shown[];
}

/** Longest hold of a `getUpdates`, in ms: short enough that a killed px leaves no request behind for long. */
const HOLD_MS = 5_000;

/** Starts the fake on a free port. */
export function startBotApi(options: BotApiOptions): BotApi {
  const { chance } = options;
  const token = '4711:TORTURE';
  const updates: { update_id: number; message: object }[] = [];
  const texts = new Map<number, Shown>();
  let lastUpdate = 0;
  let lastMessage = 0;
  let wake = Promise.withResolvers<void>();

  const ok = (result: unknown) => Response.json({ ok: true, result });
  const no = (status: number, description: string, parameters?: object) =>
    Response.json({ ok: false, error_code: status, description, ...(parameters ? { parameters } : {}) }, { status });

  const getUpdates = async (query: URLSearchParams, signal: AbortSignal): Promise<Response> => {
    const offset = Number(query.get('offset') ?? 0);
    while ((updates[0]?.update_id ?? offset) < offset) updates.shift();
    const until = Date.now() + Math.min(Number(query.get('timeout') ?? 0) * 1000, options.holdMs ?? HOLD_MS);
    while (updates.length === 0 && Date.now() < until && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, until - Date.now());
      signal.addEventListener('abort', () => resolve(), { once: true });
      await Promise.race([promise, wake.promise]);
      clearTimeout(timer);
    }
    return ok(updates.slice(0, 100));
  };

  const send = (body: { [key: string]: unknown }): Response => {
    if (chance.is(options.failures / 2)) return no(429, 'Too Many Requests', { retry_after: 1 });
    if (chance.is(options.failures / 2)) return no(502, 'Bad Gateway');
    options.sending?.('before');
    const message = { id: ++lastMessage, chat: Number(body['chat_id']), text: String(body['text']), at: Date.now() };
    texts.set(message.id, message);
    options.sending?.('after');
    return ok({ message_id: message.id, date: Math.floor(message.at / 1000), chat: { id: message.chat } });
  };

  const edit = (body: { [key: string]: unknown }): Response => {
    const message = texts.get(Number(body['message_id']));
    if (!message) return no(400, 'Bad Request: message to edit not found');
    message.text = String(body['text']);
    return ok({ message_id: message.id });
  };

  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 60,
    async fetch(request) {
      const url = new URL(request.url);
      const method = url.pathname.split('/').pop() ?? '';
      if (!url.pathname.startsWith(`/bot${token}/`)) return no(401, 'Unauthorized');
      if (method === 'getUpdates') {
        if (chance.is(options.failures / 4)) return no(502, 'Bad Gateway');
        return getUpdates(url.searchParams, request.signal);
      }
      const body =
        request.method === 'POST' ? ((await request.json().catch(() => ({}))) as { [key: string]: unknown }) : {};
      if (method === 'sendMessage') return send(body);
      if (method === 'editMessageText') return edit(body);
      return ok(method === 'getMe' ? { id: 4711, is_bot: true, first_name: 'px', username: 'px_bot' } : true);
    },
  });
  const host = `127.0.0.1:${server.port}`;
  return {
    token,
    config: {
      channels: { telegram: { access: 'open' } },
      plugins: {
        telegram: {
          settings: { token: 'secret:TELEGRAM_TOKEN', api: `http://${host}` },
          grants: {
            egress: [`GET,POST http://${host}/`],
            private_hosts: [host],
            secrets: { TELEGRAM_TOKEN: [`http://${host}/`] },
          },
        },
      },
    },
    say(chat, text, at = Date.now()) {
      const from = { id: chat, is_bot: false, first_name: `Person ${chat}` };
      const message_id = 1_000_000 + ++lastUpdate;
      const message = { message_id, date: Math.floor(at / 1000), from, chat: { id: chat, type: 'private' }, text };
      updates.push({ update_id: lastUpdate, message });
      wake.resolve();
      wake = Promise.withResolvers();
    },
    shown: () => [...texts.values()],
    [Symbol.asyncDispose]: async () => void (await server.stop(true)),
  };
}
