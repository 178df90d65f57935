/** A chat server in OpenAI's wire format that a test drives by hand. */
export interface OpenAIServer extends Disposable {
  url: string;
  /** Bodies of the requests, as they came. */
  requests: string[];
  /** Resolves when this many requests have come. */
  asked(count: number): Promise<void>;
}

/** Starts it. Each answer is a text, or `hang`: the stream begins and never ends. */
export function openaiServer(answers: (string | { begin: string; hang: true })[]): OpenAIServer {
  const requests: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      requests.push(await request.text());
      for (const one of waiting) if (requests.length >= one.count) one.resolve();
      const answer = answers[Math.min(requests.length, answers.length) - 1] ?? '';
      const encoder = new TextEncoder();
      const body = new ReadableStream({
        start(controller) {
          const text = typeof answer === 'string' ? answer : answer.begin;
          controller.enqueue(encoder.encode(chunk({ role: 'assistant', content: text })));
          if (typeof answer !== 'string') return;
          controller.enqueue(encoder.encode(`${chunk({}, 'stop')}data: [DONE]\n\n`));
          controller.close();
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    requests,
    asked: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    [Symbol.dispose]: () => void server.stop(true),
  };
}
