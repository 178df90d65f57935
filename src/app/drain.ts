import type { Channels } from '../channel/channel.ts';
import type { Approvals } from '../policy/policy.ts';
import type { Sessions } from '../session/session.ts';
import { type Answering, within } from './answering.ts';

/** How often it is looked whether anything is left to wait for, in ms. */
const LOOK_MS = 100;
/** How long answers may take on their way out after the turns have ended, in ms. */
const DELIVER_MS = 3_000;

/** Whose end is waited for. */
interface Parts {
  answering: Answering;
  sessions: Pick<Sessions, 'running'>;
  approvals: Pick<Approvals, 'list'>;
  channels: Pick<Channels, 'outbox'>;
}

/**
 * Lets running turns end, for at most `ms`, begins no others, and lets their answers leave. A turn that waits for a person's word is not waited
 * for: like one that takes too long, it is cut when the sessions close, and goes on after the next start.
 */
export async function drain({ answering, sessions, approvals, channels }: Parts, ms: number): Promise<void> {
  const asked = () => new Set(approvals.list().map((approval) => approval.conversation));
  const allAsk = () => {
    const waiting = asked();
    return sessions.running().every((conversation) => waiting.has(conversation));
  };
  const leaving = () =>
    channels.outbox().some(({ state, attempts }) => attempts === 0 && /^(queued|sending)$/.test(state));
  await within(ms, Promise.race([answering.close(ms), until(ms, allAsk)]));
  await until(DELIVER_MS, () => !leaving());
}

async function until(ms: number, over: () => boolean): Promise<void> {
  const end = Date.now() + ms;
  while (!over() && Date.now() < end) await Bun.sleep(LOOK_MS);
}
