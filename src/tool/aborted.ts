import { PxError } from '../error/error.ts';

/** `signal.reason` of a turn that is aborted because px ends: it is not over, its message is answered after the next start. */
export const shutdown = 'shutdown';

/** The work's result, or a rejection (PxError `interrupted`) as soon as the signal fires, for work that does not listen to it. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(stopped(signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const done = () => signal.removeEventListener('abort', stop);
    work.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
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
