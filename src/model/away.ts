import type { ErrorShape } from '../error/error.ts';

/** How long until a provider is first looked for, in ms; doubled with each look, up to `longest`. After `enough` nobody looks any more. */
const waits = { first: 5_000, longest: 60_000, enough: 3_600_000 };

interface State {
  error: ErrorShape;
  since: number;
  looks: number;
  /** The next look; undefined while somebody listens there, as far as is known. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Providers no connection could be made to. Each is looked for in the background until somebody listens there, so that no request has to
 * find that out by waiting. No timer runs while all are there.
 */
export class Away {
  readonly #states = new Map<string, State>();
  readonly #look: (provider: string) => Promise<boolean>;
  readonly #firstMs: number;

  /** `look`: whether a connection can be made to a provider. */
  constructor(look: (provider: string) => Promise<boolean>, firstMs = waits.first) {
    this.#look = look;
    this.#firstMs = firstMs;
  }

  /** Why a provider need not be asked; undefined when it may be there. */
  why(provider: string): ErrorShape | undefined {
    const state = this.#states.get(provider);
    return state?.timer && state.error;
  }

  failed(provider: string, error: ErrorShape): void {
    const state = this.#states.get(provider) ?? { error, since: Date.now(), looks: 0, timer: undefined };
    state.error = error;
    this.#states.set(provider, state);
    if (!state.timer) this.#wait(provider, state);
  }

  answered(provider: string): void {
    clearTimeout(this.#states.get(provider)?.timer);
    this.#states.delete(provider);
  }

  /** Addresses changed, or px ends: nothing is known and nobody looks. */
  clear(): void {
    for (const provider of this.#states.keys()) this.answered(provider);
  }

  #wait(provider: string, state: State): void {
    const ms = Math.min(this.#firstMs * 2 ** state.looks++, waits.longest);
    state.timer = setTimeout(async () => {
      const there = await this.#look(provider).catch(() => true);
      if (this.#states.get(provider) !== state) return;
      // One that listens and still does not answer keeps its count, and is looked for less often.
      if (there || Date.now() - state.since > waits.enough) state.timer = undefined;
      else this.#wait(provider, state);
    }, ms);
    state.timer.unref();
  }
}
