import type { ErrorShape } from '../error/error.ts';
import type { ModelRef } from '../wire/wire.ts';
import type { Failover, ModelEvent } from './model.ts';
import { retryAfter } from './retry.ts';

/** First cool-down of a model that failed, in ms; doubled with each further failure. */
const firstCoolMs = 30_000;
const longestCoolMs = 600_000;
/** A provider that says when to come back is believed up to this, in ms. */
const longestAskedMs = 3_600_000;

/** Models that failed lately rest a while, each for itself: another model of the same provider does not. */
export class CoolDown {
  readonly #resting = new Map<ModelRef, { until: number; failures: number; error: ErrorShape }>();
  readonly #firstMs: number;

  constructor(firstMs = firstCoolMs) {
    this.#firstMs = firstMs;
  }

  /** Why a model rests; undefined when it may be asked. */
  resting(ref: ModelRef): ErrorShape | undefined {
    const state = this.#resting.get(ref);
    return state && state.until > Date.now() ? state.error : undefined;
  }

  failed(ref: ModelRef, error: ErrorShape): void {
    const failures = (this.#resting.get(ref)?.failures ?? 0) + 1;
    // What a person has to mend does not pass by itself.
    const own = error.retryable ? this.#firstMs * 2 ** (failures - 1) : longestCoolMs;
    const ms = Math.max(Math.min(own, longestCoolMs), Math.min(retryAfter(error) ?? 0, longestAskedMs));
    this.#resting.set(ref, { until: Date.now() + ms, failures, error });
  }

  answered(ref: ModelRef): void {
    this.#resting.delete(ref);
  }

  /** Keys or addresses changed: everybody is asked again. */
  clear(): void {
    this.#resting.clear();
  }
}

/** What {@link withFailover} works with. */
export interface FailoverOptions {
  /** The wanted model first. */
  models: ModelRef[];
  cool: CoolDown;
  /** Asks one model, with retries; `last`: nobody else is left to ask. */
  ask(ref: ModelRef, last: boolean): AsyncIterable<ModelEvent>;
  onFailover?: ((change: Failover) => void) | undefined;
}

/**
 * Asks the wanted model, and when it fails the others in their order. Every change is told before the first word of the next model.
 * After a tool call nobody else is asked. Never throws.
 */
export async function* withFailover({ models, cool, ask, onFailover }: FailoverOptions): AsyncIterable<ModelEvent> {
  const [wanted] = models;
  if (wanted === undefined) return;
  const well = models.filter((ref) => !cool.resting(ref));
  const order = [...well, ...models.filter((ref) => !well.includes(ref))];
  let from = wanted;
  let why = cool.resting(wanted);
  let shown = false;
  for (const [at, ref] of order.entries()) {
    const last = at === order.length - 1;
    if (ref !== from && why) onFailover?.({ from, to: ref, error: why, shown });
    let called = false;
    let failed: ErrorShape | undefined;
    for await (const event of ask(ref, last)) {
      if (event.type === 'text') shown = true;
      else if (event.type === 'tool-call') called = true;
      else if (event.type === 'end') {
        failed = event.error && canBeAnother(event.error) ? event.error : undefined;
        if (failed) cool.failed(ref, failed);
        else if (event.reason !== 'error' && event.reason !== 'aborted') cool.answered(ref);
        if (failed && !last && !called) break;
      }
      yield event;
      if (event.type === 'end') return;
    }
    if (!failed) return;
    from = ref;
    why = failed;
  }
}

/** Another model may do better: this one is away, too busy, not paid for or not there. */
function canBeAnother(error: ErrorShape): boolean {
  return error.retryable || ['model.auth', 'model.unknown', 'model.rate-limit'].includes(error.code);
}
