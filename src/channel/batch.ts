import type { Store } from '../store/store.ts';

/** Writes of many chats in one commit. */
export interface Batch {
  /** Runs the write together with others that come in the same moment; resolves with its value once it is on disk. */
  write<T>(work: () => T): Promise<T>;
  /**
   * The same for what can be made again after power loss, or is on disk with a later write in time: resolves once it is committed, and holds against the end
   * of px from then on.
   */
  note<T>(work: () => T): Promise<T>;
  /** Commits what waits now. */
  flush(): void;
}

interface Waiting {
  work(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** It is told only when the disk has it. */
  toDisk: boolean;
}

/**
 * A commit waits for the disk, which takes longer than all else that px does for a message: what comes in one turn of the event loop, or while the disk
 * is at work, is committed together, and px goes on meanwhile. A write that fails is undone alone.
 */
export function createBatch(store: Store): Batch {
  let waiting: Waiting[] = [];
  let soon: ReturnType<typeof setImmediate> | undefined;
  /** The disk is at work for a commit: the next write would have to wait for it anyway. */
  let syncing = false;

  const commit = (now: Waiting[]) => {
    const tell: (() => void)[] = [];
    const onDisk: (() => void)[] = [];
    try {
      store.quickly(() => {
        for (const { work, resolve, reject, toDisk } of now) {
          try {
            const value = now.length === 1 ? work() : store.transaction(work);
            (toDisk ? onDisk : tell).push(() => resolve(value));
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
    for (const one of tell) one();
    if (onDisk.length === 0) return;
    syncing = true;
    store
      .synced()
      .then(
        () => {
          for (const one of onDisk) one();
        },
        (error: unknown) => {
          for (const { reject, toDisk } of now) if (toDisk) reject(error);
        },
      )
      .finally(() => {
        syncing = false;
        if (waiting.length > 0) soon ??= setImmediate(next);
      });
  };

  const next = () => {
    clearImmediate(soon);
    soon = undefined;
    const now = syncing ? waiting.filter((one) => !one.toDisk) : waiting;
    waiting = syncing ? waiting.filter((one) => one.toDisk) : [];
    if (now.length > 0) commit(now);
  };

  const add = <T>(work: () => T, toDisk: boolean) =>
    new Promise<T>((resolve, reject) => {
      waiting.push({ work, resolve: (value) => resolve(value as T), reject, toDisk });
      if (!syncing || !toDisk) soon ??= setImmediate(next);
    });

  return {
    write: (work) => add(work, true),
    note: (work) => add(work, false),
    flush() {
      clearImmediate(soon);
      soon = undefined;
      const all = waiting;
      waiting = [];
      if (all.length > 0) commit(all);
    },
  };
}
