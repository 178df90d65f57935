import { toPxError } from '../error/error.ts';
import type { Embeddings, EmbedRequest, ModelEvent, ModelRequest, Provider } from './model.ts';
import type { CallOutcome, Reservation, Spend } from './spend.ts';

/** One attempt of one call: its worst case is set aside before it leaves, what it cost is booked however it ends. Never throws. */
export async function* metered(
  spend: Pick<Spend, 'reserve'>,
  load: () => Promise<Provider>,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncIterable<ModelEvent> {
  if (signal.aborted) {
    yield { type: 'end', reason: 'aborted' };
    return;
  }
  let reservation: Reservation;
  let provider: Provider;
  try {
    provider = await load();
    reservation = spend.reserve(request);
  } catch (thrown) {
    yield { type: 'end', reason: 'error', error: toPxError(thrown).toJSON() };
    return;
  }
  const outcome: CallOutcome = { usage: undefined, cacheWrite: 0, begun: false, chars: 0 };
  let ended = false;
  try {
    for await (const event of provider.stream(request, signal)) {
      if (event.type === 'end') {
        ended = true;
        outcome.begun ||= event.reason !== 'error' || event.error?.code === 'model.stream';
        reservation.settle(outcome);
      } else {
        outcome.begun = true;
        if (event.type === 'usage') {
          outcome.usage = event.usage;
          outcome.cacheWrite = event.cacheWrite ?? 0;
        } else if (event.type === 'tool-call') outcome.chars += JSON.stringify(event.call).length;
        else outcome.chars += event.text.length;
      }
      yield event;
    }
  } finally {
    // Whoever listened went away: the provider was at work all the same.
    if (!ended) reservation.settle({ ...outcome, begun: true });
  }
}

/** The same for embeddings. Throws PxError `model.*`. */
export async function meteredEmbed(
  spend: Pick<Spend, 'reserve'>,
  provider: Required<Pick<Provider, 'embed'>>,
  request: EmbedRequest,
  signal: AbortSignal,
): Promise<Embeddings> {
  const parts = request.input.map((text) => ({ type: 'text' as const, text }));
  const asked = { model: request.model, system: '', messages: [{ role: 'user' as const, parts }], tools: [] };
  const reservation = spend.reserve({ ...asked, maxOutputTokens: 0 });
  const outcome: CallOutcome = { usage: undefined, cacheWrite: 0, begun: false, chars: 0 };
  try {
    const made = await provider.embed(request, signal);
    outcome.begun = true;
    if (made.tokens > 0) outcome.usage = { input: made.tokens, output: 0, cachedInput: 0 };
    return made;
  } finally {
    outcome.begun ||= signal.aborted;
    reservation.settle(outcome);
  }
}
