import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { YAML } from 'bun';

const root = resolve(import.meta.dir, '../..');
/** The compiled executable under test. */
export const binary = join(root, 'dist/px');
/** Why the end-to-end tests cannot run, or undefined. */
export const notBuilt = existsSync(binary) ? undefined : 'dist/px is not built: run scripts/build';

/** What a command of the executable did. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** A home folder of its own and the daemon in it. Disposed: daemon killed, folder removed. */
export class Px implements AsyncDisposable {
  readonly home = mkdtempSync(join(tmpdir(), 'px-e2e-'));
  readonly #env: Record<string, string>;
  readonly #command: string[];
  #daemon: Bun.Subprocess<'ignore', 'pipe', 'pipe'> | undefined;
  #stderr = '';
  url = '';
  /** The line `px serve` printed. */
  ready = '';

  constructor(options: { config?: object | string; env?: Record<string, string>; command?: string[] } = {}) {
    this.#env = { HOME: this.home, PATH: process.env['PATH'] ?? '', ...options.env };
    this.#command = options.command ?? [binary];
    if (options.config) this.writeConfig(options.config);
  }

  writeConfig(config: object | string): void {
    mkdirSync(this.home, { recursive: true });
    writeFileSync(join(this.home, 'px.yaml'), typeof config === 'string' ? config : YAML.stringify(config, null, 2));
  }

  /** Starts `px serve` and waits for its one line. */
  async serve(): Promise<this> {
    const daemon = Bun.spawn([...this.#command, '--home', this.home, 'serve', '--port', '0'], {
      env: this.#env,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    this.#daemon = daemon;
    void this.#collect(daemon.stderr);
    const decoder = new TextDecoder();
    const reader = daemon.stdout.getReader();
    let out = '';
    while (!out.includes('\n')) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`px serve ended before it was ready: ${out}${this.#stderr}`);
      out += decoder.decode(value);
    }
    reader.releaseLock();
    this.ready = out.split('\n')[0] ?? '';
    const url = /https?:\/\/[\d.:[\]a-z]+/.exec(this.ready)?.[0];
    if (!url) throw new Error(`no URL in: ${this.ready}`);
    this.url = url;
    return this;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#stderr += decoder.decode(chunk);
  }

  /** All the daemon has logged to stderr. */
  get log(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  get token(): string {
    const address: { token: string } = JSON.parse(readFileSync(join(this.home, 'state/gateway.json'), 'utf8'));
    return address.token;
  }

  /** Runs a verb of the executable in this home. */
  run(...args: string[]): Promise<Ran> {
    return this.pipe(undefined, ...args);
  }

  /** The same with something on stdin. */
  async pipe(input: string | undefined, ...args: string[]): Promise<Ran> {
    const process = Bun.spawn([...this.#command, '--home', this.home, ...args], {
      env: this.#env,
      stdin: input === undefined ? 'ignore' : new Blob([input]),
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(process.stdout).text(),
      new Response(process.stderr).text(),
      process.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** Calls the HTTP API with the token. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.token}`);
    if (init.body) headers.set('content-type', 'application/json');
    return fetch(this.url + path, { ...init, headers });
  }

  /** Ends the daemon as power loss would. */
  async kill9(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await this.#daemon?.exited;
    this.#daemon = undefined;
  }

  /** Asks the daemon to end; the exit code. */
  async stop(): Promise<number> {
    this.#daemon?.kill('SIGTERM');
    const code = await this.#daemon?.exited;
    this.#daemon = undefined;
    return code ?? 0;
  }

  /** Resolves with the daemon's exit code when it ends by itself, or by a signal of its own. */
  async ended(): Promise<number> {
    const code = await this.#daemon?.exited;
    this.#daemon = undefined;
    return code ?? 0;
  }

  /** Processes the daemon has started and that still run. */
  children(): string[] {
    return readdirSync(`/proc/${this.pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${this.pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
    );
  }

  /** Resolves when the plugins a new home gets are in. */
  async installed(ms = 60_000): Promise<void> {
    await until(
      'the plugins px carries',
      async () => {
        const { stdout } = await this.run('plugin', 'list', '--json');
        return ['clock', 'matrix', 'telegram', 'web-fetch'].every((name) => stdout.includes(`"${name}"`));
      },
      ms,
    );
  }

  /** Every Markdown file under memory/journal, joined. */
  journal(): string {
    const folder = join(this.home, 'memory/journal');
    if (!existsSync(folder)) return '';
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((f) => f.endsWith('.md'))
      .sort()
      .map((f) => readFileSync(join(folder, f), 'utf8'))
      .join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon) await this.kill9();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Waits until `probe` gives something, looking every 20 ms; fails after `ms` with what was waited for. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 30_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await Bun.sleep(20);
  }
}
