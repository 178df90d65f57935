import { createInterface } from 'node:readline/promises';
import type { PxError } from '../error/error.ts';
import { readHidden } from './hidden.ts';

/** Questions to the person at this terminal. Each throws PxError `interrupted` on Ctrl-C or Ctrl-D. */
export interface Prompt {
  /** One line, without blanks around it; undefined when it is `over` before an answer. */
  line(question: string, over?: AbortSignal): Promise<string | undefined>;
  /** One line that is not shown while it is typed; `empty` says what Enter alone does. */
  hidden(question: string, empty: string): Promise<string>;
  /** Enter alone is `usual`. */
  yes(question: string, usual?: boolean): Promise<boolean>;
  /** The place in `options` of what was chosen; Enter alone is `usual`. */
  choose(options: string[], usual: number): Promise<number>;
}

/**
 * The prompt of this process's terminal; questions are written to stderr. `interrupted` is what Ctrl-C throws, and `stop` while it waits: a
 * terminal that was closed never answers.
 */
export function terminalPrompt(
  note: (text: string) => void,
  interrupted: () => PxError,
  stop = new AbortController().signal,
): Prompt {
  const line: Prompt['line'] = async (question, over) => {
    if (stop.aborted) throw interrupted();
    let stopped = () => {};
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await new Promise<string | undefined>((resolve, reject) => {
        stopped = () => reject(interrupted());
        lines.once('SIGINT', stopped);
        lines.once('close', stopped);
        stop.addEventListener('abort', stopped);
        lines.question(`    ${question} › `, over ? { signal: over } : {}).then(
          (text) => resolve(text.trim()),
          () => resolve(undefined),
        );
      });
    } finally {
      stop.removeEventListener('abort', stopped);
      lines.close();
    }
  };
  const asked = async (question: string) => (await line(question)) ?? '';
  return {
    line,
    async hidden(question, empty) {
      const typed = await readHidden(`    ${question} (not shown; Enter: ${empty}) › `, stop).catch(() => undefined);
      if (typed === undefined) throw interrupted();
      return typed.trim();
    },
    async yes(question, usual = true) {
      for (;;) {
        const word = (await asked(`${question} ${usual ? '[Y/n]' : '[y/N]'}`)).toLowerCase();
        if (word === '') return usual;
        if (/^(y|yes|n|no)$/.test(word)) return word.startsWith('y');
        note('    Type y or n.');
      }
    },
    async choose(options, usual) {
      const digits = String(options.length).length;
      for (const [i, option] of options.entries()) note(`      ${String(i + 1).padStart(digits)}  ${option}`);
      for (;;) {
        const word = await asked(`1 to ${options.length} [${usual + 1}]`);
        if (word === '') return usual;
        if (/^\d{1,3}$/.test(word) && Number(word) >= 1 && Number(word) <= options.length) return Number(word) - 1;
        note(`    Type a number from 1 to ${options.length}.`);
      }
    },
  };
}
