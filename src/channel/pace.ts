import type { Inbound } from '../wire/wire.ts';
import { isGroup } from './access.ts';
import type { Timing } from './timing.ts';

/** How much may be shown in groups: platforms count everything a bot writes there, in all topics together. */
export interface Pace {
  /** How long until the beginning of an answer may be shown in this chat, in ms; 0 for now. */
  wait(inbound: Inbound): number;
  /** Something is written there now. */
  wrote(inbound: Inbound): void;
}

const minute = 60_000;

/** Counts the last minute of each group. Whole answers are counted and never held back: what is shown before leaves them room. */
export function createPace(timing: Pick<Timing, 'now' | 'groupMinute'>): Pace {
  /** When something was written, ms since the epoch, oldest first, by channel and group. */
  const written = new Map<string, number[]>();
  const recent = (inbound: Inbound): number[] => {
    const name = groupOf(inbound);
    const since = timing.now() - minute;
    const times = (written.get(name) ?? []).filter((at) => at > since);
    written.set(name, times);
    return times;
  };
  return {
    wait(inbound) {
      if (!isGroup(inbound)) return 0;
      const leaves = recent(inbound).at(-timing.groupMinute);
      return leaves === undefined ? 0 : leaves + minute - timing.now();
    },
    wrote(inbound) {
      if (!isGroup(inbound)) return;
      recent(inbound).push(timing.now());
      if (written.size <= 500) return;
      const since = timing.now() - minute;
      for (const [name, times] of written) if ((times.at(-1) ?? 0) <= since) written.delete(name);
    },
  };
}

/** A topic's messages count with those of its group. */
function groupOf({ channel, chat, metadata }: Inbound): string {
  const within = metadata?.['within'];
  return `${channel}\n${typeof within === 'string' ? within : chat}`;
}
