import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import type { HeldSocket } from '../plugin/plugin.ts';
import type { Json } from '../wire/wire.ts';
import { pollReceiver, type Receiver, type ReceiverTools } from './receiver.ts';
import { jittered, widening } from './timing.ts';

/** What this receiver reads of `socket-answer`; the rest is for whoever holds the socket. */
const Answer = v.object({ messages: v.custom<Json>(() => true), ready: v.boolean(), reconnect: v.boolean() });

/**
 * Messages come over a WebSocket that px holds: the plugin is woken with those it asked for. What it makes of them is stored before
 * the place in the stream moves on, so that a platform which resumes tells again what was not. Pauses between connections widen while
 * they do not last.
 */
export function socketReceiver(tools: ReceiverTools & { socket(wanted: Json): Promise<HeldSocket> }): Receiver {
  const { call, take, works, stopping, sleeper, timing } = tools;
  const pause = widening(timing.socketPause);
  const poll = pollReceiver(tools);
  let polling = false;

  /** Until it ends. How: in words when that was not the plugin's wish. */
  const serve = async (socket: HeldSocket): Promise<{ letIn: boolean; lost: string | undefined }> => {
    let letIn = false;
    for (;;) {
      if (!socket.waiting) tools.rest();
      const event = await socket.next();
      if (stopping.aborted) return { letIn: true, lost: undefined };
      const answer = await call('on-socket', [event]);
      const read = v.safeParse(Answer, answer);
      if (!read.success) throw new PxError('plugin.guest', 'on-socket returned what is no answer');
      const { messages, ready, reconnect } = read.output;
      const fresh = await take(messages);
      if (ready || fresh > 0) {
        letIn = true;
        works();
      }
      socket.handled(answer);
      const lost = endOf(event);
      if (reconnect || lost !== undefined) return { letIn, lost: reconnect ? undefined : lost };
    }
  };

  return {
    async round() {
      const wanted = await call('next-socket', []);
      polling = wanted === null;
      if (wanted === null) return poll.round();
      const socket = await tools.socket(wanted);
      const opened = performance.now();
      let ended: Awaited<ReturnType<typeof serve>>;
      try {
        ended = await serve(socket);
      } finally {
        socket.close();
      }
      if (ended.lost !== undefined && !ended.letIn) throw new PxError('plugin.guest', ended.lost, { retryable: true });
      if (performance.now() - opened >= timing.socketLong) pause.reset();
      await sleeper.sleep(jittered(pause.take()));
    },
    nudge() {
      if (polling) poll.nudge();
    },
  };
}

/** How a connection ended, in words; undefined for an event that is something else. */
function endOf(event: Json): string | undefined {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return undefined;
  const end = event['closed'];
  if (typeof end !== 'object' || end === null || Array.isArray(end)) return undefined;
  return `the platform closed the WebSocket: ${end['code']} ${end['reason']}`.trim();
}
