/** As much of a Matrix homeserver as it takes to set px up on it: one account, one room, one person. The connector itself is tested on a Synapse. */
export class FakeHomeserver implements AsyncDisposable {
  readonly token = 'syt_cHg_matrix-test-token';
  /** What px wrote, oldest first; a corrected message as it is now. */
  readonly #shown = new Map<string, string>();
  readonly #events: object[] = [];
  #heard = Promise.withResolvers<void>();
  readonly #server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 120,
    fetch: (request) => this.#answer(request),
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  texts(): string[] {
    return [...this.#shown.values()];
  }

  /** Ada writes in the room. */
  say(body: string): void {
    const event_id = `$said${this.#events.length}`;
    const content = { msgtype: 'm.text', body, 'm.mentions': {} };
    this.#events.push({
      type: 'm.room.message',
      event_id,
      sender: '@ada:home.test',
      origin_server_ts: Date.now(),
      content,
    });
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const path = pathname.replace('/_matrix/client/', '');
    if (request.headers.get('authorization') !== `Bearer ${this.token}`)
      return Response.json({ errcode: 'M_UNKNOWN_TOKEN', error: 'Invalid access token passed.' }, { status: 401 });
    if (path === 'v3/account/whoami') return Response.json({ user_id: '@px:home.test' });
    if (path === 'versions') return Response.json({ versions: ['v1.11'] });
    if (path.endsWith('/displayname')) return Response.json({ displayname: 'px' });
    if (path.endsWith('/joined_members'))
      return Response.json({ joined: { '@px:home.test': {}, '@ada:home.test': {} } });
    if (path === 'v3/sync') return this.#sync(searchParams);
    const [, kind = '', transaction = ''] =
      /^v3\/rooms\/[^/]+\/(send\/m\.room\.message|typing)\/(.+)$/.exec(path) ?? [];
    if (kind === 'typing') return Response.json({});
    if (kind === '') return Response.json({ errcode: 'M_UNRECOGNIZED', error: path }, { status: 404 });
    const sent = JSON.parse(await request.text());
    const replaced = sent['m.relates_to']?.rel_type === 'm.replace' ? sent['m.relates_to'].event_id : undefined;
    this.#shown.set(replaced ?? `$${transaction}`, (sent['m.new_content'] ?? sent).body);
    return Response.json({ event_id: `$${transaction}` });
  }

  async #sync(query: URLSearchParams): Promise<Response> {
    const since = Number(query.get('since') ?? 0);
    if (since === this.#events.length)
      await Promise.race([this.#heard.promise, Bun.sleep(Number(query.get('timeout') ?? 0))]);
    const timeline = { events: this.#events.slice(since), limited: false };
    const join = { '!room:home.test': { timeline, summary: { 'm.joined_member_count': 2 } } };
    return Response.json({ next_batch: `${this.#events.length}`, rooms: { join } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}
