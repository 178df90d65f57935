import type { PxError } from '../error/error.ts';
import type { Store } from '../store/store.ts';
import type { Json } from '../wire/wire.ts';
import type { OpenPart, Undelivered } from './channel.ts';
import { type Extras, readExtras, writeExtras } from './outgoing.ts';

/** One text on its way to a chat. */
export interface Part {
  id: number;
  channel: string;
  chat: string;
  text: string;
  /** How often it was tried, this time not counted. */
  attempts: number;
  /** When it was queued, ms since the epoch. */
  at: number;
  extras: Extras;
}

/** What goes out. Parts of one chat leave in order; a sent part's text is forgotten. */
export interface Outbox {
  /** Queues a text, after everything queued for this chat before. */
  add(channel: string, chat: string, text: string, extras?: Extras): void;
  /**
   * The oldest part of each chat of a channel that may be sent now, oldest first, but for chats that are `busy`; `nextAt`: when the first of those that are
   * left may be sent, undefined when none waits.
   */
  heads(
    channel: string,
    busy: ReadonlyMap<string, unknown>,
    most: number,
  ): { parts: Part[]; nextAt: number | undefined };
  /** Puts several parts in the place of one that is too long: what it replaces belongs to the first, buttons to the last. */
  split(part: Part, texts: string[]): void;
  /** Gives a part other extras. */
  change(part: Part, extras: Extras): void;
  /** From here on a crash leaves the part's fate unknown. */
  sending(part: Part): void;
  /** The platform's answer to a part that is being sent, before anybody has read it; null: another request follows. */
  answered(part: Part, answer: Json): void;
  sent(part: Part, platformId: string): void;
  /** Back to the queue until `at`; a try that was not the part's fault is not counted. */
  again(part: Part, at: number, error: PxError, counted: boolean): void;
  /** Ends here: a refused part takes the rest of its answer with it. */
  fail(part: Part, state: 'failed' | 'unknown', error: PxError): void;
  /** Lets a channel's waiting parts go at once. */
  hurry(channel: string): void;
  /** Parts that were being sent when px stopped, with the answer that had come already. */
  interrupted(channel: string): (Part & { answer?: Json })[];
  /** Channels that have such parts. */
  interruptedChannels(): string[];
  /** Parts that never left or whose fate is not known, oldest first. */
  undelivered(): Undelivered[];
  /** All that has not arrived: what waits and dead letters, oldest first. */
  open(): OpenPart[];
  /** Forgets a failed or unknown part; false when there is no such part. */
  drop(id: number): boolean;
  /** Queues a failed or unknown part again; its channel, or undefined when there is no such part. */
  retry(id: number): string | undefined;
}

type PartRow = Omit<Part, 'extras'> & { extras: string | null };
/** The oldest part of a chat that has not left. */
type HeadRow = { id: number; chat: string; state: 'queued' | 'sending'; next_at: number; place: number };

const day = 86_400_000;
/** Longest answer of a platform that is kept, in characters. */
const longestAnswer = 20_000;
/** How long rows stay: sent ones for their platform ids, failed ones for the person to look at. */
const keep = { sentMs: 7 * day, failedMs: 60 * day };

/** Opens the outbox. This file alone has SQL for its table. */
export function openOutbox(store: Store, now: () => number): Outbox {
  store.migrate({
    owner: 'outbox',
    steps: [
      // `answer` and `part` give the order; parts of one answer share `answer`, which is never above their ids.
      `CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        channel TEXT NOT NULL, chat TEXT NOT NULL, text TEXT NOT NULL,
        answer INTEGER NOT NULL, part INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'unknown')),
        attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL DEFAULT 0,
        platform_id TEXT, error TEXT, at INTEGER NOT NULL
      );
      CREATE INDEX outbox_waiting ON outbox (channel, answer, part) WHERE state IN ('queued', 'sending');
      CREATE INDEX outbox_age ON outbox (state, at);`,
      `ALTER TABLE outbox ADD COLUMN extras TEXT;
      CREATE INDEX outbox_chat ON outbox (channel, chat, answer, part) WHERE state IN ('queued', 'sending');`,
      // What the platform answered, while the connector has not said yet what that means.
      `ALTER TABLE outbox ADD COLUMN answer_json TEXT;`,
    ],
  });
  const { db } = store;
  const columns = 'id, channel, chat, text, attempts, at, extras';
  const toPart = (row: PartRow): Part => ({ ...row, extras: readExtras(row.extras) });
  const part = (id: number) => db.query<PartRow, [number]>(`SELECT ${columns} FROM outbox WHERE id = ?`).get(id);
  db.query(`DELETE FROM outbox WHERE state = 'sent' AND at < ?`).run(now() - keep.sentMs);
  db.query(`DELETE FROM outbox WHERE state IN ('failed', 'unknown') AND at < ?`).run(now() - keep.failedMs);

  return {
    add(channel, chat, text, extras = {}) {
      db.query(
        `INSERT INTO outbox (channel, chat, text, at, extras, answer)
         VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(id), 0) + 1 FROM outbox))`,
      ).run(channel, chat, text, now(), writeExtras(extras));
    },
    heads(channel, busy, most) {
      // With `min` SQLite takes the other columns from the row that has it. No answer has a million parts.
      const rows = db
        .query<HeadRow, [string]>(
          `SELECT id, chat, state, next_at, min(answer * 1000000 + part) AS place FROM outbox
           WHERE channel = ? AND state IN ('queued', 'sending') GROUP BY chat`,
        )
        .all(channel)
        .filter((head) => head.state === 'queued' && !busy.has(head.chat))
        .sort((a, b) => a.place - b.place);
      const at = now();
      const due = rows.filter((head) => head.next_at <= at).slice(0, most);
      const left = rows.filter((head) => !due.includes(head)).map((head) => head.next_at);
      return {
        parts: due.flatMap(({ id }) => part(id) ?? []).map(toPart),
        nextAt: left.length === 0 ? undefined : Math.min(...left),
      };
    },
    split(part, texts) {
      store.transaction(() => {
        db.query(
          `UPDATE outbox SET part = part + ? WHERE answer = (SELECT answer FROM outbox WHERE id = ?)
           AND part > (SELECT part FROM outbox WHERE id = ?)`,
        ).run(texts.length, part.id, part.id);
        const { choices, ...first } = part.extras;
        const last = choices ? { choices } : {};
        db.query(`UPDATE outbox SET text = ?, extras = ? WHERE id = ?`).run(
          texts[0] ?? '',
          writeExtras(first),
          part.id,
        );
        for (const [index, text] of texts.slice(1).entries()) {
          db.query(
            `INSERT INTO outbox (channel, chat, text, at, extras, answer, part)
             SELECT channel, chat, ?, at, ?, answer, part + ? FROM outbox WHERE id = ?`,
          ).run(text, index === texts.length - 2 ? writeExtras(last) : null, index + 1, part.id);
        }
      });
    },
    change(part, extras) {
      db.query(`UPDATE outbox SET extras = ? WHERE id = ?`).run(writeExtras(extras), part.id);
    },
    sending(part) {
      db.query(`UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?`).run(part.id);
    },
    answered(part, answer) {
      const text = answer === null ? null : JSON.stringify(answer);
      db.query(`UPDATE outbox SET answer_json = ? WHERE id = ? AND state = 'sending'`).run(
        text !== null && text.length > longestAnswer ? null : text,
        part.id,
      );
    },
    sent(part, platformId) {
      db.query(
        `UPDATE outbox SET state = 'sent', text = '', extras = NULL, answer_json = NULL, error = NULL, platform_id = ?, at = ? WHERE id = ?`,
      ).run(platformId, now(), part.id);
    },
    again(part, at, error, counted) {
      db.query(
        `UPDATE outbox SET state = 'queued', next_at = ?, error = ?, attempts = ?, answer_json = NULL WHERE id = ?`,
      ).run(Math.ceil(at), error.message, part.attempts + (counted ? 1 : 0), part.id);
    },
    fail(part, state, error) {
      db.query(
        `UPDATE outbox SET state = ?1, error = ?2 WHERE id = ?3 OR (?1 = 'failed' AND state = 'queued'
         AND answer = (SELECT answer FROM outbox WHERE id = ?3))`,
      ).run(state, error.message, part.id);
    },
    hurry(channel) {
      db.query(`UPDATE outbox SET next_at = 0 WHERE channel = ? AND state = 'queued'`).run(channel);
    },
    interrupted: (channel) =>
      db
        .query<PartRow & { answer_json: string | null }, [string]>(
          `SELECT ${columns}, answer_json FROM outbox WHERE state = 'sending' AND channel = ? ORDER BY answer, part`,
        )
        .all(channel)
        .map(({ answer_json, ...row }) =>
          answer_json === null ? toPart(row) : { ...toPart(row), answer: JSON.parse(answer_json) as Json },
        ),
    interruptedChannels: () =>
      db
        .query<{ channel: string }, []>(`SELECT DISTINCT channel FROM outbox WHERE state = 'sending'`)
        .all()
        .map((row) => row.channel),
    undelivered: () =>
      db
        .query<Undelivered, []>(
          `SELECT id, channel, chat, text, state, attempts, coalesce(error, '') AS error, at FROM outbox
           WHERE state IN ('failed', 'unknown') ORDER BY answer, part`,
        )
        .all(),
    open: () =>
      db
        .query<OpenPart, []>(
          `SELECT id, channel, chat, text, state, attempts, coalesce(error, '') AS error, at, next_at AS nextAt FROM outbox
           WHERE state <> 'sent' ORDER BY answer, part`,
        )
        .all(),
    drop: (id) => db.query(`DELETE FROM outbox WHERE id = ? AND state IN ('failed', 'unknown')`).run(id).changes > 0,
    retry: (id) =>
      db
        .query<{ channel: string }, [number]>(
          `UPDATE outbox SET state = 'queued', attempts = 0, next_at = 0, error = NULL
           WHERE id = ? AND state IN ('failed', 'unknown') RETURNING channel`,
        )
        .get(id)?.channel,
  };
}
