import { readFileSync } from 'node:fs';
import { until } from './px.ts';

/** Why tests with a terminal cannot run, or undefined. */
export const noTmux = Bun.which('tmux') ? undefined : 'tmux is not installed';

/** A shell that waits for a command. */
export const prompt = /^[$#] *$/m;

/** A terminal with a shell in it, seen as a person sees it. Disposed: the shell and all in it end. */
export class Tmux implements AsyncDisposable {
  readonly #socket = `px-test-${crypto.randomUUID()}`;

  /** Opens it with a shell, whose prompt is `$` or `#`. */
  async open(options: { columns?: number; rows?: number; env?: Record<string, string> } = {}): Promise<this> {
    const { columns = 80, rows = 24, env = {} } = options;
    const set = Object.entries({ LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...env }).flatMap(([k, v]) => ['-e', `${k}=${v}`]);
    await this.tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, ...set, 'sh');
    await this.saw(prompt).catch(async (thrown) => {
      await this[Symbol.asyncDispose]();
      throw thrown;
    });
    return this;
  }

  /** Runs a command of tmux; what it printed. */
  async tmux(...args: string[]): Promise<string> {
    // `-u`: the machine that runs the test may have no UTF-8 locale.
    const command = Bun.spawn(['tmux', '-u', '-L', this.#socket, ...args], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [out, error, code] = await Promise.all([
      new Response(command.stdout).text(),
      new Response(command.stderr).text(),
      command.exited,
    ]);
    if (code !== 0) throw new Error(`tmux ${args.join(' ')}: ${error}`);
    return out;
  }

  /** Presses keys by tmux's names: `Enter`, `Tab`, `C-c`, `PageUp`. */
  keys(...names: string[]): Promise<string> {
    return this.tmux('send-keys', ...names);
  }

  /** Types text as it is. */
  type(text: string): Promise<string> {
    return this.tmux('send-keys', '-l', text);
  }

  /** What the screen shows; with `styles`, the colours too. */
  screen(styles = false): Promise<string> {
    return this.tmux('capture-pane', '-p', ...(styles ? ['-e'] : []));
  }

  /** Waits until the screen shows it; the screen then. */
  async saw(what: string | RegExp): Promise<string> {
    let last = '';
    const there = async () => {
      last = await this.screen();
      return (typeof what === 'string' ? last.includes(what) : what.test(last)) && last;
    };
    try {
      return await until(`${what} on the screen`, there);
    } catch {
      throw new Error(`the screen never showed ${what}:\n${last}`);
    }
  }

  /** A value tmux knows, by its format name: `alternate_on`, `cursor_flag`. */
  async value(name: string): Promise<string> {
    return (await this.tmux('display-message', '-p', `#{${name}}`)).trim();
  }

  /** The process the shell runs in the foreground. */
  async child(): Promise<number> {
    const shell = await this.value('pane_pid');
    return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tmux('kill-server').catch(() => {});
  }
}
