import { PxError, toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Bus } from '../wire/wire.ts';
import { explainFailure, readSendFailure, unknownOutcome } from './failure.ts';
import type { Outbox, Part } from './outbox.ts';
import { splitText } from './split.ts';
import { backOff, type Timing } from './timing.ts';

/** What a courier works with. */
export interface CourierOptions {
  channel: string;
  plugin: string;
  outbox: Outbox;
  /** Gets the plugin ready, so that little can happen between the word that a text is being sent and its sending. */
  warm(): Promise<unknown>;
  /** Sends one text; the platform's message id. */
  send(chat: string, text: string): Promise<string>;
  /** Called after each part that left. */
  sent(): void;
  bus: Bus;
  log: Log;
  timing: Timing;
}

/** Carries one channel's outbox to its platform, one part at a time and each chat in order. */
export interface Courier {
  /** There may be something to send. */
  kick(): void;
  /** From now on, with texts up to this length. */
  open(maxText: number): void;
  /** Something is being sent now. */
  busy(): boolean;
  /** The channel works again: waits of failed parts are over. */
  resume(): void;
  /** Resolves when the part in hand is done. */
  stop(): Promise<void>;
}

/** Makes a courier; it waits for `open`. */
export function createCourier(options: CourierOptions): Courier {
  const { channel, outbox, bus, log, timing } = options;
  let maxText = 0;
  let stopped = false;
  let blockedUntil = 0;
  let blocks = 0;
  let running: Promise<void> | undefined;
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

  const dead = (part: Part, state: 'failed' | 'unknown', error: PxError) => {
    outbox.fail(part, state, error);
    log.error(`a message to ${part.chat} was not delivered`, { id: part.id, state, error: error.message });
    told(part, 'failed', { error });
  };

  const failed = (part: Part, thrown: unknown) => {
    const error = toPxError(thrown);
    const why = explainFailure(error, options.plugin, []);
    const failure = readSendFailure(error);
    if (failure.kind === 'unknown') return dead(part, 'unknown', unknownOutcome(why));
    if (failure.kind === 'blocked') {
      blocks += 1;
      blockedUntil = timing.now() + (failure.afterMs ?? backOff(timing.sendPause, blocks));
      return outbox.again(part, 0, error, false);
    }
    const tries = part.attempts + 1;
    if (failure.kind === 'refused' || tries >= timing.maxSends)
      return dead(part, 'failed', new PxError('channel.delivery', why, { cause: error, data: { attempts: tries } }));
    const wait = failure.afterMs ?? backOff(timing.sendPause, tries);
    log.warn(`a message to ${part.chat} was not taken, trying again`, { id: part.id, tries, waitMs: wait, error: why });
    outbox.again(part, timing.now() + wait, error, true);
  };

  const carry = async (part: Part) => {
    const [only, ...more] = splitText(part.text, maxText);
    if (more.length > 0) return outbox.split(part, [only ?? '', ...more]);
    try {
      await options.warm();
    } catch (thrown) {
      // Nothing was sent: what is wrong with the plugin shows in the call that sends.
      log.debug('the connector is not ready', { error: toPxError(thrown).message });
    }
    outbox.sending(part);
    try {
      const platformId = await options.send(part.chat, part.text);
      outbox.sent(part, platformId);
      blocks = 0;
      told(part, 'sent', { platformId });
      options.sent();
    } catch (thrown) {
      failed(part, thrown);
    }
  };

  const work = async () => {
    let at: number | undefined;
    try {
      while (!stopped && timing.now() >= blockedUntil) {
        const part = outbox.next(channel);
        if (!part) break;
        await carry(part);
      }
      if (!stopped) at = outbox.nextAt(channel);
    } catch (thrown) {
      // The outbox itself failed (disk full): nothing may be sent that cannot be written down.
      blocks += 1;
      at = blockedUntil = timing.now() + backOff(timing.sendPause, blocks);
      log.error('the outbox cannot be used', { error: toPxError(thrown).message });
    }
    running = undefined;
    if (at === undefined || stopped) return;
    const wait = Math.max(at, blockedUntil) - timing.now();
    timer = setTimeout(kick, Math.min(Math.max(wait, 1), 2 ** 31 - 1));
  };

  const kick = () => {
    if (stopped || maxText === 0 || running) return;
    clearTimeout(timer);
    // Not in this tick: `work` may end without waiting, and must find `running` set.
    running = Promise.resolve().then(work);
  };

  return {
    kick,
    busy: () => running !== undefined,
    open(max) {
      maxText = max;
      kick();
    },
    resume() {
      blockedUntil = 0;
      outbox.hurry(channel);
      kick();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
