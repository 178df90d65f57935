import type { ServerWebSocket } from 'bun';

type Args = { [key: string]: unknown };
/** A dispatched event as a session keeps it until it is taken up again. */
interface Event {
  s: number;
  t: string;
  d: Args;
}
interface Session {
  id: string;
  intents: number;
  events: Event[];
  socket: ServerWebSocket<Connected> | undefined;
}
/** The code and the words a connection is closed with. */
type Refused = [code: number, reason: string];
/** What is known of a connection. */
export interface Connected {
  session: Session | undefined;
  payloads: number;
}

const intents = { guildMessages: 1 << 9, directMessages: 1 << 12, messageContent: 1 << 15, known: (1 << 26) - 1 };

/** Discord's gateway, as strict as its documentation: opcodes, close codes, sessions, what each intent shows. */
export class FakeGateway {
  readonly #token: string;
  readonly bot = { id: '4711', username: 'px', discriminator: '0', global_name: null, avatar: null, bot: true };
  readonly sessions = new Map<string, Session>();
  /** Opcodes clients sent, in order. */
  readonly ops: number[] = [];
  /** Codes that clients closed with, and this closed with. */
  readonly closes: number[] = [];
  heartbeats = 0;
  heartbeatMs = 41_250;
  /** Whether the bot was given the privileged intent. */
  contentAllowed = false;
  /** False: heartbeats are not answered. */
  answersHeartbeats = true;
  url = '';
  readonly #open = new Set<ServerWebSocket<Connected>>();

  constructor(token: string) {
    this.#token = token;
  }

  get connected(): number {
    return this.#open.size;
  }

  /** Whether a request for the gateway names a version and an encoding that there are. */
  static accepts(url: URL): boolean {
    return url.searchParams.get('v') === '10' && url.searchParams.get('encoding') === 'json';
  }

  readonly handlers = {
    open: (socket: ServerWebSocket<Connected>) => {
      this.#open.add(socket);
      say(socket, { op: 10, d: { heartbeat_interval: this.heartbeatMs, _trace: [] } });
    },
    message: (socket: ServerWebSocket<Connected>, text: string | Buffer) => {
      const refused = this.#take(socket, String(text));
      if (refused) socket.close(...refused);
    },
    close: (socket: ServerWebSocket<Connected>, code: number) => {
      this.#open.delete(socket);
      this.closes.push(code);
      const { session } = socket.data;
      if (session?.socket === socket) session.socket = undefined;
      // 1000 and 1001 end the session: it cannot be taken up again.
      if (session && (code === 1000 || code === 1001)) this.sessions.delete(session.id);
    },
  };

  #take(socket: ServerWebSocket<Connected>, text: string): Refused | undefined {
    socket.data.payloads += 1;
    if (socket.data.payloads > 120) return [4008, 'You are being rate limited.'];
    const payload = Buffer.byteLength(text) > 4_096 ? undefined : parsed(text);
    if (!payload) return [4002, 'Error while decoding payload.'];
    const { op, d } = payload;
    this.ops.push(Number(op));
    if (op === 1) return this.#heartbeat(socket, d);
    if (op === 2) return this.#identify(socket, asArgs(d));
    if (op === 6) return this.#resume(socket, asArgs(d));
    if (op !== 3) return [4001, 'Unknown opcode.'];
    return socket.data.session ? undefined : [4003, 'Not authenticated.'];
  }

  /** An event for whoever may see it. */
  dispatch(t: string, d: Args): void {
    for (const session of this.sessions.values()) {
      const shown = this.#shownTo(session, t, d);
      if (!shown) continue;
      const event = { s: (session.events.at(-1)?.s ?? 0) + 1, t, d: shown };
      session.events.push(event);
      if (session.socket) say(session.socket, { op: 0, ...event });
    }
  }

  /** Sends a payload to every connection. */
  send(payload: Args): void {
    for (const socket of this.#open) say(socket, payload);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#open) socket.terminate();
  }

  /** Closes every connection with a code. */
  closeAll(code: number, reason = ''): void {
    // A session that timed out is not taken up again.
    if (code === 4009) this.sessions.clear();
    for (const socket of this.#open) socket.close(code, reason);
  }

  #shownTo(session: Session, t: string, d: Args): Args | undefined {
    if (!t.startsWith('MESSAGE_')) return d;
    const guild = d['guild_id'] !== undefined;
    if ((session.intents & (guild ? intents.guildMessages : intents.directMessages)) === 0) return undefined;
    return this.visible(d, (session.intents & intents.messageContent) !== 0);
  }

  /** A message as a bot sees it: without the privileged intent the text of what is not said to it is empty. */
  visible(d: Args, all: boolean): Args {
    const { bot } = this;
    const mentioned = Array.isArray(d['mentions']) && d['mentions'].some((one) => asArgs(one)['id'] === bot.id);
    const own = asArgs(d['author'])['id'] === bot.id;
    if (all || d['guild_id'] === undefined || mentioned || own) return d;
    return { ...d, content: '', attachments: [], embeds: [], components: [] };
  }

  #heartbeat(socket: ServerWebSocket<Connected>, d: unknown): Refused | undefined {
    const newest = socket.data.session?.events.at(-1)?.s ?? Number.POSITIVE_INFINITY;
    if (d !== null && !(Number.isInteger(d) && Number(d) >= 0 && Number(d) <= newest))
      return [4002, 'Error while decoding payload.'];
    this.heartbeats += 1;
    if (this.answersHeartbeats) say(socket, { op: 11 });
    return undefined;
  }

  #identify(socket: ServerWebSocket<Connected>, d: Args): Refused | undefined {
    if (socket.data.session) return [4005, 'Already authenticated.'];
    if (d['token'] !== this.#token) return [4004, 'Authentication failed.'];
    const asked = d['intents'];
    if (!Number.isInteger(asked) || (Number(asked) & ~intents.known) !== 0) return [4013, 'Invalid intent(s).'];
    if ((Number(asked) & intents.messageContent) !== 0 && !this.contentAllowed) return [4014, 'Disallowed intent(s).'];
    const properties = asArgs(d['properties']);
    if (!['os', 'browser', 'device'].every((key) => typeof properties[key] === 'string'))
      return [4002, 'Error while decoding payload.'];
    const session: Session = { id: crypto.randomUUID(), intents: Number(asked), events: [], socket };
    this.sessions.set(session.id, session);
    socket.data.session = session;
    const ready = {
      v: 10,
      user: this.bot,
      guilds: [{ id: '9900', unavailable: true }],
      session_id: session.id,
      resume_gateway_url: this.url,
      application: { id: this.bot.id, flags: 0 },
    };
    const event = { s: 1, t: 'READY', d: ready };
    session.events.push(event);
    say(socket, { op: 0, ...event });
    return undefined;
  }

  #resume(socket: ServerWebSocket<Connected>, d: Args): Refused | undefined {
    if (socket.data.session) return [4005, 'Already authenticated.'];
    if (d['token'] !== this.#token) return [4004, 'Authentication failed.'];
    const session = this.sessions.get(String(d['session_id']));
    if (!session) {
      say(socket, { op: 9, d: false });
      return undefined;
    }
    const { seq } = d;
    if (!Number.isInteger(seq) || Number(seq) > (session.events.at(-1)?.s ?? 0)) return [4007, 'Invalid seq.'];
    session.socket?.terminate();
    session.socket = socket;
    socket.data.session = session;
    for (const event of session.events) if (event.s > Number(seq)) say(socket, { op: 0, ...event });
    const resumed = { s: (session.events.at(-1)?.s ?? 0) + 1, t: 'RESUMED', d: {} };
    session.events.push(resumed);
    say(socket, { op: 0, ...resumed });
    return undefined;
  }
}

const say = (socket: ServerWebSocket<Connected>, payload: Args) =>
  void socket.send(JSON.stringify({ op: 0, d: null, s: null, t: null, ...payload }));

function parsed(text: string): Args | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'op' in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** A value as an object; empty for what is none. */
export function asArgs(value: unknown): Args {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
