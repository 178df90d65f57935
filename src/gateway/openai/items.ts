import type { App } from '../../app/app.ts';
import type { OutputItem } from './responses-reply.ts';

/** Most items kept, most characters in them together, and how long, in ms. */
const most = { items: 500, characters: 1_000_000, ms: 3_600_000 };

/**
 * What px answered lately, by the ids it gave: some clients (Vercel's AI SDK) send their tool's result beside a reference to the call instead
 * of the call. In memory only, an hour at most, and the oldest goes first.
 */
export class Items {
  readonly #kept = new Map<string, { item: OutputItem; at: number; characters: number }>();
  #characters = 0;

  keep(items: OutputItem[], now = Date.now()): void {
    for (const item of items) {
      const characters = JSON.stringify(item).length;
      this.#characters += characters;
      this.#kept.set(item.id, { item, at: now, characters });
    }
    for (const [id, { at, characters }] of this.#kept) {
      const fits = this.#kept.size <= most.items && this.#characters <= most.characters && now - at < most.ms;
      if (fits) return;
      this.#kept.delete(id);
      this.#characters -= characters;
    }
  }

  find(id: string, now = Date.now()): OutputItem | undefined {
    const found = this.#kept.get(id);
    return found && now - found.at < most.ms ? found.item : undefined;
  }
}

const byApp = new WeakMap<App, Items>();

/** The items of a px. */
export function itemsOf(app: App): Items {
  const known = byApp.get(app);
  if (known) return known;
  const made = new Items();
  byApp.set(app, made);
  return made;
}
