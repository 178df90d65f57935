import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Store } from '../store/store.ts';
import type { Bus, PxEvent } from '../wire/wire.ts';
import { isGroup } from './access.ts';
import type { InboxItem } from './channel.ts';
import { readSendFailure } from './failure.ts';
import type { Outgoing } from './outgoing.ts';
import { createPace } from './pace.ts';
import { splitText } from './split.ts';
import type { Timing } from './timing.ts';

/** What streams work with. */
export interface StreamsOptions {
  store: Store;
  bus: Bus;
  log: Log;
  timing: Timing;
  /** Whether answers in a channel are shown while they are written. */
  wanted(channel: string): boolean;
  can(channel: string, ability: string): boolean;
  maxText(channel: string): number;
  /** The platform's id of the message that an answer replies to, where it is shown as a reply. */
  replyTo(item: InboxItem): string | undefined;
  act(channel: string, chat: string, out: Outgoing): Promise<string>;
}

/** Answers that are shown while they are being written. */
export interface Streams {
  /** A message is handed on: its answer may be shown as it comes. */
  began(item: InboxItem): void;
  /** Its answer is whole: nothing more is shown of it here. The platform's message that the answer takes the place of, once that is known. */
  finish(item: InboxItem): Promise<string | undefined>;
  /** To be called in the transaction that queues the answer, or with a message that gets none. */
  forget(seq: number): void;
  close(): void;
}

/** One answer that is being written. */
interface Stream {
  item: InboxItem;
  turn: string;
  text: string;
  shown: string;
  /** The platform's message that is edited. */
  id: string | undefined;
  timer: Timer | undefined;
  /** What is on its way to the platform. */
  sending: Promise<void> | undefined;
  over: boolean;
}

/** Text that is worth a message of its own before the rest is there, in characters. */
const LEAST = 24;

/**
 * Shows answers while they are written: as a draft where the platform has such a thing, which leaves nothing behind, else by editing
 * a message. The message's id is on disk as soon as it is known, so that after a crash the whole answer takes its place.
 */
export function createStreams(options: StreamsOptions): Streams {
  const { store, bus, log, timing, act, can } = options;
  store.migrate({
    owner: 'stream',
    steps: [
      `CREATE TABLE stream (seq INTEGER PRIMARY KEY, channel TEXT NOT NULL, chat TEXT NOT NULL, platform_id TEXT) WITHOUT ROWID`,
    ],
  });
  const { db } = store;
  /** Messages that are being answered, by channel and id. */
  const open = new Map<string, InboxItem>();
  const names = new Map<number, string>();
  const bySeq = new Map<number, Stream>();
  const byTurn = new Map<string, Stream>();
  /** Channels whose server knows no drafts. */
  const noDrafts = new Set<string>();
  const pace = createPace(timing);

  for (const { chat } of db.query<{ chat: string }, []>(`SELECT chat FROM stream WHERE platform_id IS NULL`).all())
    log.warn('the beginning of an answer may stand in a chat twice: px was stopped while it was shown', { chat });
  db.run(`DELETE FROM stream WHERE platform_id IS NULL`);

  const outgoing = (stream: Stream, kind: Outgoing['kind'], content: string): Outgoing => ({
    ...{ kind, key: `pxs-${stream.turn}`, content },
    message: (kind === 'edit' ? stream.id : kind === 'post' ? options.replyTo(stream.item) : undefined) ?? null,
    ...{ choices: [], files: [] },
  });

  const show = async (stream: Stream, text: string): Promise<void> => {
    const { channel, chat } = stream.item.inbound;
    if (can(channel, 'draft') && !isGroup(stream.item.inbound) && !noDrafts.has(channel) && stream.id === undefined) {
      try {
        await act(channel, chat, outgoing(stream, 'draft', text));
        return;
      } catch (thrown) {
        if (readSendFailure(thrown).kind !== 'refused') throw thrown;
        noDrafts.add(channel);
      }
    }
    if (!can(channel, 'edit') || stream.over) return;
    if (stream.id !== undefined) return void (await act(channel, chat, outgoing(stream, 'edit', `${text} …`)));
    const { seq } = stream.item;
    store.quickly(() =>
      db.query(`INSERT OR REPLACE INTO stream (seq, channel, chat) VALUES (?, ?, ?)`).run(seq, channel, chat),
    );
    const id = await act(channel, chat, outgoing(stream, 'post', `${text} …`));
    if (id === '') return;
    stream.id = id;
    store.quickly(() => db.query(`UPDATE stream SET platform_id = ? WHERE seq = ?`).run(id, seq));
  };

  const tick = (stream: Stream) => {
    stream.timer = undefined;
    const [first = '', ...rest] = splitText(stream.text.trim(), options.maxText(stream.item.inbound.channel) - 16);
    if (stream.over || stream.sending || first.length < LEAST || first === stream.shown) return;
    const wait = pace.wait(stream.item.inbound);
    if (wait > 0) return schedule(stream, wait);
    pace.wrote(stream.item.inbound);
    stream.shown = first;
    stream.sending = show(stream, first)
      .then(
        () => 0,
        (thrown: unknown) => {
          const failure = readSendFailure(thrown);
          log.debug('an answer could not be shown while it is written', { error: toPxError(thrown).message });
          return 'afterMs' in failure ? (failure.afterMs ?? timing.streamEvery * 4) : Number.POSITIVE_INFINITY;
        },
      )
      .then((pause) => {
        stream.sending = undefined;
        // What does not fit into one message any more is shown with the whole answer.
        if (rest.length === 0 && Number.isFinite(pause)) schedule(stream, pause);
      });
  };

  const schedule = (stream: Stream, pause = 0) => {
    if (stream.over || stream.timer || stream.sending) return;
    const every = isGroup(stream.item.inbound) ? timing.streamEvery * 3 : timing.streamEvery;
    stream.timer = setTimeout(() => tick(stream), Math.max(pause, every));
  };

  const key = (channel: string, id: string) => `${channel}\n${id}`;

  const heard = (event: PxEvent) => {
    if (event.type === 'turn.text') {
      const stream = byTurn.get(event.turn);
      if (!stream) return;
      stream.text += event.text;
      schedule(stream);
    } else if (event.type === 'turn.start') {
      const channel = event.conversation.slice(0, event.conversation.indexOf('/'));
      const item = open.get(key(channel, event.messageId));
      if (!item || !options.wanted(item.inbound.channel)) return;
      const stream: Stream = {
        ...{ item, turn: event.turn, text: '', shown: '', id: idOf(item.seq) },
        ...{ timer: undefined, sending: undefined, over: false },
      };
      byTurn.set(event.turn, stream);
      bySeq.set(item.seq, stream);
    } else if (event.type === 'turn.end') {
      const stream = byTurn.get(event.turn);
      byTurn.delete(event.turn);
      if (stream) stop(stream);
    }
  };
  const quiet = bus.on(heard);

  const idOf = (seq: number) =>
    db.query<{ id: string | null }, [number]>(`SELECT platform_id AS id FROM stream WHERE seq = ?`).get(seq)?.id ??
    undefined;

  const stop = (stream: Stream) => {
    stream.over = true;
    clearTimeout(stream.timer);
  };

  return {
    began(item) {
      const { channel, conversation } = item.inbound;
      if (!can(channel, 'draft') && !can(channel, 'edit')) return;
      // A linked person's conversation has another name than the chat.
      const name = key(conversation.slice(0, conversation.indexOf('/')), item.inbound.id);
      open.set(name, item);
      names.set(item.seq, name);
    },
    async finish(item) {
      pace.wrote(item.inbound);
      const stream = bySeq.get(item.seq);
      if (stream) {
        stop(stream);
        await stream.sending;
        bySeq.delete(item.seq);
      }
      return idOf(item.seq);
    },
    forget(seq) {
      const name = names.get(seq);
      if (name === undefined) return;
      db.query(`DELETE FROM stream WHERE seq = ?`).run(seq);
      names.delete(seq);
      open.delete(name);
    },
    close() {
      quiet();
      for (const stream of bySeq.values()) stop(stream);
    },
  };
}
