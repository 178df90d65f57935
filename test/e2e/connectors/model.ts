/** What the model does with a message: says it at once, piece by piece, calls a tool first, or never answers. */
export type Reply = { say: string; slowly?: true } | { call: string; args: object; say: string } | 'never';

/** A provider that speaks OpenAI's chat completions on loopback, and does with the latest message what a function says. */
export interface Model extends AsyncDisposable {
  /** px.yaml of a model that it is. */
  config: { model: object; providers: object; memory: object };
  /** Every request, as text. */
  asked: string[];
}

interface Asked {
  messages: { role: string; content?: string | { text?: string }[] }[];
}

/** Starts it on a free port. */
export function startModel(reply: (said: string) => Reply): Model {
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      if (request.method === 'GET') return Response.json({ object: 'list', data: [{ id: 'gpt-4o', object: 'model' }] });
      const text = await request.text();
      asked.push(text);
      const { messages } = JSON.parse(text) as Asked;
      const last = messages.findLastIndex((m) => m.role === 'user');
      const content = messages[last]?.content ?? '';
      const said = typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('\n');
      const doing = reply(said);
      if (doing === 'never') return new Promise<Response>(() => {});
      const done = messages.slice(last).some((m) => m.role === 'tool');
      return new Response(stream(doing, done), { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  return {
    asked,
    config: {
      model: { default: 'openai/gpt-4o' },
      // What px remembers would stand before the message and be taken for it.
      memory: { recall_tokens: 0 },
      providers: { openai: { base_url: `http://127.0.0.1:${server.port}/v1`, api_key: '${TEST_KEY}' } },
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

async function* stream(doing: Exclude<Reply, 'never'>, done: boolean) {
  const calls = 'call' in doing && !done;
  const line = (delta: object, finish: string | null = null) => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    return `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'mock', choices })}\n\n`;
  };
  if (calls) {
    const call = { name: doing.call, arguments: JSON.stringify(doing.args) };
    yield line({ role: 'assistant', tool_calls: [{ index: 0, id: 'call1', type: 'function', function: call }] });
  } else {
    const slowly = 'slowly' in doing;
    for (const piece of slowly ? doing.say.split(/(?<= )/) : [doing.say]) {
      yield line({ content: piece });
      if (slowly) await Bun.sleep(60);
    }
  }
  yield `${line({}, calls ? 'tool_calls' : 'stop')}data: [DONE]\n\n`;
}
