/** Small things on their way to a chat (a sign of typing, a draft): the text they belong to waits for them, so that none comes after it. */
export interface Loose {
  add(chat: string, work: Promise<unknown>): void;
  /** Resolves when none is under way to this chat, or after a second. */
  settled(chat: string): Promise<void>;
}

/** How long a text waits, in ms. */
const PATIENCE_MS = 1_000;

/** Keeps count of them. */
export function createLoose(): Loose {
  const under = new Map<string, Promise<unknown>>();
  return {
    add(chat, work) {
      const all = Promise.allSettled([under.get(chat), work]).then(() => {
        if (under.get(chat) === all) under.delete(chat);
      });
      under.set(chat, all);
    },
    async settled(chat) {
      const waiting = under.get(chat);
      if (!waiting) return;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, PATIENCE_MS);
      await Promise.race([waiting, late]);
      clearTimeout(timer);
    },
  };
}
