import { PxError } from '../error/error.ts';

/** `signal.reason` of a turn that is aborted because px ends: it is not over, its message is answered after the next start. */
export const shutdown = 'shutdown';

/** What is to be done when a signal fires. It is listened to once, however much waits for it: to begin and end with each call takes longer than some calls. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

function waitingFor(signal: AbortSignal): Set<() => void> {
  const known = waiting.get(signal);
  if (known) return known;
  const stops = new Set<() => void>();
  waiting.set(signal, stops);
  signal.addEventListener('abort', () => stops.forEach((stop) => void stop()), { once: true });
  return stops;
}

/** The work's result, or a rejection (PxError `interrupted`) as soon as the signal fires, for work that does not listen to it. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(stopped(signal));
    if (signal.aborted) stop();
    const stops = waitingFor(signal);
    stops.add(stop);
    work.then(
      (value) => {
        stops.delete(stop);
        resolve(value);
      },
      (error: unknown) => {
        stops.delete(stop);
        reject(error);
      },
    );
  });
}

/** What a call that was cut short failed with. */
export function stopped(signal: AbortSignal): PxError {
  const why = signal.reason === shutdown ? 'px is restarted, and this was cut short.' : 'The turn was stopped.';
  return new PxError('interrupted', why);
}
