import { Between } from './between.ts';
import type { Platform, Seen } from './platform.ts';
import type { Account, Synapse } from './synapse.ts';

type Json = { [key: string]: unknown };
/** An event, as far as tests read it. */
export interface MatrixEvent {
  type: string;
  event_id: string;
  sender: string;
  content: Json & { body?: string; formatted_body?: string; msgtype?: string; url?: string };
}

const no = (status: number, errcode: string, more: Json = {}) =>
  Response.json({ errcode, error: `spoiled by the test: ${errcode}`, ...more }, { status });

/** What somebody's app knows: it is told of each event as it comes, so that looking at it costs the server nothing. */
export class App implements AsyncDisposable {
  readonly #events = new Map<string, MatrixEvent[]>();
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #of: Account;

  constructor(person: Account) {
    this.#of = person;
    this.#ended = this.#follow();
  }

  /** Events of a room since the app was opened, oldest first. */
  events(room: string): MatrixEvent[] {
    return this.#events.get(room) ?? [];
  }

  async #follow(): Promise<void> {
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 500 } } }));
    let since = '';
    while (!this.#stop.signal.aborted) {
      const path = `client/v3/sync?filter=${filter}&timeout=${since === '' ? 0 : 20_000}${since && `&since=${since}`}`;
      const told = await this.#of.call('GET', path, undefined, this.#stop.signal).catch(() => undefined);
      if (!told) continue;
      since = String(told['next_batch']);
      const joined = (told['rooms'] as { join?: { [room: string]: { timeline: { events: MatrixEvent[] } } } })?.join;
      for (const [room, { timeline }] of Object.entries(joined ?? {}))
        this.#events.set(room, [...this.events(room), ...timeline.events]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

/** Puts an event into a room; its id. */
export async function put(person: Account, room: string, content: Json, type = 'm.room.message'): Promise<string> {
  const path = `client/v3/rooms/${encodeURIComponent(room)}/send/${type}/${crypto.randomUUID()}`;
  return String((await person.call('PUT', path, content))['event_id']);
}

/** What a bot has written in a room, as an app shows it: a message with its latest text. */
export async function shownBy(bot: string, person: Account, events: MatrixEvent[]): Promise<Seen[]> {
  const seen = new Map<string, Seen>();
  for (const { type, sender, event_id: id, content } of events) {
    const relation = (content['m.relates_to'] ?? {}) as { rel_type?: string; event_id?: string };
    if (type !== 'm.room.message' || sender !== bot) continue;
    const text = ((content['m.new_content'] ?? content) as { body?: string }).body ?? '';
    const first = relation.rel_type === 'm.replace' ? seen.get(relation.event_id ?? '') : undefined;
    if (first) Object.assign(first, { text, edits: first.edits + 1 });
    else seen.set(id, { id, text, edits: 0, ...(content.url ? { file: await fileOf(person, content) } : {}) });
  }
  return [...seen.values()];
}

async function fileOf(person: Account, content: MatrixEvent['content']): Promise<NonNullable<Seen['file']>> {
  const { filename, info = {} } = content as { filename?: string; info?: { mimetype?: string } };
  return { name: filename ?? '', mime: info.mimetype ?? '', bytes: await person.file(content.url ?? '') };
}

/** A room with px and a person in it, who is named `person`. */
export async function openMatrix(synapse: Synapse, bot: Account, person: Account): Promise<Platform> {
  const app = new App(person);
  const made = await person.call('POST', 'client/v3/createRoom', { preset: 'trusted_private_chat', invite: [bot.id] });
  const room = String(made['room_id']);
  let typed = 0;
  const between = new Between({
    upstream: synapse.url,
    purpose(_method, path) {
      if (path.endsWith('/sync')) return 'receive';
      if (path.includes('/typing/')) typed += 1;
      return path.includes('/send/m.room.message/') ? 'send' : 'other';
    },
    brings: (body) => body.includes('"m.room.message"') && body.includes(person.id),
  });
  return {
    channel: 'matrix',
    chat: room,
    person: person.id,
    maxText: 4096,
    env: { MATRIX_TOKEN: bot.token },
    config: (channel) => ({
      channels: { matrix: channel },
      plugins: {
        matrix: {
          settings: { homeserver: between.url },
          grants: {
            egress: [`GET,POST,PUT ${between.url}/_matrix/`],
            private_hosts: [between.host],
            secrets: { MATRIX_TOKEN: [`bearer ${between.url}/_matrix/`] },
          },
        },
      },
    }),
    say: (body) => put(person, room, { msgtype: 'm.text', body, 'm.mentions': {} }),
    seen: () => shownBy(bot.id, person, app.events(room)),
    between,
    refusals: {
      never: () => no(403, 'M_FORBIDDEN'),
      later: () => no(429, 'M_LIMIT_EXCEEDED', { retry_after_ms: 1000 }),
      token: () => no(401, 'M_UNKNOWN_TOKEN', { soft_logout: false }),
    },
    once: true,
    streams: true,
    history: true,
    reactions: (message) =>
      app
        .events(room)
        .map(({ type, content }) => [type, content['m.relates_to'] as { event_id: string; key: string }] as const)
        .filter(([type, relation]) => type === 'm.reaction' && relation.event_id === message)
        .map(([, { key }]) => key),
    typed: () => typed,
    files: {
      async send({ name, mime, bytes }, caption) {
        const url = await person.upload(name, mime, bytes);
        const info = { mimetype: mime, size: bytes.length };
        await put(person, room, { msgtype: 'm.image', body: caption, filename: name, url, info });
      },
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await between[Symbol.asyncDispose]();
    },
  };
}
