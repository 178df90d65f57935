import { PxError } from '../error/error.ts';

/** Asks on the terminal without showing what is typed. Throws PxError `interrupted` on Ctrl-C. */
export async function readHidden(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  process.stdin.setRawMode(true);
  let value = '';
  try {
    for await (const chunk of process.stdin) {
      for (const char of String(chunk)) {
        if (char === '\u0003' || char === '\u0004') throw new PxError('interrupted', 'Nothing was stored.');
        if (char === '\r' || char === '\n') return value;
        value = char === '\u007f' || char === '\b' ? value.slice(0, -1) : value + char;
      }
    }
    return value;
  } finally {
    process.stdin.setRawMode(false);
    process.stderr.write('\n');
  }
}
