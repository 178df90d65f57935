import { PxError } from '../error/error.ts';
import type { Json } from '../wire/wire.ts';
import { type createSleeper, type Timing, widening } from './timing.ts';

/** One way to get a connector's messages. */
export interface Receiver {
  /** One round: ask, store what came, rest. Throws what went wrong. */
  round(): Promise<void>;
  /** Somebody is talking: ask soon. */
  nudge(): void;
}

/** What a receiver works with. */
export interface ReceiverTools {
  /** Calls a function of the plugin. A call that may take messages off the platform is not to be abandoned half-way. */
  call(fn: string, args: Json[]): Promise<Json>;
  /** Holds a request open; ends early when the connector stops. */
  hold(request: Json): Promise<Json>;
  /** Stores messages before anything else is asked of the plugin; how many of them were new. */
  take(messages: Json): Promise<number>;
  /** Told when the connector is known to work. */
  works(): void;
  /** Told when a held request ended and brought nothing. */
  nothingNew(): void;
  /** There will be nothing to do for the plugin until the next call here: its process may go. */
  rest(): void;
  stopping: AbortSignal;
  sleeper: ReturnType<typeof createSleeper>;
  timing: Timing;
}

/** Asks with `poll-events`, less often while nothing comes. */
export function pollReceiver(tools: ReceiverTools): Receiver {
  const { call, take, works, sleeper, timing } = tools;
  const pause = widening(timing.pollPause);
  return {
    async round() {
      const fresh = await take(await call('poll-events', []));
      works();
      if (fresh > 0) pause.reset();
      const nap = pause.take();
      if (nap >= timing.restAbove) tools.rest();
      await sleeper.sleep(nap);
    },
    nudge() {
      pause.reset();
      sleeper.wake();
    },
  };
}

/**
 * Waits without a process: holds the request of `next-wait` and wakes the plugin with the answer. An answer equal to the last one that
 * brought nothing does not wake it, and answers that come at once make the pauses longer, so that a server which does not know long
 * polling is not flooded.
 */
export function waitReceiver(tools: ReceiverTools): Receiver {
  const { call, take, works, stopping, sleeper, timing } = tools;
  const pause = widening(timing.waitPause);
  const poll = pollReceiver(tools);
  let request: Json | undefined;
  let quiet: string | undefined;
  let polling = false;
  return {
    async round() {
      request ??= await call('next-wait', []);
      polling = request === null;
      if (request === null) {
        request = undefined;
        return poll.round();
      }
      const asked = performance.now();
      const held = request;
      request = undefined;
      tools.rest();
      const answer = await patiently(() => tools.hold(held), works);
      if (stopping.aborted) return;
      const took = performance.now() - asked;
      let brought = false;
      const print = fingerprint(answer);
      if (print === quiet) {
        request = held;
      } else {
        quiet = undefined;
        const messages = await call('on-wait', [answer]);
        const fresh = await take(messages);
        if (Array.isArray(messages) && messages.length === 0) quiet = print;
        brought = fresh > 0;
        if (brought) pause.reset();
      }
      refuseBad(answer);
      works();
      if (!brought) tools.nothingNew();
      if (took >= timing.waitLong) pause.reset();
      // Where messages come there may be more: only answers that bring nothing are slowed down.
      else if (!brought) await sleeper.sleep(Math.max(0, pause.take() - took));
    },
    nudge() {
      pause.reset();
      if (polling) poll.nudge();
      else sleeper.wake();
    },
  };
}

/** Messages come by webhook: nothing is asked for. */
export function hookReceiver({ works, sleeper }: ReceiverTools): Receiver {
  return {
    async round() {
      works();
      await sleeper.sleep(2 ** 31 - 1);
    },
    nudge() {},
  };
}

/** Runs a long wait; when it has lasted two seconds without failing, the connector works. */
async function patiently<T>(wait: () => Promise<T>, works: () => void): Promise<T> {
  const timer = setTimeout(works, 2_000);
  try {
    return await wait();
  } finally {
    clearTimeout(timer);
  }
}

/** Status and body, or the error, in a few bytes. Headers differ each time (`Date`) and say nothing. */
function fingerprint(answer: Json): string {
  const ok = field(answer, 'ok');
  const told = ok === undefined ? answer : [field(ok, 'status') ?? null, field(ok, 'body') ?? null];
  return new Bun.CryptoHasher('sha256').update(JSON.stringify(told)).digest('base64');
}

/** A guest may pass over a refusal in silence; the person should still see why nothing comes, and px should slow down. */
export function refuseBad(answer: Json): void {
  const status = field(field(answer, 'ok'), 'status');
  if (typeof status === 'number' && status >= 400)
    throw new PxError(
      'plugin.guest',
      status === 401 ? 'unauthorized: the platform answered HTTP 401' : `the platform answered HTTP ${status}`,
      { retryable: true },
    );
  const error = field(answer, 'err');
  if (error === undefined || error === 'timeout' || field(error, 'timeout') !== undefined) return;
  const text = field(error, 'denied') ?? field(error, 'network');
  throw new PxError('plugin.guest', typeof text === 'string' ? text : JSON.stringify(error), { retryable: true });
}

/** Answers that will be the same the next time: what was asked for is not there, or not for px. */
const final = new Set<Json | undefined>([403, 404, 410]);

/** Why a held request brought nothing, in words, with `refused:` where it never will; undefined when it did. */
export function errorOf(answer: Json): string | undefined {
  const status = field(field(answer, 'ok'), 'status');
  if (final.has(status)) return `refused: the platform answered HTTP ${status}`;
  const error = field(answer, 'err');
  if (error === undefined) return undefined;
  if (error === 'timeout') return 'it took too long';
  const large = field(error, 'too-large');
  return large === undefined ? JSON.stringify(error) : `refused: it is larger than ${large} bytes`;
}

function field(value: Json | undefined, name: string): Json | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value[name] : undefined;
}
