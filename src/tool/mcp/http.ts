/** Most bytes of one answer. A stream of events may be longer in time, not in size. */
const MOST_BYTES = 8 * 1024 * 1024;

/** `fetch` as the SDK gets it: no redirect is followed, for headers hold tokens, and an answer has a largest size. */
export async function boundedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  if (!response.body) return response;
  let total = 0;
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        total += chunk.byteLength;
        if (total > MOST_BYTES) controller.error(new Error(`the answer is larger than ${MOST_BYTES} bytes`));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(bounded, { status: response.status, statusText: response.statusText, headers: response.headers });
}
