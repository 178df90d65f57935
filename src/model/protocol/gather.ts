import type { ModelEvent } from '../model.ts';

/**
 * A stream from a function that tells events. Neighbouring pieces of text (or of thought) told in one turn of the event loop come
 * as one event. Nothing waits for more to come, so the first word is as early as ever, but every step behind works once a network
 * read instead of once a token. `tell` is no generator for the same reason: each costs about a microsecond a token.
 * Throws what `tell` throws, after what it told before.
 */
export async function* gather(
  tell: (emit: (event: ModelEvent) => void) => Promise<void>,
): AsyncGenerator<ModelEvent, void, void> {
  let queue: ModelEvent[] = [];
  let fresh = false;
  let over = false;
  let failure: { thrown: unknown } | undefined;
  let wake = () => {};
  let waking = false;
  const wakeLater = () => {
    if (waking) return;
    waking = true;
    // After every promise that is ready: what the SDK still has to parse of this read comes along.
    setImmediate(() => {
      waking = false;
      wake();
    });
  };
  const emit = (event: ModelEvent) => {
    add(queue, event);
    fresh = true;
    wakeLater();
  };
  void tell(emit)
    .catch((thrown: unknown) => {
      failure = { thrown };
    })
    .finally(() => {
      over = true;
      wakeLater();
    });
  for (;;) {
    if (!fresh && !over)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    fresh = false;
    const batch = queue;
    queue = whole(batch, over);
    yield* batch;
    if (over && queue.length === 0) break;
  }
  if (failure) throw failure.thrown;
}

/** Cuts half a character off the last text, where its other half may still come. Returns what is to wait for it. */
function whole(batch: ModelEvent[], over: boolean): ModelEvent[] {
  const last = batch[batch.length - 1];
  if (over || last?.type !== 'text' || !/[\ud800-\udbff]$/.test(last.text)) return [];
  const half = last.text.slice(-1);
  last.text = last.text.slice(0, -1);
  if (last.text === '') batch.pop();
  return [{ type: 'text', text: half }];
}

/** Appends an event, or its text to the last one where both are pieces of the same. The queue owns its events. */
function add(queue: ModelEvent[], event: ModelEvent): void {
  const last = queue[queue.length - 1];
  if (event.type === 'text' && last?.type === 'text') last.text += event.text;
  else if (event.type === 'thinking' && last?.type === 'thinking' && last.signature === undefined) {
    last.text += event.text;
    if (event.signature !== undefined) last.signature = event.signature;
  } else queue.push(event);
}
