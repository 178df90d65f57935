/** One event of a `text/event-stream`. */
export interface SseEvent {
  event?: string;
  data: string;
}

const heartbeatMs = 15_000;

/**
 * Server-Sent Events from an iterable, with a comment every 15 seconds so that proxies keep the line open.
 * A client that goes away ends the iteration (`return()` is called on it).
 */
export function sseResponse(events: AsyncIterable<SseEvent>): Response {
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  let heartbeat: Timer | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => controller.enqueue(encoder.encode(': keep\n\n')), heartbeatMs);
    },
    async pull(controller) {
      const next = await iterator.next();
      if (next.done) {
        clearInterval(heartbeat);
        controller.close();
        return;
      }
      controller.enqueue(encoder.encode(formatSse(next.value)));
    },
    async cancel() {
      clearInterval(heartbeat);
      await iterator.return?.();
    },
  });
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
  });
}

/** An event in the wire form; data of several lines becomes several `data:` lines. */
function formatSse({ event, data }: SseEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${event === undefined ? '' : `event: ${event}\n`}${lines.join('')}\n`;
}
