import type { Chance } from './chance.ts';

/** What a test does to the provider. */
export interface MockModelOptions {
  chance: Chance;
  /** How often a request fails, 0 to 1. */
  failures: number;
  /** Pause between the pieces of an answer, in ms. */
  paceMs?: number;
  /** Called in the middle of a stream, and when a tool was asked for; the rest comes when it resolves. */
  at?: (moment: 'stream' | 'tool') => void | Promise<void>;
}

/** A provider that speaks OpenAI's chat completions on loopback and answers `[KEY] …` to a message with `[KEY]`. */
export interface MockModel extends AsyncDisposable {
  /** px.yaml of a model that it is. */
  readonly config: { model: object; providers: object };
  requests(): number;
}

interface Asked {
  messages: { role: string; content?: unknown }[];
}

const KEY = /\[c\d+m\d+\]/g;

/** Starts the provider on a free port. A message with `note` leads to memory_write, one with `time` to the plugin tool clock_now. */
export function startMockModel(options: MockModelOptions): MockModel {
  const { chance } = options;
  let requests = 0;

  const answer = (asked: Asked): object[] => {
    const last = asked.messages.findLastIndex((m) => m.role === 'user');
    const said = JSON.stringify(asked.messages[last]?.content ?? '');
    // px may put words of its own before a message: the person's key is the last one.
    const key = said.match(KEY)?.at(-1) ?? '';
    const done = asked.messages.slice(last).some((m) => m.role === 'tool');
    const call = (name: string, args: object) => ({
      tool_calls: [
        { index: 0, id: `call${requests}`, type: 'function', function: { name, arguments: JSON.stringify(args) } },
      ],
    });
    if (!done && said.includes('note'))
      return [call('memory_write', { path: 'torture.md', text: `kept for ${key}`, mode: 'append' })];
    if (!done && said.includes('time')) return [call('clock_now', {})];
    return [`${key} here is `, 'an answer ', 'in several ', 'pieces, ', 'as a model ', 'gives it.'].map((content) => ({
      content,
    }));
  };

  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 60,
    async fetch(request) {
      requests += 1;
      const asked = (await request.json()) as Asked;
      if (chance.is(options.failures / 2))
        return Response.json({ error: { message: 'overloaded', type: 'server_error' } }, { status: 503 });
      const breaks = chance.is(options.failures / 2);
      const pieces = answer(asked);
      const line = (delta: object, finish: string | null = null) =>
        `data: ${JSON.stringify({
          id: 'x',
          object: 'chat.completion.chunk',
          created: 1,
          model: 'mock',
          choices: [{ index: 0, delta, finish_reason: finish }],
        })}\n\n`;
      const tool = pieces.some((piece) => 'tool_calls' in piece);
      const body = async function* () {
        yield line({ role: 'assistant', content: '' });
        for (const [index, piece] of pieces.entries()) {
          if (index === 2 && breaks) {
            // The connection ends in the middle of a line.
            yield 'data: {"id":"x","cho';
            return;
          }
          yield line(piece);
          if (options.paceMs) await Bun.sleep(options.paceMs);
          await options.at?.(tool ? 'tool' : 'stream');
        }
        yield line({}, tool ? 'tool_calls' : 'stop');
        yield 'data: [DONE]\n\n';
      };
      return new Response(body(), { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  return {
    config: {
      model: { default: 'openai/mock' },
      providers: { openai: { base_url: `http://127.0.0.1:${server.port}/v1`, api_key: '${TEST_KEY}' } },
    },
    requests: () => requests,
    [Symbol.asyncDispose]: async () => void (await server.stop(true)),
  };
}
