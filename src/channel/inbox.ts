import type { Store } from '../store/store.ts';
import type { Inbound } from '../wire/wire.ts';
import type { InboxItem } from './channel.ts';
import { parseObject } from './guest.ts';

/** What came in. A message's text stays only until it is answered; its id stays, so that it is never answered twice. */
export interface Inbox {
  /** Stores a message; undefined when the channel sent this id before. An ignored one is stored without its text. */
  add(inbound: Inbound, state: 'pending' | 'ignored'): number | undefined;
  /** Marks answered and forgets the text; false when it was not pending. */
  answer(seq: number): boolean;
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
  return {
    add(inbound, state) {
      added += 1;
      if (added % 1_000 === 0) prune();
      const { channel, id, chat, sender, metadata, at } = inbound;
      const row = db
        .query<{ seq: number }, (string | number | null)[]>(
          `INSERT INTO inbox (channel, id, chat, sender, name, text, metadata, at, received, state)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq`,
        )
        .get(
          ...[channel, id, chat, sender.id],
          ...(state === 'pending'
            ? [sender.name, inbound.text, metadata ? JSON.stringify(metadata) : null]
            : ['', '', null]),
          ...[at, now(), state],
        );
      return row?.seq;
    },
    answer(seq) {
      return (
        db
          .query(
            `UPDATE inbox SET state = 'answered', text = '', name = '', metadata = NULL WHERE seq = ? AND state = 'pending'`,
          )
          .run(seq).changes > 0
      );
    },
    pending() {
      return db.query<Row, []>(`SELECT * FROM inbox WHERE state = 'pending' ORDER BY seq`).all().map(toItem);
    },
  };
}

function toItem(row: Row): InboxItem {
  const metadata = parseObject(row.metadata);
  return {
    seq: row.seq,
    inbound: {
      conversation: `${row.channel}/${row.chat}`,
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
