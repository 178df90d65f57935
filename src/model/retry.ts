import type { ErrorShape } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { ModelEvent } from './model.ts';

/** Most attempts of one request. */
const attempts = 3;
/** A provider that asks to wait longer than this, in ms, is not waited for. */
const longestWaitMs = 20_000;
/** The same while another model could answer at once. */
const longestWaitBesideMs = 2_000;

/**
 * Tries again, at most twice and with jitter, when a provider fails in a way that can pass and nothing was shown yet.
 * Waits as long as the provider asks for. Never throws. `beside`: another model could answer, so one that
 * cannot be reached, or asks for a long wait, is not waited for.
 */
export async function* withRetry(
  open: () => AsyncIterable<ModelEvent>,
  options: { signal: AbortSignal; log: Log; baseMs?: number; beside?: boolean },
): AsyncIterable<ModelEvent> {
  for (let attempt = 1; ; attempt++) {
    let shown = false;
    let wait: number | undefined;
    let held: ModelEvent | undefined;
    for await (const event of open()) {
      if (event.type === 'usage') {
        held = event;
        continue;
      }
      if (event.type === 'end' && !shown && attempt < attempts) wait = waitFor(event.error, attempt, options);
      if (wait !== undefined && event.type === 'end') {
        options.log.info('model call failed, trying again', {
          error: event.error?.message,
          attempt,
          waitMs: Math.round(wait),
        });
        break;
      }
      if (event.type === 'end' && held) yield held;
      shown = true;
      yield event;
      if (event.type === 'end') return;
    }
    if (wait === undefined) return;
    if (!(await sleep(wait, options.signal))) {
      yield { type: 'end', reason: 'aborted' };
      return;
    }
  }
}

function waitFor(
  error: ErrorShape | undefined,
  attempt: number,
  { baseMs = 500, beside = false }: { baseMs?: number; beside?: boolean },
): number | undefined {
  if (!error?.retryable || (beside && error.code === 'model.unreachable')) return undefined;
  const asked = retryAfter(error);
  if (asked !== undefined) return asked <= (beside ? longestWaitBesideMs : longestWaitMs) ? asked : undefined;
  return baseMs * 2 ** (attempt - 1) * (0.5 + Math.random());
}

/** How long the provider asks to wait, in ms. */
export function retryAfter(error: ErrorShape): number | undefined {
  const { data } = error;
  const ms: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'retryAfterMs') : undefined;
  return typeof ms === 'number' ? ms : undefined;
}

/** False when the signal came first. */
function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const finish = (slept: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(slept);
    };
    const stop = () => finish(false);
    const timer = setTimeout(() => finish(true), ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
