import {
  type Json,
  kvDelete,
  kvGetText,
  log,
  type Message,
  type Socket,
  type SocketAnswer,
  type SocketEvent,
} from 'px';
import { call, objectOf, patiently, Refusal, readsAll, token } from './api.ts';
import { type DiscordMessage, type Interaction, toMessage, toSaid } from './receive.ts';

/** What px asks Discord to tell: messages in guilds and in private; their text everywhere only where that is wanted. */
const intents = { guildMessages: 1 << 9, directMessages: 1 << 12, messageContent: 1 << 15 };

/** A session that can be taken up again. */
interface Session {
  id: string;
  /** Where it is taken up. */
  url: string;
  /** The bot's own id. */
  bot: string;
}
/** Channels in which somebody wrote, with their guild; empty for a private one. Oldest first. */
type Chats = [channel: string, guild: string][];

/** Chats that are looked into when messages were missed. */
const maxChats = 100;
/** Messages asked for at a time, and times a chat is asked. */
const page = 100;
const maxPages = 10;
/** Messages of different channels may come out of order by so much, in ms. */
const slack = 60_000n;

function kept<T>(key: string): T | undefined {
  const text = kvGetText(key);
  return text === undefined ? undefined : JSON.parse(text);
}
const session = () => kept<Session>('session');

/** The gateway to connect to: where the session is taken up, or where Discord says. */
export function socket(): Socket {
  const known = session();
  return {
    url: `${(known?.url ?? gatewayUrl()).replace(/\/+$/, '')}/?v=10&encoding=json`,
    cursor: '/s',
    wake: patterns(known?.bot),
  };
}

function gatewayUrl(): string {
  const said = objectOf(call('GET', '/gateway/bot'));
  const left = objectOf(said['session_start_limit']);
  if (left['remaining'] === 0)
    throw new Error(
      `retry-after:${Math.ceil(Number(left['reset_after']) / 1000)} Discord lets this bot begin no more sessions today`,
    );
  return String(said['url']);
}

/** What wakes the plugin: its own business with the gateway, buttons, and messages that are said to the bot. */
function patterns(bot: string | undefined): Json[] {
  const own: Json[] = [{ op: 1 }, { op: 7 }, { op: 9 }, { op: 10 }];
  const told = ['READY', 'RESUMED', 'INTERACTION_CREATE'].map((t): Json => ({ op: 0, t }));
  const toBot: { [key: string]: Json }[] =
    bot === undefined || readsAll()
      ? [{}]
      : [{ guild_id: null }, { mentions: [{ id: bot }] }, { referenced_message: { author: { id: bot } } }];
  const written = ['MESSAGE_CREATE', 'MESSAGE_UPDATE'].flatMap((t) =>
    [null, false].flatMap((isBot) => toBot.map((d): Json => ({ op: 0, t, d: { ...d, author: { bot: isBot } } }))),
  );
  return [...own, ...told, ...written];
}

/** A new session from now on; what was written meanwhile is asked for once it is there. */
function forget(): Pick<Required<SocketAnswer>, 'keep' | 'cursor'> {
  const newest = kvGetText('newest');
  return {
    keep: { session: null, ...(newest === undefined || kvGetText('behind') !== undefined ? {} : { behind: newest }) },
    cursor: null,
  };
}

/** Takes what came over the gateway. */
export async function take(event: SocketEvent): Promise<SocketAnswer> {
  if ('closed' in event) return closed(event.closed.code, event.closed.reason);
  const taken = new Taken();
  for (const text of event.messages) await taken.payload(JSON.parse(text) as Payload);
  return taken.answer();
}

interface Payload {
  op: number;
  t?: string | null;
  d?: Json;
}

/** Puts the answer to several payloads together. */
class Taken {
  readonly #answer: SocketAnswer = {};
  readonly #messages: Message[] = [];
  readonly #send: Json[] = [];
  readonly #keep: Record<string, string | null> = {};
  #session = session();
  #chats: Chats | undefined;
  #newest = kvGetText('newest') ?? '0';

  async payload({ op, t, d }: Payload): Promise<void> {
    switch (op) {
      case 10:
        this.#hello(Number(objectOf(d)['heartbeat_interval']));
        break;
      case 1:
        this.#send.push({ op: 1, d: '{{cursor}}' });
        break;
      case 7:
        this.#answer.reconnect = true;
        break;
      case 9:
        if (d !== true) this.#lose();
        this.#answer.reconnect = true;
        break;
      default:
        await this.#dispatch(t ?? '', d ?? null);
    }
  }

  answer(): SocketAnswer {
    return { ...this.#answer, messages: this.#messages, send: this.#send, keep: this.#keep };
  }

  #hello(everyMs: number): void {
    this.#answer.heartbeat = { everyMs, message: { op: 1, d: '{{cursor}}' }, answer: { op: 11 } };
    if (this.#session) {
      const { id } = this.#session;
      this.#send.push({ op: 6, d: { token: token(), session_id: id, seq: '{{cursor}}' } });
      return;
    }
    this.#lose();
    const asked = intents.guildMessages | intents.directMessages | (readsAll() ? intents.messageContent : 0);
    const properties = { os: 'linux', browser: 'px', device: 'px' };
    this.#send.push({ op: 2, d: { token: token(), intents: asked, properties } });
  }

  #lose(): void {
    const { keep, cursor } = forget();
    Object.assign(this.#keep, keep);
    this.#answer.cursor = cursor;
    this.#session = undefined;
  }

  async #dispatch(t: string, d: Json): Promise<void> {
    switch (t) {
      case 'READY': {
        const { session_id, resume_gateway_url, user } = objectOf(d);
        this.#session = { id: `${session_id}`, url: `${resume_gateway_url}`, bot: `${objectOf(user)['id']}` };
        this.#keep['session'] = JSON.stringify(this.#session);
        this.#answer.wake = patterns(this.#session.bot);
        this.#answer.ready = true;
        await this.#catchUp();
        break;
      }
      case 'RESUMED':
        this.#answer.ready = true;
        break;
      case 'MESSAGE_CREATE':
      case 'MESSAGE_UPDATE':
        this.#written(d as unknown as DiscordMessage, undefined);
        break;
      case 'INTERACTION_CREATE': {
        const said = toSaid(d as unknown as Interaction);
        if (said) this.#messages.push(said);
      }
    }
  }

  /** One message that is not as expected must not hold up all that come after it. */
  #written(m: DiscordMessage, guild: string | undefined): void {
    try {
      const message = toMessage(m, { bot: this.#session?.bot ?? '', guild, all: readsAll() });
      if (!message) return;
      this.#messages.push(message);
      this.#known(m.channel_id, m.guild_id ?? guild ?? '');
      if (BigInt(m.id) > BigInt(this.#newest)) this.#keep['newest'] = this.#newest = m.id;
    } catch (e) {
      log('warn', `a message of an unknown form was passed over: ${e instanceof Error ? e.message : ''}`);
    }
  }

  #known(channel: string, guild: string): void {
    this.#chats ??= kept<Chats>('chats') ?? [];
    if (this.#chats.some(([id]) => id === channel)) return;
    this.#chats = [...this.#chats, [channel, guild] satisfies Chats[number]].slice(-maxChats);
    this.#keep['chats'] = JSON.stringify(this.#chats);
  }

  /** What was written in known chats while no session was there. */
  async #catchUp(): Promise<void> {
    const behind = kvGetText('behind');
    if (behind === undefined) return;
    const since = BigInt(behind) - (slack << 22n);
    const missed: [DiscordMessage, string][] = [];
    for (const [channel, guild] of kept<Chats>('chats') ?? []) {
      let after = since < 0n ? 0n : since;
      for (let n = 0; n < maxPages; n++) {
        const found = await messagesAfter(channel, after);
        missed.push(...found.map((m): [DiscordMessage, string] => [m, guild]));
        if (found.length < page) break;
        for (const { id } of found) if (BigInt(id) > after) after = BigInt(id);
      }
    }
    missed.sort(([a], [b]) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
    for (const [m, guild] of missed) this.#written(m, guild);
    this.#keep['behind'] = null;
  }
}

/** Messages of a channel after one; none where the bot may no longer look. */
async function messagesAfter(channel: string, after: bigint): Promise<DiscordMessage[]> {
  try {
    const found = await patiently('GET', `/channels/${channel}/messages?after=${after}&limit=${page}`);
    return Array.isArray(found) ? (found as unknown as DiscordMessage[]) : [];
  } catch (e) {
    if (e instanceof Refusal && (e.status === 403 || e.status === 404)) return [];
    throw e;
  }
}

/** What a closed connection means. */
function closed(code: number, reason: string): SocketAnswer {
  switch (code) {
    case 4004:
      kvDelete('session');
      throw new Error('unauthorized: Discord does not accept this bot token; make a new one at discord.com/developers');
    case 4014:
      throw new Error(
        'Discord does not let this bot read every message: switch on "Message Content Intent" at discord.com/developers, or take message_content out of its settings',
      );
    case 4010:
    case 4011:
    case 4012:
    case 4013:
      throw new Error(`Discord closed the connection: ${code} ${reason}`);
    case 4003:
    case 4007:
    case 4009:
      return forget();
    default:
      return {};
  }
}
