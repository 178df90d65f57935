import { PxError } from '../error/error.ts';
import type { Approval, ApprovalDecision, Bus, ConversationId, Standing } from '../wire/wire.ts';
import type { StandingPage } from './standing.ts';

/** What a person can say to a question. */
export type PersonDecision = Exclude<ApprovalDecision, 'expired'>;

/** How a question ended. */
export interface Decided {
  decision: ApprovalDecision;
  /** Who decided, by name; `px` when the time did. */
  by: string;
  /** A yes given earlier covers the call: nobody was asked. */
  standing?: true;
}

/** A question to be asked: an {@link Approval} before it has a name and a time. */
type Question = Omit<Approval, 'id' | 'at' | 'expires'>;

/** The questions that wait for a person's word, and the yeses that go on. */
export interface Approvals {
  /** Waiting questions, oldest first. */
  list(): Approval[];
  /** Yeses in force, oldest first. */
  standing(): Standing[];
  /** The yes that covers a call; `outside`: it is made after text from outside was read. */
  covers(tool: string, conversation: ConversationId, outside: boolean): Standing | undefined;
  /**
   * Asks, and waits for an answer for at most `ms`. The approval is told to `asked` and on the bus at once. Never rejects: a signal that
   * aborts is a question nobody answered.
   */
  ask(question: Question, ms: number, signal: AbortSignal, asked?: (approval: Approval) => void): Promise<Decided>;
  /** Answers a question; `minutes` is for `time`. Case does not matter in the id. Throws PxError `not-found`. */
  decide(id: string, decision: PersonDecision, by: string, minutes?: number): Approval;
  /** Takes a yes back; false when there is none of this id. */
  revoke(id: string): boolean;
  /** Ends what was allowed until the end of a conversation's session. */
  endSession(conversation: ConversationId): void;
  /** Answers every question with `expired`. */
  close(): void;
}

/** What {@link openApprovals} works with. */
export interface ApprovalsOptions {
  bus: Bus;
  /** Where yeses that go on are kept; without it they end with px. */
  page?: StandingPage;
  now?: () => number;
}

/** Letters and digits that nobody mistakes for another. */
const alphabet = 'ACDEFGHJKMNPQRTVWXY34679';
/** How long `time` is when nobody says, in minutes. */
const MINUTES = 60;
/** Longest `time`, in minutes: a month. */
const MOST_MINUTES = 31 * 24 * 60;

/** Opens the desk where questions wait. Nothing is read before it is needed. */
export function openApprovals({ bus, page, now = Date.now }: ApprovalsOptions): Approvals {
  const waiting = new Map<string, { approval: Approval; settle(decided: Decided): void }>();
  let kept: Standing[] | undefined;
  const standing = (): Standing[] => {
    kept ??= page?.read() ?? [];
    const valid = kept.filter((one) => one.until === 0 || one.until > now());
    if (valid.length < kept.length) kept = valid;
    return valid;
  };
  const keep = (list: Standing[]) => {
    kept = list;
    page?.write(list);
  };
  const newId = (): string => {
    for (;;) {
      const bytes = crypto.getRandomValues(new Uint8Array(4));
      const id = [...bytes].map((byte) => alphabet.charAt(byte % alphabet.length)).join('');
      if (!waiting.has(id) && !kept?.some((one) => one.id === id)) return id;
    }
  };

  return {
    list: () => [...waiting.values()].map(({ approval }) => approval),
    standing: () => [...standing()],
    covers: (tool, conversation, outside) =>
      standing().find((one) => one.tool === tool && one.conversation === conversation && (one.outside || !outside)),
    ask(question, ms, signal, asked) {
      const approval: Approval = { ...question, id: newId(), at: now(), expires: now() + ms };
      const { id, conversation, turn, tool } = approval;
      return new Promise((resolve) => {
        const settle = (decided: Decided) => {
          if (!waiting.delete(id)) return;
          clearTimeout(timer);
          signal.removeEventListener('abort', late);
          bus.emit({ type: 'approval.decided', id, conversation, turn, tool, ...decided });
          resolve(decided);
        };
        const late = () => settle({ decision: 'expired', by: 'px' });
        const timer = setTimeout(late, ms);
        waiting.set(id, { approval, settle });
        signal.addEventListener('abort', late, { once: true });
        asked?.(approval);
        bus.emit({ type: 'approval.asked', ...approval });
        if (signal.aborted) late();
      });
    },
    decide(id, decision, by, minutes = MINUTES) {
      const found = waiting.get(id.toUpperCase());
      if (!found)
        throw new PxError('not-found', `Nothing waits for a word under ${id}.`, {
          hint: 'It was decided already, or its time was over: `px approvals list` shows what waits.',
        });
      const { approval } = found;
      if (decision === 'session' || decision === 'time') {
        const { tool, conversation, labels } = approval;
        const span = Math.min(MOST_MINUTES, Math.max(1, minutes)) * 60_000;
        const until = decision === 'session' ? 0 : now() + span;
        const yes = { id: approval.id, tool, conversation, outside: labels.length > 0, by, at: now(), until };
        keep([...standing(), yes]);
      }
      found.settle({ decision, by });
      return approval;
    },
    revoke(id) {
      const list = standing();
      const others = list.filter((one) => one.id !== id.toUpperCase());
      if (others.length === list.length) return false;
      keep(others);
      return true;
    },
    endSession(conversation) {
      const list = standing();
      const others = list.filter((one) => one.until !== 0 || one.conversation !== conversation);
      if (others.length < list.length) keep(others);
    },
    close() {
      for (const { settle } of [...waiting.values()]) settle({ decision: 'expired', by: 'px' });
    },
  };
}
