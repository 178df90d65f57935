/** Values pushed from one side and iterated on the other. `return()` ends it at once, also while a `next()` waits. */
export interface PushQueue<T> extends AsyncIterable<T> {
  push(value: T): void;
  /** No more values; those already pushed are still delivered. */
  end(): void;
}

/** Makes a queue; `onClose` runs once, when it was ended or the reader went away. */
export function pushQueue<T>(onClose: () => void): PushQueue<T> {
  const values: T[] = [];
  let ended = false;
  let closed = false;
  let wake: (() => void) | undefined;
  const close = () => {
    ended = true;
    if (!closed) {
      closed = true;
      onClose();
    }
    wake?.();
  };
  return {
    push(value) {
      if (ended) return;
      values.push(value);
      wake?.();
    },
    end: close,
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<T>> {
        while (values.length === 0 && !ended) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
        }
        const [value] = values.splice(0, 1);
        return value === undefined ? { done: true, value: undefined } : { done: false, value };
      },
      async return(): Promise<IteratorResult<T>> {
        values.length = 0;
        close();
        return { done: true, value: undefined };
      },
    }),
  };
}
