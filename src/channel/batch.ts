import type { Store } from '../store/store.ts';

/** Writes of many chats in one commit. */
export interface Batch {
  /** Runs the write together with others that come in the same moment; resolves with its value once it is on disk. */
  write<T>(work: () => T): Promise<T>;
  /** Commits what waits now. */
  flush(): void;
}

/**
 * A commit waits for the disk, which takes longer than all else that px does for a message: what comes in one turn of the event loop, or while the disk
 * is at work, is committed together, and px goes on meanwhile. A write that fails is undone alone.
 */
export function createBatch(store: Store): Batch {
  let waiting: { work(): unknown; resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  let soon: ReturnType<typeof setImmediate> | undefined;
  /** The disk is at work for a commit: the next one would have to wait for it anyway. */
  let syncing = false;

  const flush = () => {
    clearImmediate(soon);
    soon = undefined;
    const now = waiting;
    waiting = [];
    if (now.length === 0) return;
    const tell: (() => void)[] = [];
    try {
      store.quickly(() => {
        for (const { work, resolve, reject } of now) {
          try {
            const value = now.length === 1 ? work() : store.transaction(work);
            tell.push(() => resolve(value));
          } catch (error) {
            if (now.length === 1) throw error;
            tell.push(() => reject(error));
          }
        }
      });
    } catch (error) {
      for (const { reject } of now) reject(error);
      return;
    }
    syncing = true;
    store
      .synced()
      .then(
        () => {
          for (const one of tell) one();
        },
        (error: unknown) => {
          for (const { reject } of now) reject(error);
        },
      )
      .finally(() => {
        syncing = false;
        if (waiting.length > 0) soon ??= setImmediate(flush);
      });
  };

  return {
    write: <T>(work: () => T) =>
      new Promise<T>((resolve, reject) => {
        waiting.push({ work, resolve: (value) => resolve(value as T), reject });
        if (!syncing) soon ??= setImmediate(flush);
      }),
    flush,
  };
}
