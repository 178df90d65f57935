import { PxError, toPxError } from '../error/error.ts';
import type { HeldFiles } from '../plugin/plugin.ts';
import type { Json } from '../wire/wire.ts';
import { type Outgoing, readProgress } from './outgoing.ts';

/** What a sender works with. */
export interface SenderOptions {
  call(fn: string, args: Json[]): Promise<Json>;
  /** Makes a request under the plugin's grants. */
  hold(request: Json, files: HeldFiles): Promise<Json>;
  /** Names of what the plugin exports. */
  exported: ReadonlySet<string>;
  /** The answer of `abilities`; empty without one. */
  abilities: readonly string[];
  /** A file of {@link Outgoing} on disk. */
  fileOf(id: string): string;
}

/** The platform has answered, but the connector could not read it for now (it is busy, or was ended): sending anew would repeat the text. */
export class Unread extends Error {
  override readonly name = 'Unread';
  /** What the platform answered. */
  readonly answer: Json;

  constructor(answer: Json, cause: PxError) {
    super(cause.message, { cause });
    this.answer = answer;
  }
}

/** Told what happens while something is sent. */
export interface SendWatch {
  /** The platform has answered, and nobody has read it yet. */
  answered(answer: Json): void;
  /** That was not all: another request follows once this resolves. */
  again(): Promise<void>;
}

/** Does things on a platform, through a connector of either kind: one that gives requests away, or one that makes them itself. */
export interface Sender {
  /** Several things may be under way at once, in different chats. */
  readonly parallel: boolean;
  can(ability: string): boolean;
  /** How long the platform shows the same key once, in ms; 0 when it does not. */
  readonly onceFor: number;
  /** Gets it ready: nothing is sent before the returned function is called, which resolves with the platform's id of the message, or throws {@link Unread}. */
  prepare(chat: string, out: Outgoing): Promise<(watch?: SendWatch) => Promise<string>>;
  /** What an answer means that came before: the message's id; undefined when it has to be sent anew. Throws {@link Unread}. */
  conclude(chat: string, out: Outgoing, answer: Json): Promise<string | undefined>;
}

/** What connectors without `abilities` show that they can by what they export. */
const byExport: [ability: string, fn: string][] = [
  ['typing', 'set-typing'],
  ['edit', 'edit-message'],
  ['react', 'react'],
];
/** Requests one thing may take: formatted and then plain, and some room. */
const maxRequests = 5;

/** Makes a connector's sender. */
export function createSender(options: SenderOptions): Sender {
  const { call, exported } = options;
  const parallel = exported.has('next-send') && exported.has('on-sent');
  const can = new Set(
    parallel ? options.abilities : byExport.filter(([, fn]) => exported.has(fn)).map(([ability]) => ability),
  );

  const direct = async (chat: string, out: Outgoing): Promise<string> => {
    switch (out.kind) {
      case 'post': {
        const id = await call('post-message', [chat, out.content]);
        return typeof id === 'string' ? id : '';
      }
      case 'edit':
        await call('edit-message', [chat, out.message ?? '', out.content]);
        return out.message ?? '';
      case 'typing':
        await call('set-typing', [chat]);
        return '';
      case 'react':
        await call('react', [chat, out.message ?? '', out.content]);
        return '';
      case 'draft':
        throw new PxError('internal', 'this connector shows no drafts');
    }
  };

  /** Reading an answer changes nothing on the platform: a plugin that fails at it is asked once more. Its own word on the answer is an error of its. */
  const read = async (chat: string, out: Outgoing, answer: Json, again = true): Promise<Json> => {
    try {
      return await call('on-sent', [chat, out, answer]);
    } catch (thrown) {
      const error = toPxError(thrown);
      if (error.code === 'plugin.guest') throw error;
      if (again) return read(chat, out, answer, false);
      throw new Unread(answer, error);
    }
  };

  const send = async (chat: string, out: Outgoing, first: Json, watch?: SendWatch): Promise<string> => {
    const files = { out: out.files.map(({ id }) => ({ id, path: options.fileOf(id) })) };
    let request = first;
    for (let i = 0; i < maxRequests; i++) {
      const answer = await options.hold(request, files);
      watch?.answered(answer);
      const next = readProgress(await read(chat, out, answer));
      if (!next) throw new PxError('plugin.guest', 'unknown: on-sent returned what is no progress');
      if ('done' in next) return next.done;
      request = next.again;
      await watch?.again();
    }
    throw new PxError('plugin.guest', `it took more than ${maxRequests} requests`);
  };

  return {
    parallel,
    can: (ability) => can.has(ability),
    onceFor: onceFor(can),
    async prepare(chat, given) {
      const out = unmarked(given);
      if (!parallel) return () => direct(chat, out);
      let request: Json;
      try {
        request = await call('next-send', [chat, out]);
      } catch (thrown) {
        const error = toPxError(thrown);
        if (error.code === 'plugin.guest') throw error;
        // Nothing was sent: unlike a plugin that ends while it sends, this one can simply be asked again.
        throw new PxError(error.code, error.message, { retryable: true, cause: error });
      }
      return (watch) => send(chat, out, request, watch);
    },
    async conclude(chat, out, answer) {
      const next = readProgress(await read(chat, unmarked(out), answer));
      return next && 'done' in next ? next.done : undefined;
    },
  };
}

/** `once`: always; `once:SECONDS`: for so long. */
function onceFor(abilities: ReadonlySet<string>): number {
  if (abilities.has('once')) return Number.POSITIVE_INFINITY;
  const seconds = [...abilities].flatMap((one) => /^once:(\d{1,6})$/.exec(one)?.[1] ?? []).map(Number);
  return Math.max(0, ...seconds) * 1000;
}

/**
 * What goes out with nothing in it that px would fill in on the way: a model may write `{{secret:NAME}}`, and its words look the same with a space
 * of no width in them.
 */
function unmarked(out: Outgoing): Outgoing {
  const plain = (text: string) => text.replace(/\{(?=\{(?:secret|file):)/gi, '{\u200b');
  return {
    ...out,
    content: plain(out.content),
    choices: out.choices.map(({ label, says }) => ({ label: plain(label), says: plain(says) })),
    files: out.files.map((file) => ({ ...file, name: plain(file.name) })),
  };
}
