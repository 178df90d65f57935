/** Every pause and bound of the channels, in one place. Tests give shorter ones. */
export interface Timing {
  /** The clock, in ms since the epoch. */
  now(): number;
  /** Least and longest pause between held requests that are answered at once and bring nothing, in ms. */
  waitPause: readonly [number, number];
  /** A held request that took this long really waited: the next one follows without a pause, in ms. */
  waitLong: number;
  /** Least and longest interval of `poll-events` while nothing comes, in ms. */
  pollPause: readonly [number, number];
  /** Least and longest pause between two WebSockets, in ms; doubles while they do not last. */
  socketPause: readonly [number, number];
  /** A WebSocket that lasted this long was a good one, in ms. */
  socketLong: number;
  /** Least and longest pause after a connector failed, in ms; doubles, with jitter. */
  failPause: readonly [number, number];
  /** So long after the last message in or out the plugin's process is ended while its connector waits, in ms. */
  restAfter: number;
  /** A polled plugin's process is ended for pauses from this length on, in ms: a start costs more than a short one. */
  restAbove: number;
  /** How often a failing connector looks whether its plugin or a secret has changed, in ms. */
  lookAgain: number;
  /** Least and longest pause before a part is sent again, in ms; doubles, with jitter. */
  sendPause: readonly [number, number];
  /** Times a part is tried before it becomes a dead letter. */
  maxSends: number;
  /** Before a chat's past is asked for a text of unknown fate, in ms. */
  historyAfter: number;
  /** How often an answer that is being written is shown, in ms; in a group a third as often. */
  streamEvery: number;
  /** In a group, so much in a minute before what is shown of unfinished answers waits. */
  groupMinute: number;
  /** At most one typing sign a chat in this time, in ms. */
  typingEvery: number;
  /** How long close waits for a call that a plugin is in, in ms. */
  closeWait: number;
}

/** What runs in production. */
export const defaultTiming: Timing = {
  now: Date.now,
  waitPause: [250, 5_000],
  waitLong: 1_000,
  pollPause: [1_000, 15_000],
  // Platforms count sessions that are begun: Discord lets a bot begin 1,000 a day.
  socketPause: [1_000, 120_000],
  socketLong: 60_000,
  failPause: [1_000, 300_000],
  restAfter: 10_000,
  restAbove: 4_000,
  lookAgain: 2_000,
  sendPause: [1_000, 900_000],
  maxSends: 20,
  historyAfter: 2_000,
  streamEvery: 1_200,
  // Telegram lets a bot write 20 times a minute into a group: the rest is for whole answers and questions.
  groupMinute: 14,
  // A little under the four seconds at which the app asks, so that a timer that fires early is not refused.
  typingEvery: 3_900,
  closeWait: 3_000,
};

/** Doubling pause for the n-th failure in a row (from 1), 50 to 100 % of it by chance, so that many do not come back together. */
export function backOff([least, most]: readonly [number, number], failures: number): number {
  const full = Math.min(most, least * 2 ** Math.min(failures - 1, 30));
  return jittered(full);
}

/** 50 to 100 % of a pause, by chance. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}

/** An interval that doubles while nothing comes and starts over when something does. */
export function widening([least, most]: readonly [number, number]) {
  let next = least;
  return {
    /** The pause to make now; the following one is twice as long. */
    take(): number {
      const now = next;
      next = Math.min(most, next * 2);
      return now;
    },
    reset() {
      next = least;
    },
  };
}

/** Sleeps that end early when told to, or when the signal aborts. */
export function createSleeper(signal: AbortSignal) {
  let wake = () => {};
  return {
    /** Resolves after `ms`, on `wake()` or on abort. Never rejects. */
    sleep(ms: number): Promise<void> {
      if (signal.aborted || ms <= 0) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal.addEventListener('abort', done, { once: true });
        wake = done;
      });
    },
    wake: () => wake(),
  };
}
