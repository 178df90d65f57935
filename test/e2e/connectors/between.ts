/** What a request is for: it may bring messages, it sends a text, or something else. */
export type Purpose = 'receive' | 'send' | 'other';

/** How a platform's HTTP looks. */
export interface BetweenOptions {
  /** Where the platform is. */
  upstream: string;
  purpose(method: string, path: string): Purpose;
  /** Whether the answer to a request of purpose `receive` has messages for px in it. */
  brings(body: string): boolean;
}

/** Stands between px and a platform: passes all on, and shows or spoils what a test names. */
export class Between implements AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** What the next requests of a purpose are answered instead, oldest first. */
  readonly instead: { purpose: Purpose; answer(): Response }[] = [];
  /**
   * Called when the platform has done what was asked and px knows nothing of it yet; px gets the answer when it resolves. With what was
   * brought or sent: a test may have seen an earlier message on the platform before its request has come through here.
   */
  after: (purpose: Purpose, body: string) => void | Promise<void> = () => {};
  readonly #options: BetweenOptions;
  readonly #server: ReturnType<typeof Bun.serve>;
  /** The latest answer that brought messages, and who waits for it to be brought again. */
  #brought: { body: string; headers: Headers } | undefined;
  #again = Promise.withResolvers<void>();
  #done = Promise.withResolvers<void>();

  constructor(options: BetweenOptions) {
    this.#options = options;
    this.#server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      fetch: (request) => this.#pass(request),
    });
    this.host = `127.0.0.1:${this.#server.port}`;
    this.url = `http://${this.host}`;
  }

  /** Brings what was brought last once more, as a platform does that has not heard that it arrived. */
  async again(): Promise<void> {
    this.#done = Promise.withResolvers();
    this.#again.resolve();
    await this.#done.promise;
  }

  async #pass(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const purpose = this.#options.purpose(request.method, pathname);
    const at = this.instead.findIndex((one) => one.purpose === purpose);
    if (at >= 0) {
      const [one] = this.instead.splice(at, 1);
      if (one) return one.answer();
    }
    const again = purpose === 'receive' ? this.#again.promise.then(() => this.#repeated()) : undefined;
    return Promise.race([this.#asked(request, purpose, pathname + search), ...(again ? [again] : [])]);
  }

  #repeated(): Response {
    this.#again = Promise.withResolvers();
    this.#done.resolve();
    const { body = '', headers = new Headers() } = this.#brought ?? {};
    return new Response(body, { headers });
  }

  async #asked(request: Request, purpose: Purpose, path: string): Promise<Response> {
    const headers = new Headers(request.headers);
    headers.delete('host');
    headers.set('accept-encoding', 'identity');
    const body: { body?: ArrayBuffer } = request.body === null ? {} : { body: await request.arrayBuffer() };
    try {
      const { method, signal } = request;
      const answer = await fetch(this.#options.upstream + path, { method, headers, ...body, signal });
      const bytes = await answer.arrayBuffer();
      const kept = new Headers();
      for (const name of ['content-type', 'retry-after']) {
        const value = answer.headers.get(name);
        if (value !== null) kept.set(name, value);
      }
      if (purpose === 'receive' && answer.ok) {
        const text = new TextDecoder().decode(bytes);
        if (this.#options.brings(text)) {
          this.#brought = { body: text, headers: kept };
          await this.after(purpose, text);
        }
      }
      if (purpose === 'send' && answer.ok) await this.after(purpose, new TextDecoder().decode(body.body));
      return new Response(bytes, { status: answer.status, headers: kept });
    } catch {
      // px has gone, or the platform ends.
      return new Response(null, { status: 502 });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}
