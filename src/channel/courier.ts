import { PxError, toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Bus, Json } from '../wire/wire.ts';
import type { Batch } from './batch.ts';
import { explainFailure, readSendFailure, unknownOutcome } from './failure.ts';
import type { Outbox, Part } from './outbox.ts';
import { type SendWatch, Unread } from './sender.ts';
import { splitText } from './split.ts';
import { backOff, createSleeper, type Timing } from './timing.ts';

/** What a courier works with. */
export interface CourierOptions {
  channel: string;
  plugin: string;
  outbox: Outbox;
  batch: Batch;
  /** Gets a part ready to be sent; the returned function sends it and resolves with the platform's message id. */
  prepare(part: Part): Promise<(watch: SendWatch) => Promise<string>>;
  /** What an answer means that had come when px was stopped: the message's id; undefined when the part has to be sent anew. */
  conclude(part: Part, answer: Json): Promise<string | undefined>;
  /** Called after each part that left. */
  sent(): void;
  /** Called with why nothing can be sent for now, whatever the part; with undefined when the platform refused one for its own sake. */
  blocked(why: string | undefined): void;
  bus: Bus;
  log: Log;
  timing: Timing;
}

/** What a courier learns when the connector is ready. */
export interface CourierRoute {
  /** Longest text of one message. */
  maxText: number;
  /** Chats that are sent to at the same time. */
  atOnce: number;
  /** Finds out about a part of unknown fate, by what the platform offers; undefined where it offers nothing. */
  reconcile?(part: Part): Promise<'sent' | 'again' | 'unknown'>;
}

/** Carries one channel's outbox to its platform: several chats side by side, and each chat in order. */
export interface Courier {
  /** There may be something to send. */
  kick(): void;
  /** From now on. What was being sent when px stopped is looked into first. */
  open(route: CourierRoute): void;
  /** Something is being sent now. */
  busy(): boolean;
  /** The channel works again: waits of failed parts are over. */
  resume(): void;
  /** Resolves when the parts in hand are done. */
  stop(): Promise<void>;
}

/** Makes a courier; it waits for `open`. */
export function createCourier(options: CourierOptions): Courier {
  const { channel, outbox, batch, bus, log, timing } = options;
  let route: CourierRoute | undefined;
  const stopping = new AbortController();
  const sleeper = createSleeper(stopping.signal);
  let blockedUntil = 0;
  let blocks = 0;
  /** By chat. */
  const inHand = new Map<string, Promise<void>>();
  let soon = false;
  let opening: Promise<void> | undefined;
  let timer: Timer | undefined;

  const told = (part: Part, state: 'sent' | 'failed', more: { platformId?: string; error?: PxError }) =>
    bus.emit({
      type: 'message.out',
      conversation: `${channel}/${part.chat}`,
      channel,
      text: part.text,
      state,
      ...(more.platformId === undefined ? {} : { platformId: more.platformId }),
      ...(more.error ? { error: more.error.toJSON() } : {}),
    });

  const left = async (part: Part, platformId: string) => {
    await batch.write(() => outbox.sent(part, platformId));
    blocks = 0;
    told(part, 'sent', { platformId });
    options.sent();
  };

  const dead = (part: Part, state: 'failed' | 'unknown', error: PxError) => {
    outbox.fail(part, state, error);
    const what = state === 'unknown' ? 'may be lost' : 'was not delivered';
    log.error(`a message to ${part.chat} ${what}`, { id: part.id, state, error: error.message });
    told(part, 'failed', { error });
  };

  /** Asks the platform where that is possible; otherwise a person has to look. */
  const findOut = async (part: Part, error: PxError) => {
    const found = route?.reconcile ? await route.reconcile(part).catch(() => 'unknown' as const) : 'unknown';
    if (found === 'unknown') return dead(part, 'unknown', error);
    log.info(
      found === 'sent' ? 'found on the platform: it had arrived' : 'it had not arrived, or shows once: sent again',
      {
        id: part.id,
      },
    );
    if (found === 'sent') await left(part, '');
    else outbox.again(part, 0, error, true);
  };

  const concluded = async (part: Part, answer: Json, tries = 1): Promise<void> => {
    try {
      const id = await options.conclude(part, answer);
      if (id !== undefined) await left(part, id);
      else outbox.again(part, 0, new PxError('interrupted', 'px was stopped before it was sent in full'), false);
    } catch (thrown) {
      if (thrown instanceof Unread) await unread(part, thrown, tries);
      else await failed(part, thrown);
    }
  };

  /** Only reading the answer is tried again. It is kept with the part: when px stops meanwhile, the next start reads it. */
  const unread = async (part: Part, why: Unread, tries: number) => {
    if (tries >= timing.maxSends) return findOut(part, unknownOutcome(`the platform's answer: ${why.message}`));
    await sleeper.sleep(backOff(timing.sendPause, tries));
    if (!stopping.signal.aborted) await concluded(part, why.answer, tries + 1);
  };

  const failed = async (part: Part, thrown: unknown) => {
    const error = toPxError(thrown);
    const why = explainFailure(error, options.plugin, []);
    const failure = readSendFailure(error);
    if (failure.kind === 'unknown') return findOut(part, unknownOutcome(why));
    if (failure.kind === 'blocked') {
      blocks += 1;
      blockedUntil = timing.now() + (failure.afterMs ?? backOff(timing.sendPause, blocks));
      options.blocked(why);
      return outbox.again(part, 0, error, false);
    }
    if (failure.kind === 'refused') options.blocked(undefined);
    const { edits, ...extras } = part.extras;
    // What was to be replaced is gone: the text is a message of its own.
    if (failure.kind === 'refused' && edits !== undefined) {
      outbox.change(part, extras);
      return outbox.again(part, 0, error, true);
    }
    const tries = part.attempts + 1;
    // Too much to do at once is not the part's fault.
    const counted = error.code !== 'conflict';
    if (failure.kind === 'refused' || (counted && tries >= timing.maxSends))
      return dead(part, 'failed', new PxError('channel.delivery', why, { cause: error, data: { attempts: tries } }));
    const wait = failure.afterMs ?? backOff(timing.sendPause, tries);
    log.warn(`a message to ${part.chat} was not taken, trying again`, { id: part.id, tries, waitMs: wait, error: why });
    outbox.again(part, timing.now() + wait, error, counted);
  };

  const carry = async (part: Part, maxText: number) => {
    const [only, ...more] = splitText(part.text, maxText);
    if (more.length > 0) return outbox.split(part, [only ?? '', ...more]);
    try {
      const send = await options.prepare(part);
      // From here to the answer a crash leaves this part's fate open.
      await batch.write(() => outbox.sending(part));
      const id = await send({
        // Written down before it is read, so that a crash meanwhile leaves no doubt.
        answered: (answer) => void batch.note(() => outbox.answered(part, answer)).catch(() => {}),
        again: () => batch.write(() => outbox.answered(part, null)),
      });
      await left(part, id);
    } catch (thrown) {
      if (thrown instanceof Unread) await unread(part, thrown, 1);
      else await failed(part, thrown);
    }
  };

  const brokenOutbox = (thrown: unknown) => {
    // The outbox itself failed (disk full): nothing may be sent that cannot be written down.
    blocks += 1;
    blockedUntil = timing.now() + backOff(timing.sendPause, blocks);
    log.error('the outbox cannot be used', { error: toPxError(thrown).message });
    wakeAt(blockedUntil);
  };

  const wakeAt = (at: number) => {
    clearTimeout(timer);
    timer = setTimeout(kick, Math.min(Math.max(at - timing.now(), 1), 2 ** 31 - 1));
  };

  const work = () => {
    soon = false;
    if (stopping.signal.aborted || !route || opening) return;
    clearTimeout(timer);
    try {
      const { atOnce, maxText } = route;
      const free = timing.now() >= blockedUntil ? atOnce - inHand.size : 0;
      const { parts, nextAt } = outbox.heads(channel, inHand, free);
      for (const part of parts) {
        const done = carry(part, maxText)
          .catch(brokenOutbox)
          .finally(() => {
            inHand.delete(part.chat);
            kick();
          });
        inHand.set(part.chat, done);
      }
      // What is due and does not go now waits for a place or for an answer, after each of which this is done again.
      if (nextAt !== undefined && (inHand.size === 0 || nextAt > timing.now())) wakeAt(Math.max(nextAt, blockedUntil));
    } catch (thrown) {
      brokenOutbox(thrown);
    }
  };

  const kick = () => {
    if (stopping.signal.aborted || !route || soon) return;
    soon = true;
    // Not in this tick: what else comes in it is looked at together.
    queueMicrotask(work);
  };

  return {
    kick,
    busy: () => inHand.size > 0 || soon || opening !== undefined,
    open(given) {
      route = given;
      const stuck = outbox.interrupted(channel);
      if (stuck.length === 0) return kick();
      const error = unknownOutcome('px was stopped while it was being sent');
      opening = (async () => {
        for (const part of stuck) {
          if (part.answer === undefined) await findOut(part, error);
          else await concluded(part, part.answer);
        }
      })()
        .catch(brokenOutbox)
        .finally(() => {
          opening = undefined;
          kick();
        });
    },
    resume() {
      blockedUntil = 0;
      blocks = 0;
      outbox.hurry(channel);
      kick();
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await Promise.all([...inHand.values(), opening]);
    },
  };
}
