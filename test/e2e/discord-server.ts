import { invalid, no, wrongMessage } from './discord-form.ts';
import { asArgs, type Connected, FakeGateway } from './discord-gateway.ts';

type Args = { [key: string]: unknown };
/** A message as Discord has it. */
export interface Shown extends Args {
  id: string;
  channel_id: string;
  content: string;
  author: Args;
  nonce?: string;
}
type Failure = { status: number; body: Args };

/** Discord's epoch: what a snowflake counts from. */
const epoch = 1_420_070_400_000n;
const ada = { id: '70', username: 'ada', discriminator: '0', global_name: 'Ada', avatar: null };

/** Discord as a bot sees it, gateway and REST, as strict as its documentation. */
export class FakeDiscord implements AsyncDisposable {
  readonly token = 'MTIzNDU2.discord.test-token_x';
  readonly gateway = new FakeGateway(this.token);
  /** Everything that was written, oldest first. */
  readonly messages: Shown[] = [];
  readonly files = new Map<string, Uint8Array>();
  readonly calls: { method: string; path: string; args: Args }[] = [];
  readonly reactions: { message: string; emoji: string }[] = [];
  readonly callbacks: { id: string; type: number; data: Args }[] = [];
  commands: Args[] = [];
  /** The next calls of a method and path that begins so fail like this; a function runs first. */
  readonly failures: { call: string; failure: Failure | (() => void) }[] = [];
  /** Channels, with their guild; empty for a private one. */
  readonly channels = new Map([
    ['7700', ''],
    ['7701', ''],
    ['8800', '9900'],
    ['8801', '9900'],
  ]);
  /** Whether the token was sent to where it has no business. */
  leaked = false;
  sessionsLeft = 1_000;
  revoked = false;
  #next = 0n;
  readonly #pressed = new Map<string, string>();
  readonly #server: Bun.Server<Connected>;

  constructor() {
    this.#server = Bun.serve<Connected>({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request, server) => this.#answer(request, server),
      websocket: this.gateway.handlers,
    });
    this.gateway.url = `ws://${this.host}`;
  }

  get host(): string {
    return `127.0.0.1:${this.#server.port}`;
  }
  get api(): string {
    return `http://${this.host}/api/v10`;
  }

  /** px.yaml of a channel that talks to it. */
  config(channel: object = {}, settings: object = {}): { channels: object; plugins: object } {
    const { host } = this;
    return {
      channels: { discord: channel },
      plugins: {
        discord: {
          settings: { api: this.api, ...settings },
          grants: {
            egress: [
              `GET,POST,PUT,PATCH,DELETE http://${host}/api/`,
              `GET http://${host}/attachments/`,
              `GET ws://${host}/`,
            ],
            private_hosts: [host],
            secrets: { DISCORD_TOKEN: [`header:authorization http://${host}/api/`, `body:d.token ws://${host}/`] },
          },
        },
      },
    };
  }

  snowflake(): string {
    return `${((BigInt(Date.now()) - epoch) << 22n) + (this.#next++ % 4_096n)}`;
  }

  /** Somebody writes. */
  say(content: string, more: Args = {}): Shown {
    const channel = String(more['channel_id'] ?? '7700');
    const guild = this.channels.get(channel);
    const message: Shown = {
      ...{
        id: this.snowflake(),
        type: 0,
        channel_id: channel,
        content,
        author: ada,
        timestamp: new Date().toISOString(),
      },
      ...{
        edited_timestamp: null,
        mentions: [],
        attachments: [],
        embeds: [],
        tts: false,
        pinned: false,
        mention_everyone: false,
      },
      ...{ mention_roles: [], flags: 0, components: [] },
      ...more,
    };
    if (content.includes(`<@${this.gateway.bot.id}>`)) message['mentions'] = [this.gateway.bot];
    this.messages.push(message);
    this.#told('MESSAGE_CREATE', message, guild);
    return message;
  }

  /** Somebody changes what they wrote. */
  edit(message: Shown, content: string): void {
    Object.assign(message, { content, edited_timestamp: new Date().toISOString() });
    this.#told('MESSAGE_UPDATE', message, this.channels.get(message.channel_id));
  }

  #told(t: string, message: Shown, guild: string | undefined): void {
    this.gateway.dispatch(t, guild ? { ...message, guild_id: guild, member: { nick: null, roles: [] } } : message);
  }

  /** Presses a button of the latest message that has one. */
  press(label: string, user: Args = ada): void {
    const message = this.messages.findLast((m) => buttonsOf(m).some((b) => b['label'] === label));
    const button = message && buttonsOf(message).find((b) => b['label'] === label);
    if (!message || !button) throw new Error(`no button ${label}`);
    this.#interact({
      type: 3,
      channel_id: message.channel_id,
      user,
      message,
      data: { component_type: 2, custom_id: button['custom_id'] },
    });
  }

  /** Chooses a command. */
  choose(name: string, text?: string): void {
    if (!this.commands.some((one) => one['name'] === name)) throw new Error(`no command ${name}`);
    const options = text === undefined ? [] : [{ type: 3, name: 'text', value: text }];
    this.#interact({ type: 2, channel_id: '7700', user: ada, data: { id: '1', name, type: 1, options } });
  }

  #interact(interaction: Args): void {
    const id = this.snowflake();
    const token = crypto.randomUUID();
    this.#pressed.set(id, token);
    this.gateway.dispatch('INTERACTION_CREATE', {
      id,
      token,
      application_id: this.gateway.bot.id,
      version: 1,
      ...interaction,
    });
  }

  /** What the bot wrote in a channel, oldest first. */
  texts(channel = '7700'): string[] {
    return this.written(channel).map((m) => m.content);
  }
  written(channel = '7700'): Shown[] {
    return this.messages.filter((m) => m.channel_id === channel && m.author['id'] === this.gateway.bot.id);
  }

  /** The next such call fails. */
  fail(call: string, status: number, body: Args): void {
    this.failures.push({ call, failure: { status, body } });
  }

  async #answer(request: Request, server: Bun.Server<Connected>): Promise<Response | undefined> {
    const url = new URL(request.url);
    if (request.headers.get('upgrade') === 'websocket') {
      if (request.headers.has('authorization')) this.leaked = true;
      if (!FakeGateway.accepts(url)) return new Response('Bad Request', { status: 400 });
      return server.upgrade(request, { data: { session: undefined, payloads: 0 } })
        ? undefined
        : new Response('', { status: 400 });
    }
    if (url.pathname.startsWith('/attachments/')) {
      if (request.headers.has('authorization')) this.leaked = true;
      const bytes = this.files.get(url.pathname);
      return bytes ? new Response(Buffer.from(bytes)) : new Response('', { status: 404 });
    }
    const path = url.pathname.replace(/^\/api\/v10/, '');
    const { method } = request;
    if (!/\(\S+.*\)/.test(request.headers.get('user-agent') ?? '')) return no(403, 'Forbidden', 0);
    const [args, upload] = await argsOf(request);
    this.calls.push({ method, path, args });
    if (
      !path.startsWith('/interactions/') &&
      (this.revoked || request.headers.get('authorization') !== `Bot ${this.token}`)
    )
      return no(401, '401: Unauthorized', 0);
    const at = this.failures.findIndex(({ call }) => `${method} ${path}`.startsWith(call));
    const [planned] = at < 0 ? [] : this.failures.splice(at, 1);
    if (planned && typeof planned.failure !== 'function')
      return Response.json(planned.failure.body, { status: planned.failure.status });
    if (planned && typeof planned.failure === 'function') {
      const answer = this.#do(method, path, args, url.searchParams, upload);
      planned.failure();
      return answer;
    }
    return this.#do(method, path, args, url.searchParams, upload);
  }

  #do(method: string, path: string, args: Args, query: URLSearchParams, upload: File | undefined): Response {
    const [, root, first = '', rest = '', ...more] = path.split('/');
    if (root === 'gateway' && method === 'GET')
      return Response.json({
        url: this.gateway.url,
        shards: 1,
        session_start_limit: {
          total: 1_000,
          remaining: this.sessionsLeft,
          reset_after: 14_400_000,
          max_concurrency: 1,
        },
      });
    if (root === 'applications' && method === 'GET' && first === '@me')
      return Response.json({ id: this.gateway.bot.id });
    if (root === 'applications' && method === 'PUT') return this.#setCommands(args['list']);
    if (root === 'interactions' && method === 'POST') return this.#callback(first, rest, args);
    if (root === 'users' && method === 'GET') return Response.json(this.gateway.bot);
    const guild = root === 'channels' ? this.channels.get(first) : undefined;
    if (guild === undefined) return no(404, 'Unknown Channel', 10_003);
    if (rest === 'typing' && method === 'POST') return new Response(null, { status: 204 });
    if (rest === '' && method === 'GET')
      return Response.json({ id: first, type: guild === '' ? 1 : 0, recipients: [ada] });
    if (rest !== 'messages') return no(404, '404: Not Found', 0);
    const [id = '', sub = '', emoji = ''] = more;
    if (id === '') return method === 'GET' ? this.#list(first, query) : this.#create(first, guild, args, upload);
    const message = this.messages.find((m) => m.id === id && m.channel_id === first);
    if (!message) return no(404, 'Unknown Message', 10_008);
    if (sub === 'reactions') return this.#react(method, message, decodeURIComponent(emoji));
    if (method === 'GET') return Response.json(this.#withReactions(message));
    if (message.author['id'] !== this.gateway.bot.id)
      return no(403, 'Cannot edit a message authored by another user', 50_005);
    const wrong = wrongMessage(args, upload !== undefined);
    if (wrong) return wrong;
    Object.assign(message, args, { edited_timestamp: new Date().toISOString() });
    this.#told('MESSAGE_UPDATE', message, guild);
    return Response.json(message);
  }

  #create(channel: string, guild: string, args: Args, upload: File | undefined): Response {
    const wrong = wrongMessage(args, upload !== undefined);
    if (wrong) return wrong;
    const { nonce, enforce_nonce, message_reference: reference } = args;
    if (enforce_nonce === true) {
      const before = this.messages.find(
        (m) => m.channel_id === channel && m.nonce === nonce && m.author['id'] === this.gateway.bot.id,
      );
      if (before) return Response.json(before);
    }
    const to = asArgs(reference)['message_id'];
    const replied = this.messages.find((m) => m.id === to);
    if (reference !== undefined && !replied && asArgs(reference)['fail_if_not_exists'] !== false)
      return invalid('message_reference', 'MESSAGE_REFERENCE_UNKNOWN_MESSAGE', 'Unknown message');
    const message: Shown = {
      ...{ id: this.snowflake(), type: replied ? 19 : 0, channel_id: channel, content: '', author: this.gateway.bot },
      ...{
        timestamp: new Date().toISOString(),
        edited_timestamp: null,
        mentions: [],
        attachments: [],
        embeds: [],
        tts: false,
      },
      ...{ mention_everyone: false, mention_roles: [], pinned: false, flags: 0, components: [] },
      ...args,
      ...(replied ? { referenced_message: replied } : {}),
    };
    if (upload) {
      const place = `/attachments/${channel}/${message.id}/${upload.name}`;
      this.files.set(place, uploaded.get(upload) ?? new Uint8Array());
      message['attachments'] = [
        {
          id: message.id,
          filename: upload.name,
          content_type: upload.type,
          size: upload.size,
          url: `http://${this.host}${place}`,
        },
      ];
    }
    this.messages.push(message);
    this.#told('MESSAGE_CREATE', message, guild);
    return Response.json(message);
  }

  #list(channel: string, query: URLSearchParams): Response {
    const limit = Number(query.get('limit') ?? 50);
    if (!(limit >= 1 && limit <= 100))
      return invalid('limit', 'NUMBER_TYPE_MAX', 'int value should be less than or equal to 100.');
    const after = query.get('after');
    const here = this.messages.filter((m) => m.channel_id === channel);
    // What is asked for after a message is the next ones; the newest of those stands first, as always.
    const found =
      after === null ? here.slice(-limit) : here.filter((m) => BigInt(m.id) > BigInt(after)).slice(0, limit);
    return Response.json(
      found
        .reverse()
        .map((m) =>
          this.gateway.visible(
            { ...m, nonce: undefined },
            this.gateway.contentAllowed || this.channels.get(channel) === '',
          ),
        ),
    );
  }

  #react(method: string, message: Shown, emoji: string): Response {
    if (!/^\p{Extended_Pictographic}|^\w+:\d+$/u.test(emoji)) return no(400, 'Unknown Emoji', 10_014);
    const at = this.reactions.findIndex((r) => r.message === message.id && r.emoji === emoji);
    if (method === 'PUT' && at < 0) this.reactions.push({ message: message.id, emoji });
    if (method === 'DELETE' && at >= 0) this.reactions.splice(at, 1);
    return new Response(null, { status: 204 });
  }
  #withReactions(message: Shown): Args {
    const mine = this.reactions.filter((r) => r.message === message.id);
    return { ...message, reactions: mine.map((r) => ({ count: 1, me: true, emoji: { id: null, name: r.emoji } })) };
  }

  #callback(id: string, token: string, args: Args): Response {
    if (this.#pressed.get(id) !== token) return no(404, 'Unknown interaction', 10_062);
    if (this.callbacks.some((one) => one.id === id))
      return no(400, 'Interaction has already been acknowledged.', 40_060);
    if (![4, 5, 6, 7].includes(Number(args['type'])))
      return invalid('type', 'BASE_TYPE_CHOICES', 'Value must be one of {4, 5, 6, 7}.');
    this.callbacks.push({ id, type: Number(args['type']), data: asArgs(args['data']) });
    return new Response(null, { status: 204 });
  }

  #setCommands(list: unknown): Response {
    const commands = Array.isArray(list) ? list.map(asArgs) : [];
    if (commands.length > 100) return invalid('commands', 'BASE_TYPE_MAX_LENGTH', 'Must be 100 or fewer in length.');
    for (const { name, description } of commands)
      if (!/^[-_\p{L}\p{N}]{1,32}$/u.test(String(name)) || !/^.{1,100}$/su.test(String(description)))
        return invalid('commands', 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid');
    this.commands = commands;
    return Response.json(commands);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

/** Bytes of uploads, read before the call is done. */
const uploaded = new WeakMap<File, Uint8Array>();

async function argsOf(request: Request): Promise<[Args, File | undefined]> {
  const type = request.headers.get('content-type') ?? '';
  if (type.startsWith('multipart/')) {
    const form = await request.formData();
    const values: unknown[] = [...form.values()];
    const file = values.find((one): one is File => one instanceof File && one.name !== '');
    if (file) uploaded.set(file, new Uint8Array(await file.arrayBuffer()));
    return [asArgs(JSON.parse(await textOf(form.get('payload_json')))), file];
  }
  const text = await request.text();
  if (text === '') return [{}, undefined];
  if (!type.startsWith('application/json')) throw new Error(`a body of type ${type}`);
  const value: unknown = JSON.parse(text);
  return [Array.isArray(value) ? { list: value } : asArgs(value), undefined];
}

const textOf = async (value: unknown) =>
  value instanceof Blob ? value.text() : typeof value === 'string' ? value : '{}';

/** Buttons under a message. */
export function buttonsOf(message: Shown): Args[] {
  const rows = Array.isArray(message['components']) ? message['components'].map(asArgs) : [];
  return rows.flatMap((row) => (Array.isArray(row['components']) ? row['components'].map(asArgs) : []));
}
