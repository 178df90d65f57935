import type { Json } from '../../wire/wire.ts';
import type { Connection } from './connection.ts';
import { holds } from './pattern.ts';

/** A heartbeat as a plugin describes it: px keeps it up without waking the plugin. */
interface Heartbeat {
  every_ms: number;
  /** What is sent. */
  message: string;
  /** What answers it; undefined when nothing does. */
  answer: Json | undefined;
}

/** Tells whether the other side is still there. */
export interface Heart {
  /** From now on; the first beat comes somewhere within the first interval, so that many clients do not beat together. */
  start(heartbeat: Heartbeat): void;
  /** A message came, as JSON where it is that. */
  heard(message: Json | undefined): void;
  stop(): void;
}

/** Without a word for so long the other side is asked, and after as long again it is taken to be gone, in ms. */
const silentMs = 45_000;
/** What a connection is given up with, so that the platform keeps the session. */
const lost = 4_001;

/** Keeps a connection's heartbeat, and pings a silent one. */
export function createHeart({
  connection,
  beat,
}: {
  connection: Connection;
  /** Sends the heartbeat's message. May throw. */
  beat(message: string): void;
}): Heart {
  let heartbeat: Heartbeat | undefined;
  let timer: Timer | undefined;
  let unanswered = false;
  let asked = 0;

  const lose = (why: string) => {
    stop();
    connection.close(lost, why);
  };
  const watch = setInterval(() => {
    // What px itself has not read yet is no silence.
    if (connection.behind || performance.now() - connection.heard < silentMs) return;
    if (asked > connection.heard) return lose('nothing was heard');
    asked = performance.now();
    connection.ping();
  }, silentMs);
  watch.unref();

  const turn = () => {
    if (!heartbeat || connection.ended) return stop();
    if (unanswered && !connection.behind) return lose('a heartbeat was not answered');
    unanswered = heartbeat.answer !== undefined;
    try {
      beat(heartbeat.message);
    } catch {
      return lose('the heartbeat could not be sent');
    }
    timer = setTimeout(turn, heartbeat.every_ms);
  };
  function stop() {
    clearInterval(watch);
    clearTimeout(timer);
    heartbeat = undefined;
  }

  return {
    start(given) {
      clearTimeout(timer);
      heartbeat = given;
      unanswered = false;
      timer = setTimeout(turn, given.every_ms * Math.random());
    },
    heard(message) {
      if (unanswered && heartbeat?.answer !== undefined && holds(message, heartbeat.answer)) unanswered = false;
    },
    stop,
  };
}
