import { PlainDomException, PlainEvent, PlainEventTarget } from './event.ts';
import { px } from './px.ts';
import { setTimer } from './timer.ts';

/** Says when a request is to be given up. */
export class PlainAbortSignal extends PlainEventTarget {
  aborted = false;
  reason: unknown = undefined;
  onabort: ((event: PlainEvent) => void) | null = null;
  /** When it aborts by itself, in ms since the epoch: a request, during which no timer can run, ends then. */
  deadline: number | undefined;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }
  static abort(reason?: unknown): PlainAbortSignal {
    const signal = new PlainAbortSignal();
    abort(signal, reason);
    return signal;
  }
  static timeout(ms: number): PlainAbortSignal {
    const signal = new PlainAbortSignal();
    signal.deadline = px.now() + Number(ms);
    setTimer(() => abort(signal, timeoutError()), ms, [], false);
    return signal;
  }
  static any(signals: Iterable<PlainAbortSignal>): PlainAbortSignal {
    const made = new PlainAbortSignal();
    for (const signal of signals) {
      if (signal.aborted) abort(made, signal.reason);
      signal.addEventListener('abort', () => abort(made, signal.reason));
      if (signal.deadline !== undefined) made.deadline = Math.min(made.deadline ?? signal.deadline, signal.deadline);
    }
    return made;
  }
}

export const timeoutError = () => new PlainDomException('The operation timed out.', 'TimeoutError');

function abort(signal: PlainAbortSignal, reason: unknown): void {
  if (signal.aborted) return;
  signal.aborted = true;
  signal.reason = reason === undefined ? new PlainDomException('The operation was aborted.', 'AbortError') : reason;
  const event = new PlainEvent('abort');
  signal.onabort?.(event);
  signal.dispatchEvent(event);
}

export class PlainAbortController {
  readonly signal = new PlainAbortSignal();
  abort(reason?: unknown): void {
    abort(this.signal, reason);
  }
}
