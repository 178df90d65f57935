import { toPxError } from '../error/error.ts';

/** One that kept somebody waiting in vain is not waited for again for this long, in ms. It is asked all the same. */
const slowMs = 60_000;

/** How long what was told counts, in ms. */
interface Terms {
  answer: number;
  failure: number;
}

interface Known<T> {
  value: T | undefined;
  problem: string;
  /** When it was told, and when somebody waited in vain; in ms of the clock. */
  at: number;
  slowAt: number;
  asking: Promise<void> | undefined;
}

/** What servers tell about themselves. Each is asked in the background and by one question at a time, and nobody waits long for any. */
export class Told<T> {
  readonly #known = new Map<string, Known<T>>();
  readonly #ask: (key: string) => Promise<T>;
  readonly #terms: Terms;

  /** `ask`: one question, which ends by itself; it may throw. */
  constructor(ask: (key: string) => Promise<T>, terms: Terms) {
    this.#ask = ask;
    this.#terms = terms;
  }

  /** What was told, waited for at most `patienceMs`; undefined when nothing was. Never throws. */
  async get(key: string, patienceMs: number, signal?: AbortSignal): Promise<T | undefined> {
    const known = this.#known.get(key) ?? {
      value: undefined,
      problem: '',
      at: Number.NEGATIVE_INFINITY,
      slowAt: Number.NEGATIVE_INFINITY,
      asking: undefined,
    };
    this.#known.set(key, known);
    const age = Date.now() - known.at;
    if (age < (known.value === undefined ? this.#terms.failure : this.#terms.answer)) return known.value;
    known.asking ??= this.#tell(key, known).finally(() => {
      known.asking = undefined;
    });
    if (Date.now() - known.slowAt > slowMs && !(await settles(known.asking, patienceMs, signal)) && !signal?.aborted)
      known.slowAt = Date.now();
    return known.value;
  }

  /** Why nothing was told, in words; empty when something was, or nobody asked. */
  problem(key: string): string {
    const known = this.#known.get(key);
    return known?.asking && known.value === undefined ? 'no answer yet' : (known?.problem ?? '');
  }

  /** Addresses or keys changed: nothing is known. */
  clear(): void {
    this.#known.clear();
  }

  async #tell(key: string, known: Known<T>): Promise<void> {
    try {
      known.value = await this.#ask(key);
      known.problem = '';
      known.slowAt = Number.NEGATIVE_INFINITY;
    } catch (thrown) {
      known.value = undefined;
      known.problem = toPxError(thrown).message;
    }
    known.at = Date.now();
  }
}

/** True when the work ends within `ms` and before the signal; else it goes on by itself. */
function settles(work: Promise<void>, ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (settled: boolean) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve(settled);
    };
    const stop = () => finish(false);
    const timer = setTimeout(stop, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    void work.then(() => finish(true));
  });
}
