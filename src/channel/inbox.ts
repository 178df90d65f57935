import type { Store } from '../store/store.ts';
import type { ConversationId, Inbound } from '../wire/wire.ts';
import type { InboxItem, OpenMessage } from './channel.ts';
import { parseObject } from './guest.ts';

/** What came in. A message's text stays only until it is answered; its id stays, so that it is never answered twice. */
export interface Inbox {
  /** Stores a message; undefined when the channel sent this id before. An ignored one is stored without its text. */
  add(inbound: Inbound, state: 'pending' | 'old' | 'ignored'): number | undefined;
  /** Marks answered and forgets the text; false when it was not open. */
  answer(seq: number): boolean;
  /** Gives a waiting message other words. */
  rewrite(seq: number, text: string): void;
  /** Keeps a message as it is now that its files are there. */
  complete(seq: number, inbound: Inbound): void;
  /** Sets aside what waits: it is listed and not answered. False for what a person said is to be answered all the same. */
  age(seq: number): boolean;
  /** Takes a message that was set aside up again; undefined when there is none of this number. */
  wake(seq: number): InboxItem | undefined;
  /** What waits and what was set aside, oldest first. */
  open(): OpenMessage[];
  /** What still has to be answered, oldest first. */
  pending(): InboxItem[];
}

interface Row {
  seq: number;
  channel: string;
  id: string;
  chat: string;
  sender: string;
  name: string;
  text: string;
  metadata: string | null;
  at: number;
  state: string;
  conversation: string;
}

const day = 86_400_000;
/** Ids kept: of answered messages for half a year, of strangers' messages the latest ones. */
const keep = { answeredMs: 180 * day, ignored: 5_000 };

/** Opens the inbox. This file alone has SQL for its table. */
export function openInbox(store: Store, now: () => number): Inbox {
  store.migrate({
    owner: 'inbox',
    steps: [
      `CREATE TABLE inbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        channel TEXT NOT NULL, id TEXT NOT NULL, chat TEXT NOT NULL,
        sender TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, metadata TEXT,
        at INTEGER NOT NULL, received INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'answered', 'ignored')),
        UNIQUE (channel, id)
      );
      CREATE INDEX inbox_pending ON inbox (seq) WHERE state = 'pending';
      CREATE INDEX inbox_ignored ON inbox (seq) WHERE state = 'ignored';
      CREATE INDEX inbox_age ON inbox (state, received);`,
      // A table's CHECK cannot be changed: `old` is for messages too old to be answered by themselves.
      `CREATE TABLE inbox_2 (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        channel TEXT NOT NULL, id TEXT NOT NULL, chat TEXT NOT NULL,
        sender TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, metadata TEXT,
        at INTEGER NOT NULL, received INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'old', 'answered', 'ignored')),
        UNIQUE (channel, id)
      );
      INSERT INTO inbox_2 SELECT * FROM inbox;
      DROP TABLE inbox;
      ALTER TABLE inbox_2 RENAME TO inbox;
      CREATE INDEX inbox_open ON inbox (seq) WHERE state IN ('pending', 'old');
      CREATE INDEX inbox_ignored ON inbox (seq) WHERE state = 'ignored';
      CREATE INDEX inbox_age ON inbox (state, received);`,
      // Of a person with several identities the conversation is not that of the chat. Empty: the chat's.
      `ALTER TABLE inbox ADD COLUMN conversation TEXT NOT NULL DEFAULT ''`,
      // 1: a person said that it is to be answered, however old it is.
      `ALTER TABLE inbox ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0`,
    ],
  });
  const { db } = store;
  let added = 0;
  const prune = () => {
    db.query(
      `DELETE FROM inbox WHERE state = 'ignored' AND seq <= (
         SELECT seq FROM inbox WHERE state = 'ignored' ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
    ).run(keep.ignored);
    db.query(`DELETE FROM inbox WHERE state = 'answered' AND received < ?`).run(now() - keep.answeredMs);
  };
  prune();
  const open = () =>
    db
      .query<Row, []>(
        `SELECT seq, channel, id, chat, sender, name, text, metadata, at, state, conversation FROM inbox
         WHERE state IN ('pending', 'old') ORDER BY seq`,
      )
      .all();
  return {
    add(inbound, state) {
      added += 1;
      if (added % 1_000 === 0) prune();
      const { conversation, channel, id, chat, sender, metadata, at } = inbound;
      const row = db
        .query<{ seq: number }, (string | number | null)[]>(
          `INSERT INTO inbox (channel, id, chat, sender, name, text, metadata, at, received, state, conversation)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq`,
        )
        .get(
          ...[channel, id, chat, sender.id],
          ...(state !== 'ignored'
            ? [sender.name, inbound.text, metadata ? JSON.stringify(metadata) : null]
            : ['', '', null]),
          ...[at, now(), state],
          conversation === `${channel}/${chat}` ? '' : conversation,
        );
      return row?.seq;
    },
    answer(seq) {
      return (
        db
          .query(
            `UPDATE inbox SET state = 'answered', text = '', name = '', metadata = NULL
             WHERE seq = ? AND state IN ('pending', 'old')`,
          )
          .run(seq).changes > 0
      );
    },
    rewrite(seq, text) {
      db.query(`UPDATE inbox SET text = ? WHERE seq = ? AND state = 'pending'`).run(text, seq);
    },
    complete(seq, { text, metadata }) {
      db.query(`UPDATE inbox SET text = ?, metadata = ? WHERE seq = ? AND state = 'pending'`).run(
        text,
        metadata ? JSON.stringify(metadata) : null,
        seq,
      );
    },
    age: (seq) =>
      db.query(`UPDATE inbox SET state = 'old' WHERE seq = ? AND state = 'pending' AND wanted = 0`).run(seq).changes >
      0,
    wake(seq) {
      const row = db
        .query<Row, [number]>(
          `UPDATE inbox SET state = 'pending', wanted = 1 WHERE seq = ? AND state = 'old' RETURNING *`,
        )
        .get(seq);
      return row === null ? undefined : toItem(row);
    },
    pending: () =>
      open()
        .filter((row) => row.state === 'pending')
        .map(toItem),
    open: () =>
      open().map((row) => ({
        seq: row.seq,
        id: row.id,
        channel: row.channel,
        chat: row.chat,
        sender: row.sender,
        name: row.name,
        text: row.text,
        at: row.at,
        state: row.state === 'old' ? 'old' : 'waiting',
      })),
  };
}

function toItem(row: Row): InboxItem {
  const metadata = parseObject(row.metadata);
  return {
    seq: row.seq,
    inbound: {
      conversation: row.conversation === '' ? `${row.channel}/${row.chat}` : (row.conversation as ConversationId),
      channel: row.channel,
      chat: row.chat,
      id: row.id,
      sender: { id: row.sender, name: row.name },
      text: row.text,
      at: row.at,
      ...(metadata ? { metadata } : {}),
    },
  };
}
