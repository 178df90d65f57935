import { parseHtml } from './telegram-html.ts';

/** A message of the fake as a person sees it. */
export interface BotMessage {
  id: number;
  chat: number;
  topic: number | undefined;
  /** What is shown, without formatting. */
  text: string;
  /** Kinds of formatting in it. */
  entities: string[];
  /** `photo`, `voice`, `document`, …: what was uploaded. */
  file?: { kind: string; name: string; mime: string; bytes: Uint8Array };
  buttons: { text: string; data: string }[];
  replyTo: number | undefined;
  edits: number;
  at: number;
}

type Args = { [key: string]: unknown };

/** Telegram's Bot API for one bot, as far as px uses it, as strict as the real one about formatting, lengths and who is who. */
export class BotApi implements AsyncDisposable {
  readonly token = '4711:FAKE';
  readonly username = 'px_test_bot';
  /** Every call but getUpdates, in order. */
  readonly calls: { method: string; args: Args; at: number }[] = [];
  readonly messages: BotMessage[] = [];
  readonly drafts: { chat: number; id: number; text: string; at: number }[] = [];
  commands: { command: string; description: string }[] = [];
  webhook: { url: string; secret: string } | undefined;
  /** Answers the next calls of a method: `ok: false` replies, or a number of ms to hang. */
  readonly failures = new Map<string, { status: number; description: string; parameters?: object }[]>();
  readonly files = new Map<string, Uint8Array>();
  /** The numbers of groups that have become supergroups. */
  readonly moved = new Map<number, number>();
  revoked = false;
  knowsDrafts = true;
  #updates: { update_id: number }[] = [];
  #next = 1;
  #message = 100;
  #wake = Promise.withResolvers<void>();
  readonly #server: ReturnType<typeof Bun.serve>;

  constructor() {
    this.#server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 60,
      fetch: (request) => this.#answer(request),
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** px.yaml of a channel that talks to it; everybody is answered. */
  config(channel: object = {}): { channels: object; plugins: object } {
    const host = `127.0.0.1:${this.#server.port}`;
    return {
      channels: { telegram: { access: 'open', ...channel } },
      plugins: {
        telegram: {
          settings: { token: 'secret:TELEGRAM_TOKEN', api: this.url },
          grants: {
            egress: [`GET,POST ${this.url}/`],
            private_hosts: [host],
            secrets: { TELEGRAM_TOKEN: [`${this.url}/`] },
          },
        },
      },
    };
  }

  /** Somebody writes. Returns the message's number. */
  say(text: string, more: Args = {}): number {
    const message = this.message({ text, ...more });
    this.push({ message });
    return Number(message['message_id']);
  }

  /** A message as Telegram makes it, with whatever else it is to have. */
  message(more: Args = {}): Args {
    const { entities, text } = more;
    const found = typeof text === 'string' ? entitiesIn(text) : [];
    return {
      message_id: ++this.#message,
      date: Math.floor(Date.now() / 1000),
      from: { id: 7, is_bot: false, first_name: 'Ada', username: 'ada' },
      chat: { id: 7, type: 'private' },
      ...(entities === undefined && found.length > 0 ? { entities: found } : {}),
      ...more,
    };
  }

  /** An update: to the webhook when there is one, else to whoever asks. */
  push(update: object): Promise<number> {
    const whole = { update_id: this.#next++, ...update };
    if (this.webhook) return this.#deliver(whole);
    this.#updates.push(whole);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
    return Promise.resolve(0);
  }

  /** Presses a button of the latest message that has one. */
  press(label: string, from: object = { id: 7, is_bot: false, first_name: 'Ada' }): void {
    const message = this.messages.findLast((m) => m.buttons.some((b) => b.text === label));
    const button = message?.buttons.find((b) => b.text === label);
    if (!message || !button) throw new Error(`no button ${label}`);
    const chat = { id: message.chat, type: message.chat < 0 ? 'supergroup' : 'private' };
    const data = { id: `${this.#next}`, from, data: button.data, message: { message_id: message.id, date: 1, chat } };
    this.push({ callback_query: data });
  }

  /** Texts shown in a chat, oldest first. */
  texts(chat = 7): string[] {
    return this.messages.filter((m) => m.chat === chat).map((m) => m.text);
  }

  /** Calls of a method. */
  called(method: string): Args[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.args);
  }

  /** The next calls of a method fail like this. */
  fail(method: string, status: number, description: string, parameters?: object): void {
    const list = this.failures.get(method) ?? [];
    list.push({ status, description, ...(parameters ? { parameters } : {}) });
    this.failures.set(method, list);
  }

  async #deliver(update: object): Promise<number> {
    const { url = '', secret = '' } = this.webhook ?? {};
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret },
      body: JSON.stringify(update),
    });
    await response.arrayBuffer();
    return response.status;
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const [, bot = '', method = ''] = /^\/(?:file\/)?bot([^/]+)\/(.*)$/.exec(url.pathname) ?? [];
    if (bot !== this.token || this.revoked) return no(401, 'Unauthorized');
    if (url.pathname.startsWith('/file/')) {
      const bytes = this.files.get(method);
      return bytes ? new Response(Buffer.from(bytes)) : no(404, 'Not Found');
    }
    if (method === 'getUpdates') return this.#getUpdates(url.searchParams, request.signal);
    const args = await argsOf(request);
    this.calls.push({ method, args, at: Date.now() });
    const failure = this.failures.get(method)?.shift();
    if (failure) return no(failure.status, failure.description, failure.parameters);
    try {
      return ok(this.#do(method, args));
    } catch (e) {
      if (e instanceof Refused) return no(e.status, e.message, e.parameters);
      throw e;
    }
  }

  async #getUpdates(query: URLSearchParams, signal: AbortSignal): Promise<Response> {
    if (this.webhook) return no(409, "Conflict: can't use getUpdates method while webhook is active");
    const offset = Number(query.get('offset') ?? 0);
    this.#updates = this.#updates.filter((u) => u.update_id >= offset);
    const until = Date.now() + Math.min(Number(query.get('timeout') ?? 0) * 1000, 20_000);
    while (this.#updates.length === 0 && Date.now() < until && !signal.aborted && !this.revoked) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(500, until - Date.now()));
      await Promise.race([promise, this.#wake.promise]);
      clearTimeout(timer);
    }
    if (this.revoked) return no(401, 'Unauthorized');
    return ok(this.#updates.slice(0, 100));
  }

  #do(method: string, args: Args): unknown {
    switch (method) {
      case 'getMe':
        return { id: 4711, is_bot: true, first_name: 'px', username: this.username };
      case 'sendMessage':
        return this.#send(args);
      case 'sendPhoto':
      case 'sendVoice':
      case 'sendAudio':
      case 'sendVideo':
      case 'sendAnimation':
      case 'sendDocument':
        return this.#send(args, method.slice(4).toLowerCase());
      case 'sendMessageDraft': {
        if (!this.knowsDrafts) throw new Refused(404, 'Not Found');
        if (Number(args['chat_id']) < 0) throw new Refused(400, 'Bad Request: PEER_ID_INVALID');
        const { text } = worded(args, 'text', 4096);
        this.drafts.push({ chat: Number(args['chat_id']), id: Number(args['draft_id']), text, at: Date.now() });
        return true;
      }
      case 'editMessageText': {
        const message = this.#find(args);
        const { text, entities } = worded(args, 'text', 4096);
        if (text === message.text) throw new Refused(400, 'Bad Request: message is not modified');
        Object.assign(message, { text, entities, edits: message.edits + 1, buttons: buttonsOf(args) });
        return { message_id: message.id };
      }
      case 'editMessageReplyMarkup':
        this.#find(args).buttons = buttonsOf(args);
        return true;
      case 'setMessageReaction':
      case 'sendChatAction':
      case 'answerCallbackQuery':
        return true;
      case 'setMyCommands':
        this.commands = args['commands'] as BotApi['commands'];
        return true;
      case 'setWebhook':
        this.webhook = { url: String(args['url']), secret: String(args['secret_token']) };
        return true;
      case 'deleteWebhook':
        this.webhook = undefined;
        return true;
      case 'getFile': {
        const id = String(args['file_id']);
        if (!this.files.has(id)) throw new Refused(400, 'Bad Request: wrong file_id');
        return { file_id: id, file_path: id };
      }
      default:
        throw new Refused(404, 'Not Found');
    }
  }

  #find(args: Args): BotMessage {
    const message = this.messages.find(
      (m) => m.id === Number(args['message_id']) && m.chat === Number(args['chat_id']),
    );
    if (!message) throw new Refused(400, 'Bad Request: message to edit not found');
    return message;
  }

  #send(args: Args, kind?: string): unknown {
    const chat = Number(args['chat_id']);
    const now = this.moved.get(chat);
    if (now !== undefined)
      throw new Refused(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: now });
    const { text, entities } = kind ? worded(args, 'caption', 1024, false) : worded(args, 'text', 4096);
    const upload = kind === undefined ? undefined : args[kind];
    if (kind !== undefined && !(upload instanceof File))
      throw new Refused(400, `Bad Request: there is no ${kind} in the request`);
    const reply = parsed(args['reply_parameters']) as { message_id?: number } | undefined;
    const message: BotMessage = {
      id: ++this.#message,
      chat,
      topic: args['message_thread_id'] === undefined ? undefined : Number(args['message_thread_id']),
      ...{ text, entities, buttons: buttonsOf(args), replyTo: reply?.message_id, edits: 0, at: Date.now() },
      ...(upload instanceof File
        ? {
            file: {
              kind: kind ?? '',
              name: upload.name,
              mime: upload.type,
              bytes: uploaded.get(upload) ?? new Uint8Array(),
            },
          }
        : {}),
    };
    this.messages.push(message);
    return { message_id: message.id, date: 1, chat: { id: chat } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

class Refused extends Error {
  readonly status: number;
  readonly parameters: object | undefined;
  constructor(status: number, message: string, parameters?: object) {
    super(message);
    this.status = status;
    this.parameters = parameters;
  }
}

const ok = (result: unknown) => Response.json({ ok: true, result });
const no = (status: number, description: string, parameters?: object) =>
  Response.json({ ok: false, error_code: status, description, ...(parameters ? { parameters } : {}) }, { status });

/** Bytes of uploads, read before the call is done. */
const uploaded = new WeakMap<File, Uint8Array>();

async function argsOf(request: Request): Promise<Args> {
  if (!(request.headers.get('content-type') ?? '').startsWith('multipart/'))
    return request.method === 'POST' ? ((await request.json()) as Args) : {};
  const args: Args = {};
  for (const [name, value] of (await request.formData()).entries()) {
    args[name] = value;
    if (value instanceof File) uploaded.set(value, new Uint8Array(await value.arrayBuffer()));
  }
  return args;
}

const parsed = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value);

function buttonsOf(args: Args): BotMessage['buttons'] {
  const markup = parsed(args['reply_markup']) as
    | { inline_keyboard?: { text: string; callback_data: string }[][] }
    | undefined;
  return (markup?.inline_keyboard ?? []).flat().map(({ text, callback_data: data }) => {
    if (Buffer.byteLength(data) > 64 || data === '') throw new Refused(400, 'Bad Request: BUTTON_DATA_INVALID');
    return { text, data };
  });
}

/** The text of a call as it is shown. Telegram counts it in UTF-16 units once the formatting is out. */
function worded(args: Args, field: string, most: number, needed = true): { text: string; entities: string[] } {
  const given = String(args[field] ?? '');
  const read = args['parse_mode'] === 'HTML' ? parseHtml(given) : { text: given, entities: [], error: undefined };
  if (read.error !== undefined) throw new Refused(400, `Bad Request: can't parse entities: ${read.error}`);
  const text = read.text.trim();
  if (needed && text === '') throw new Refused(400, 'Bad Request: message text is empty');
  if (text.length > most)
    throw new Refused(400, `Bad Request: ${field === 'text' ? 'message' : 'caption'} is too long`);
  return { text, entities: read.entities };
}

/** Names and commands in a text, as Telegram marks them. */
function entitiesIn(text: string): object[] {
  return [...text.matchAll(/@\w+|(?<=^|\s)\/\w+(?:@\w+)?/g)].map((m) => ({
    type: m[0].startsWith('@') ? 'mention' : 'bot_command',
    offset: m.index,
    length: m[0].length,
  }));
}
