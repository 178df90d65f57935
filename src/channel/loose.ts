/** Small things on their way to a chat (a sign of typing, a draft): the text they belong to waits for them, so that none comes after it. */
export interface Loose {
  add(chat: string, work: Promise<unknown>): void;
  /** True while so many chats have some that more would only hold up the texts. */
  full(): boolean;
  /** Resolves when none is under way to this chat, or after a second. */
  settled(chat: string): Promise<void>;
}

/** How long a text waits, in ms. */
const PATIENCE_MS = 1_000;
/** Chats that may have such things under way at once. */
const MOST_CHATS = 16;

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
    full: () => under.size >= MOST_CHATS,
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
