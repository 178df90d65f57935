import { PxError } from '../error/error.ts';

/** Asks on the terminal without showing what is typed. Throws PxError `interrupted` on Ctrl-C or Ctrl-D, and when told to stop. */
export function readHidden(prompt: string, stop?: AbortSignal): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(prompt);
  stdin.setRawMode(true);
  return new Promise<string>((resolve, reject) => {
    let value = '';
    const end = (done: () => void) => {
      stdin.off('data', take);
      stop?.removeEventListener('abort', stopped);
      done();
      try {
        stdin.setRawMode(false);
        stdin.pause();
        stderr.write('\n');
      } catch {
        // The terminal is gone.
      }
    };
    const stopped = () => end(() => reject(new PxError('interrupted', 'Nothing was stored.')));
    const take = (chunk: Buffer | string) => {
      // What a terminal puts around a paste is not part of it.
      for (const char of String(chunk).replace(/\u001b\[20[01]~/g, '')) {
        if (char === '\u0003' || char === '\u0004') return stopped();
        if (char === '\r' || char === '\n') return end(() => resolve(value));
        if (char === '\u0015') value = '';
        else value = char === '\u007f' || char === '\b' ? value.slice(0, -1) : value + char;
      }
    };
    stop?.addEventListener('abort', stopped);
    stdin.on('data', take);
    stdin.resume();
  });
}
