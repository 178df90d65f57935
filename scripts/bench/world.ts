import type { Server } from 'bun';

/** One loopback server that is both the Bot API and an OpenAI-compatible model, and notes when things happen. */
export interface World {
  url: string;
  /** A person writes; resolves with the milliseconds until the model is asked. */
  say(text: string): Promise<{ toModelMs: number; requestBytes: number }>;
  /** Resolves when the bot has sent this many messages. */
  answered(count: number): Promise<void>;
  stop(): Promise<void>;
}

interface Chat {
  messages: { role: string; content?: unknown; tool_call_id?: string }[];
}

const json = (value: unknown) => Response.json(value);

/**
 * Streams a Chat Completions answer: a tool call when the person says `use NAME {json}`, one after the other when it is `use NAME {json} N
 * times`, with the number of the call for each `#` in the JSON; text otherwise.
 */
function complete(chat: Chat): Response {
  const asked = chat.messages.findLastIndex((m) => m.role === 'user');
  const said = JSON.stringify(chat.messages[asked]?.content ?? '').replaceAll('\\"', '"');
  // The last one is the person's own: what px recalled of earlier ones stands before it.
  const use = [...said.matchAll(/use ([\w-]+) (\{[^{}]*\})(?: (\d+) times)?/g)].at(-1);
  const done = chat.messages.slice(asked).filter((m) => m.role === 'tool').length;
  const chunk = (delta: object, finish: string | null) =>
    `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const body =
    use && done < Number(use[3] ?? 1)
      ? chunk(
          {
            role: 'assistant',
            tool_calls: [
              {
                index: 0,
                id: `call_${crypto.randomUUID().slice(0, 8)}`,
                type: 'function',
                function: { name: use[1], arguments: use[2]?.replaceAll('#', String(done + 1)) },
              },
            ],
          },
          null,
        ) + chunk({}, 'tool_calls')
      : 'It is done, and this is the answer.'
          .split(' ')
          .map((w) => chunk({ content: `${w} ` }, null))
          .join('') + chunk({}, 'stop');
  const usage = `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [], usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 } })}\n\n`;
  return new Response(`${body}${usage}data: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } });
}

/** Starts the world on a free port. Long polls are held until a message comes, as Telegram does. */
export function startWorld(): World {
  let update = 0;
  let sent = 0;
  let queue: { id: number; text: string }[] = [];
  let wake: (() => void) | undefined;
  let deliveredAt = 0;
  let onModel: ((seen: { toModelMs: number; requestBytes: number }) => void) | undefined;
  const waiting: { count: number; done: () => void }[] = [];

  async function telegram(method: string, params: Record<string, unknown>): Promise<Response> {
    if (method === 'getUpdates') {
      const offset = Number(params['offset'] ?? 0);
      queue = queue.filter((u) => u.id >= offset);
      if (queue.length === 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = setTimeout(resolve, Number(params['timeout'] ?? 0) * 1000);
        await promise;
        clearTimeout(timer);
      }
      deliveredAt = performance.now();
      const chat = { id: 1, type: 'private', first_name: 'Bench' };
      return json({
        ok: true,
        result: queue.map((u) => ({
          update_id: u.id,
          message: {
            message_id: u.id,
            date: Math.floor(Date.now() / 1000),
            chat,
            from: { id: 1, is_bot: false, first_name: 'Bench' },
            text: u.text,
          },
        })),
      });
    }
    if (method === 'sendMessage') {
      sent++;
      for (const w of waiting) if (sent >= w.count) w.done();
      return json({
        ok: true,
        result: { message_id: 100_000 + sent, date: 1, chat: { id: 1, type: 'private' }, text: '' },
      });
    }
    return json({
      ok: true,
      result: method === 'getMe' ? { id: 7, is_bot: true, first_name: 'px', username: 'px_bot' } : true,
    });
  }

  const server: Server<undefined> = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 120,
    async fetch(request) {
      const url = new URL(request.url);
      const bot = /^\/bot[^/]+\/(\w+)$/.exec(url.pathname);
      const text = await request.text();
      if (bot) {
        const body: Record<string, unknown> = text.startsWith('{')
          ? JSON.parse(text)
          : Object.fromEntries(new URLSearchParams(text));
        return telegram(bot[1] ?? '', { ...Object.fromEntries(url.searchParams), ...body });
      }
      if (url.pathname === '/v1/models')
        return json({ object: 'list', data: [{ id: 'bench', object: 'model', created: 1, owned_by: 'px' }] });
      onModel?.({ toModelMs: performance.now() - deliveredAt, requestBytes: text.length });
      onModel = undefined;
      return complete(JSON.parse(text));
    },
  });

  return {
    url: `http://127.0.0.1:${server.port}`,
    say: (text) => {
      const { promise, resolve } = Promise.withResolvers<{ toModelMs: number; requestBytes: number }>();
      onModel = resolve;
      queue.push({ id: ++update, text });
      wake?.();
      return promise;
    },
    answered: (count) => {
      if (sent >= count) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, done: resolve });
      return promise;
    },
    stop: () => server.stop(true),
  };
}
