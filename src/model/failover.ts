import type { ErrorShape } from '../error/error.ts';
import type { ModelRef } from '../wire/wire.ts';
import { Away } from './away.ts';
import type { Failover, ModelEvent } from './model.ts';
import { providerName } from './ref.ts';
import { retryAfter } from './retry.ts';

/** First cool-down of a model that failed, in ms; doubled with each further failure. */
const firstCoolMs = 30_000;
const longestCoolMs = 600_000;
/** A provider that says when to come back is believed up to this, in ms. */
const longestAskedMs = 3_600_000;

/**
 * Models that failed lately rest a while, each for itself: another model of the same provider does not. Only a provider that cannot be
 * reached rests as a whole, until it is.
 */
export class CoolDown {
  readonly #resting = new Map<ModelRef, { until: number; failures: number; error: ErrorShape }>();
  readonly #away: Away;
  readonly #firstMs: number;

  /** `look`: whether a connection can be made to a provider. `firstMs` is for tests. */
  constructor(look: (provider: string) => Promise<boolean>, firstMs?: number) {
    this.#away = new Away(look, firstMs);
    this.#firstMs = firstMs ?? firstCoolMs;
  }

  /** Why a model rests; undefined when it may be asked. */
  resting(ref: ModelRef): ErrorShape | undefined {
    const state = this.#resting.get(ref);
    return state && state.until > Date.now() ? state.error : this.away(providerName(ref));
  }

  /** Why a provider is known to be out of reach; undefined when it may be there. */
  away(provider: string): ErrorShape | undefined {
    return this.#away.why(provider);
  }

  failed(ref: ModelRef, error: ErrorShape): void {
    if (error.code === 'model.unreachable') {
      this.#away.failed(providerName(ref), error);
      return;
    }
    const failures = (this.#resting.get(ref)?.failures ?? 0) + 1;
    // What a person has to mend does not pass by itself.
    const own = error.retryable ? this.#firstMs * 2 ** (failures - 1) : longestCoolMs;
    const ms = Math.max(Math.min(own, longestCoolMs), Math.min(retryAfter(error) ?? 0, longestAskedMs));
    this.#resting.set(ref, { until: Date.now() + ms, failures, error });
  }

  answered(ref: ModelRef): void {
    this.#resting.delete(ref);
    this.#away.answered(providerName(ref));
  }

  /** Keys or addresses changed, or px ends: everybody is asked again. */
  clear(): void {
    this.#resting.clear();
    this.#away.clear();
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
    // Its provider was found to be away while this turn asked another of its models.
    if (!last && well.includes(ref) && cool.resting(ref)) continue;
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
