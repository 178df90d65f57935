import type { Json } from '../wire/wire.ts';
import { readMessages } from './guest.ts';
import type { Part } from './outbox.ts';
import type { Timing } from './timing.ts';

/** What finding out works with. */
export interface ReconcileOptions {
  call(fn: string, args: Json[]): Promise<Json>;
  /** How long the platform shows the same key once, in ms. */
  once: number;
  /** The platform tells what was said in a chat. */
  history: boolean;
  timing: Pick<Timing, 'now' | 'historyAfter'>;
}

/** Messages of a chat that are looked at. */
const looked = 30;
/** Clocks may differ by so much, in ms. */
const slack = 120_000;

/**
 * Finds out whether a part arrived of which px does not know. Where the platform shows a key once it is sent again, which can show
 * it no second time; where it tells the chat's past it is looked for there; undefined where it does neither.
 */
export function reconciler(
  options: ReconcileOptions,
): ((part: Part) => Promise<'sent' | 'again' | 'unknown'>) | undefined {
  const { call, timing } = options;
  const { once } = options;
  if (once === 0 && !options.history) return undefined;
  return async (part) => {
    // It was queued before it was sent: the key is no older than the part.
    if (timing.now() - part.at < once) return 'again';
    if (!options.history) return 'unknown';
    // What was just sent may not be told yet.
    await Bun.sleep(timing.historyAfter);
    const { messages } = readMessages(await call('get-history', [part.chat, looked]));
    const since = part.at - slack;
    const found = messages.some((message) => {
      const date = message.metadata?.['date'];
      if (typeof date === 'number' && date * 1000 < since) return false;
      return message.metadata?.['key'] === keyOf(part) || bare(message.text) === bare(part.text);
    });
    // An empty past is more likely one that could not be read.
    return found ? 'sent' : messages.length === 0 ? 'unknown' : 'again';
  };
}

/** The key a part is sent with: no other text has it, also after the database was lost. */
export function keyOf(part: Pick<Part, 'id' | 'at'>): string {
  return `px${part.at.toString(36)}-${part.id}`;
}

/** A text without what platforms change: marks of formatting and space. */
const bare = (text: string) => text.replace(/[\s*_~`#>|\\[\]()-]+/g, '').toLowerCase();
