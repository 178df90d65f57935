import { type Agent, STOPPED, type TurnResult } from '../agent/agent.ts';
import type { Channels, InboxItem } from '../channel/channel.ts';
import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Sessions } from '../session/session.ts';
import { attachmentsIn, type Bus, type ConversationId, type Inbound } from '../wire/wire.ts';
import { createWaiting, type Steered } from './waiting.ts';

/** How often a platform is told again that px is writing, in ms. */
const TYPING_MS = 4_000;
/** An answer that is there sooner needs no sign that it comes, in ms. */
const TYPING_AFTER_MS = 300;
/** How long a turn waits for what it should have, in ms: only the very first start of a home has to install something. */
const PREPARE_MS = 20_000;
/** How long running turns may go on when px stops, in ms. */
const GRACE_MS = 2_000;
/** What stands for {@link STOPPED} where a newer message was the reason. */
const INTERRUPTED = '⏹ Stopped for your newer message.';

/** What answering works with. */
export interface AnsweringOptions {
  channels: Pick<Channels, 'accept' | 'onPending' | 'reply' | 'settle' | 'typing' | 'merge'>;
  sessions: Pick<Sessions, 'enqueue' | 'open' | 'running' | 'stop' | 'queueMode'>;
  agent: Agent;
  bus: Bus;
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
  /** Begins no more turns and gives running ones a moment to end; closing the sessions then cuts them short. Calling it again waits for the same end. */
  close(graceMs?: number): Promise<void>;
}

/** Answers every message of the inbox once: one turn at a time in a conversation, conversations side by side. */
export function createAnswering(options: AnsweringOptions): Answering {
  const { channels, sessions, agent, log, bus } = options;
  const running = new Set<Promise<void>>();
  const waiting = createWaiting();
  /** Turns that were stopped for a newer message. */
  const interrupted = new Set<ConversationId>();
  /** Models asked for with a message. Only `submit` says so: a connector's metadata is a stranger's and must not choose. */
  const chosen = new Map<string, string>();
  /** Conversations that were being answered when px was stopped. */
  const begun = new Set<ConversationId>();
  let closed = false;
  let closing: Promise<void> | undefined;

  /** Whoever waits for the turn of a message that has none of its own is told what became of it. */
  const tell = (item: InboxItem, { turn, model }: TurnResult, text: string) => {
    const { conversation, id: messageId } = item.inbound;
    const own = `${turn}+${item.seq}`;
    bus.emit({ type: 'turn.start', conversation, turn: own, model, messageId });
    bus.emit({ type: 'turn.text', conversation, turn: own, text });
    bus.emit({ type: 'turn.end', conversation, turn: own, model, reason: 'stop', text });
  };

  const finish = (item: InboxItem, result: TurnResult, taken: InboxItem[], merged: InboxItem[]) => {
    const { conversation } = item.inbound;
    const cut = interrupted.delete(conversation) && result.reason === 'aborted';
    if (result.postponed) return;
    const notes = [
      ...(taken.length > 0 ? [`↪ What you wrote meanwhile was taken into this answer (${taken.length}).`] : []),
      ...(merged.length > 0 ? [`↪ This answers ${merged.length + 1} messages together.`] : []),
    ];
    const text = cut ? result.text.replace(STOPPED, INTERRUPTED) : result.text;
    const quiet = item.inbound.sender.id === 'schedule' && item.inbound.metadata?.['quiet'] === true;
    if (text === '' || text === STOPPED || (quiet && /^\W*NOTHING\W*$/.test(text)))
      for (const one of [item, ...taken]) channels.settle(one);
    else {
      const extras = result.choices ? { choices: result.choices } : {};
      channels.reply(item, [text, ...notes].join('\n\n'), taken, extras);
    }
    for (const one of taken) tell(one, result, '↪ Taken into the answer that was running.');
    for (const one of merged) tell(one, result, '↪ Answered together with the message before.');
  };

  const answer = async (given: InboxItem, leftOver: boolean, signal: AbortSignal): Promise<void> => {
    if (closed) return;
    // What waited before a restart was put down before anybody had looked what was chosen in its conversation.
    if (leftOver && waiting.collected(given) && !(await collects(given.inbound.conversation))) waiting.alone(given);
    const merged = waiting.gather(given);
    if (merged === 'gone') return;
    const item = merged.length > 0 ? channels.merge(given, merged) : given;
    const { inbound } = item;
    let writing: Timer;
    const write = () => {
      channels.typing(inbound);
      writing = setTimeout(write, TYPING_MS);
    };
    writing = setTimeout(write, TYPING_AFTER_MS);
    const steered: Steered = { by: inbound, waiting: [], taken: [] };
    const close = agent.command(inbound) ? () => {} : waiting.open(inbound.conversation, steered);
    try {
      const model = chosen.get(key(inbound));
      const steer = () => {
        const now = steered.waiting.splice(0);
        steered.taken.push(...now);
        return now.map((one) => one.inbound);
      };
      const input = { inbound, leftOver, steer, ...(model === undefined ? {} : { model }) };
      const result = await agent.turn(input, signal);
      finish(item, result, steered.taken, merged);
    } finally {
      close();
      chosen.delete(key(inbound));
      clearTimeout(writing);
      // Said too late for this turn: each gets one of its own.
      for (const one of steered.waiting) queue(one, false);
    }
  };

  /** Whether what is said in a conversation while px answers is answered together. */
  const collects = async (conversation: ConversationId) => {
    await sessions.open(conversation);
    return sessions.queueMode(conversation) === 'collect';
  };

  const take = (item: InboxItem, leftOver: boolean): void => {
    if (closed) return;
    const { conversation } = item.inbound;
    if (!agent.command(item.inbound)) {
      if (leftOver) {
        // The oldest is the one that was being answered; the others had waited for it.
        if (begun.has(conversation) && canJoin(item.inbound)) waiting.collect(item);
        begun.add(conversation);
      } else if (sessions.running().includes(conversation)) {
        const mode = sessions.queueMode(conversation);
        if (mode === 'steer' && waiting.steer(item)) return;
        if (mode === 'interrupt' && sessions.stop(conversation)) interrupted.add(conversation);
        if (mode === 'collect' && canJoin(item.inbound)) waiting.collect(item);
      }
    }
    queue(item, leftOver);
  };

  const queue = (item: InboxItem, leftOver: boolean): void => {
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
      begun.clear();
    },
    submit(inbound) {
      const model = inbound.metadata?.['model'];
      if (typeof model === 'string') chosen.set(key(inbound), model);
      return channels.accept(inbound);
    },
    close(graceMs = GRACE_MS) {
      closed = true;
      closing ??= within(graceMs, Promise.all(running));
      return closing;
    },
  };
}

/** What is collected is one text, and that of one who said it themselves. */
const canJoin = ({ metadata }: Inbound) => attachmentsIn(metadata).length === 0 && metadata?.['outside'] === undefined;

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
