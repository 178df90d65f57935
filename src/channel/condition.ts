import type { Log } from '../log/log.ts';
import type { ChannelState } from './channel.ts';

type Shown = Pick<ChannelState, 'state' | 'detail'>;

/** How a connector is, as people are shown it; what changes is logged. */
export interface Condition {
  /** One that gets messages and cannot send is failing, too. */
  shown(): Shown;
  /** It gets its messages, whether or not it can send. */
  receives(): boolean;
  /** How it is with its messages. */
  show(state: ChannelState['state'], detail: string): void;
  /** Why nothing can be sent; undefined when that is over, or is to be tried anew. */
  block(why: string | undefined): void;
  blocked(): boolean;
}

/** Makes the condition of a connector that is starting. */
export function createCondition(log: Log): Condition {
  let shown: Shown = { state: 'waiting', detail: 'starting' };
  let unsent: string | undefined;
  return {
    shown: () => (shown.state === 'running' && unsent !== undefined ? { state: 'failing', detail: unsent } : shown),
    receives: () => shown.state === 'running',
    show(state, detail) {
      if (shown.state !== state || shown.detail !== detail) {
        if (state === 'running') log.info('connected');
        else if (state !== 'off') log.warn(detail);
      }
      shown = { state, detail };
    },
    block(why) {
      // Told once, not with each try.
      if (why !== undefined && why !== unsent) log.warn(`nothing can be sent: ${why}`);
      unsent = why;
    },
    blocked: () => unsent !== undefined,
  };
}
