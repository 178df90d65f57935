import { writeSync } from 'node:fs';
import { PxError } from '../error/error.ts';

/** A terminal that is drawn on: what the monitor needs of it. Tests have one without a device. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** True while what was written is not yet taken: frames are left out meanwhile. */
  readonly busy: boolean;
  write(bytes: string): void;
  /** What is typed, as it comes. */
  onInput(listener: (chunk: string) => void): void;
  onResize(listener: () => void): void;
  /** The reader of the screen went away, or the process is asked to end: `SIGTERM`, `SIGHUP`. */
  onGone(listener: (signal: NodeJS.Signals) => void): void;
  /** Hands the terminal to the shell until the process is continued (`Ctrl-Z`, `fg`). */
  suspend(): void;
  /** Gives the terminal back as it was. May be called more than once. */
  restore(): void;
}

/** Other screen, no cursor, no line wrap, pastes marked. */
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[?2004h\u001b[2J';
const leave = '\u001b[0m\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[?1049l';

/** Throws PxError `tui.terminal` when nothing can be drawn on this terminal. */
export function checkTerminal(term: string | undefined): void {
  const hint = 'Use `px chat`, `px status` or `px portal` here.';
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true)
    throw new PxError('tui.terminal', 'px tui needs a terminal for its input and output.', { hint });
  if (term === undefined || term === '' || term === 'dumb')
    throw new PxError('tui.terminal', `px tui cannot draw on this terminal (TERM is ${term || 'not set'}).`, { hint });
}

/**
 * Takes the process's own terminal. It is given back on `restore`, and on every other way out of the process: exit, an error that
 * nobody caught, a signal.
 */
export function openTerminal(): Terminal {
  const { stdin, stdout } = process;
  let taken = false;
  const take = () => {
    taken = true;
    stdin.setRawMode(true);
    stdout.write(enter);
  };
  const restore = () => {
    if (!taken) return;
    taken = false;
    // At once, not through the stream: the process may end right after. A terminal that is gone needs nothing.
    try {
      writeSync(1, leave);
    } catch {}
    try {
      stdin.setRawMode(false);
    } catch {}
  };
  let resized = () => {};
  let gone = (_signal: NodeJS.Signals) => {};
  const crash = (thrown: unknown) => {
    restore();
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    try {
      writeSync(2, `px: px tui failed: ${text}\n`);
    } catch {}
    process.exit(1);
  };
  stdout.on('error', () => gone('SIGHUP'));
  stdout.on('resize', () => resized());
  stdin.on('end', () => gone('SIGHUP'));
  stdin.on('error', () => gone('SIGHUP'));
  process.on('exit', restore);
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const) process.on(signal, () => gone(signal));
  process.on('SIGCONT', () => {
    take();
    resized();
  });
  stdin.setEncoding('utf8');
  take();
  return {
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    get busy() {
      return stdout.writableNeedDrain;
    },
    write: (bytes) => {
      // The shell may have it already: a process goes on for a moment after it was told to stop.
      if (taken) stdout.write(bytes);
    },
    onInput: (listener) => void stdin.on('data', (chunk) => listener(String(chunk))),
    onResize: (listener) => {
      resized = listener;
    },
    onGone: (listener) => {
      gone = listener;
    },
    suspend() {
      restore();
      process.kill(0, 'SIGTSTP');
    },
    restore,
  };
}
