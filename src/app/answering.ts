import { type Agent, STOPPED } from '../agent/agent.ts';
import type { Channels, InboxItem } from '../channel/channel.ts';
import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Sessions } from '../session/session.ts';
import type { Inbound } from '../wire/wire.ts';

/** How often a platform is told again that px is writing, in ms. */
const TYPING_MS = 4_000;
/** How long a turn waits for what it should have, in ms: only the very first start of a home has to install something. */
const PREPARE_MS = 20_000;
/** How long running turns may go on when px stops, in ms. */
const GRACE_MS = 2_000;

/** What answering works with. */
export interface AnsweringOptions {
  channels: Pick<Channels, 'accept' | 'onPending' | 'reply' | 'settle' | 'typing'>;
  sessions: Pick<Sessions, 'enqueue'>;
  agent: Agent;
  log: Log;
  /** What a turn should have before it begins; waited for a while only. */
  prepare(): Promise<void>;
}

/** The way from the inbox through a turn to the outbox. */
export interface Answering {
  /** Takes what comes to the inbox, and with `leftOver` also what waits there from before a restart. */
  start(options: { leftOver: boolean }): void;
  /** Takes in a message of px's own surfaces; `metadata.model` is for it alone. False when its id was seen before. */
  submit(inbound: Inbound): boolean;
  /** Begins no more turns and gives running ones a moment to end; closing the sessions then cuts them short. */
  close(graceMs?: number): Promise<void>;
}

/** Answers every message of the inbox once: one turn at a time in a conversation, conversations side by side. */
export function createAnswering(options: AnsweringOptions): Answering {
  const { channels, sessions, agent, log } = options;
  const running = new Set<Promise<void>>();
  /** Models asked for with a message. Only `submit` says so: a connector's metadata is a stranger's and must not choose. */
  const chosen = new Map<string, string>();
  let closed = false;

  const answer = async (item: InboxItem, leftOver: boolean, signal: AbortSignal): Promise<void> => {
    if (closed) return;
    const { inbound } = item;
    const writing = setInterval(() => channels.typing(inbound), TYPING_MS);
    try {
      channels.typing(inbound);
      const model = chosen.get(key(inbound));
      const input = { inbound, leftOver, ...(model === undefined ? {} : { model }) };
      const result = await agent.turn(input, signal);
      if (result.postponed) return;
      if (result.text === '' || result.text === STOPPED) channels.settle(item);
      else channels.reply(item, result.text);
    } finally {
      chosen.delete(key(inbound));
      clearInterval(writing);
    }
  };

  const take = (item: InboxItem, leftOver: boolean): void => {
    if (closed) return;
    const done = agent.urgent(item.inbound)
      ? answer(item, leftOver, new AbortController().signal)
      : sessions.enqueue(item.inbound.conversation, async (signal) => {
          await within(PREPARE_MS, options.prepare());
          await answer(item, leftOver, signal);
        });
    // A message that could not be answered stays in the inbox and is taken up at the next start.
    const settled = done.catch((thrown: unknown) => {
      const { code, message } = toPxError(thrown);
      if (!closed) log.error(`a message was not answered: ${message}`, { code, id: item.inbound.id });
    });
    running.add(settled);
    void settled.finally(() => running.delete(settled));
  };

  return {
    start({ leftOver }) {
      let waiting = true;
      channels.onPending((item) => {
        if (!waiting || leftOver) take(item, waiting);
      });
      waiting = false;
    },
    submit(inbound) {
      const model = inbound.metadata?.['model'];
      if (typeof model === 'string') chosen.set(key(inbound), model);
      return channels.accept(inbound);
    },
    async close(graceMs = GRACE_MS) {
      closed = true;
      await within(graceMs, Promise.all(running));
    },
  };
}

const key = (inbound: Inbound) => `${inbound.channel}/${inbound.id}`;

/** Waits for the work, but no longer than `ms`. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
