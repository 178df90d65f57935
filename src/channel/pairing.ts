import { PxError } from '../error/error.ts';
import type { Store } from '../store/store.ts';
import type { ConversationId, Inbound } from '../wire/wire.ts';
import type { Pairing, Role } from './channel.ts';
import { type People, peopleJson } from './people.ts';

/** Letters and digits that nobody mistakes for another: 24 of them, so a code of 8 is one of 110,075,314,176. */
const alphabet = 'ACDEFGHJKMNPQRTVWXY34679';
const codeLength = 8;
const hour = 3_600_000;
/** Strangers with an open code, a channel; more get no answer. */
const mostPending = 20;
/** Wrong codes in a row of ten minutes before `approve` refuses to look. */
const mostWrong = 10;
const wrongWindow = 600_000;

/** The pairing book with what the channels need of it. */
export interface PairingBook extends Omit<Pairing, 'approve' | 'setRole'> {
  approved(channel: string, sender: string): boolean;
  /** Undefined for somebody who is not paired. */
  person(channel: string, sender: string): { role: Role; name: string } | undefined;
  /** Where somebody who was linked talks: the conversation of the identity they were linked to. */
  home(channel: string, sender: string): ConversationId | undefined;
  /** Private chats of the paired owners, one an identity. */
  owners(): { channel: string; sender: string; chat: string }[];
  setRole(channel: string, sender: string, role: Role): boolean;
  /** Lets an identity in as, or makes it, the same person as another. */
  join(inbound: Inbound, to: Identity): void;
  /** A code for a stranger who has none; undefined while one is open or too many are. */
  request(inbound: Inbound): string | undefined;
  approve(code: string, role: Role): { channel: string; sender: string; name: string; chat: string };
  /** Writes the page of paired people; to be called once an approval is committed. */
  listPeople(): void;
}

interface Row {
  channel: string;
  sender: string;
  name: string;
  chat: string;
  state: 'pending' | 'approved';
  code: string;
  at: number;
  expires_at: number;
  role: Role;
  /** `channel/sender` of the identity this one was linked to; empty for one on its own. */
  person: string;
}

/** Somebody on a channel. */
interface Identity {
  channel: string;
  sender: string;
  role: Role;
}

/**
 * Opens the book of who may talk to px. This file alone has SQL for its table. `people` keeps the paired ones in Markdown too: a book that is new, because px.db
 * was lost, starts with them. `trouble` is told when that cannot be.
 */
export function openPairing(
  store: Store,
  now: () => number,
  people?: People,
  trouble: (what: string, error?: unknown) => void = () => {},
): PairingBook {
  const fresh = store.db.query('PRAGMA table_info(pairing)').all().length === 0;
  store.migrate({
    owner: 'pairing',
    steps: [
      `CREATE TABLE pairing (
        channel TEXT NOT NULL, sender TEXT NOT NULL, name TEXT NOT NULL, chat TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'approved')),
        code TEXT NOT NULL, at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
        PRIMARY KEY (channel, sender)
      )`,
      // The first who was let in is the owner; who came later was let in to talk.
      `ALTER TABLE pairing ADD COLUMN role TEXT NOT NULL DEFAULT 'guest' CHECK (role IN ('owner', 'guest'));
      ALTER TABLE pairing ADD COLUMN person TEXT NOT NULL DEFAULT '';
      UPDATE pairing SET role = 'owner' WHERE rowid = (
        SELECT rowid FROM pairing WHERE state = 'approved' ORDER BY at LIMIT 1);`,
    ],
  });
  const { db } = store;
  let wrong: number[] = [];
  const forgetExpired = () => db.query(`DELETE FROM pairing WHERE state = 'pending' AND expires_at <= ?`).run(now());
  const rows = () => {
    forgetExpired();
    return db.query<Row, []>(`SELECT * FROM pairing ORDER BY state DESC, at`).all();
  };

  const paired = () => rows().filter((row) => row.state === 'approved');
  /** Writes the list; on a failure the book still counts, and the next start writes it. */
  const keep = (list: Row[]) => {
    try {
      people?.write(list);
    } catch (error) {
      trouble('memory/people.md could not be written', error);
    }
  };
  const restore = (): number => {
    const kept = people?.read();
    if (!kept || kept.people.length === 0) return 0;
    if (!kept.genuine()) {
      trouble('memory/people.md was not written by this px: nobody was let in by it');
      return 0;
    }
    return store.transaction(() => {
      let added = 0;
      const [first] = kept.people.toSorted((a, b) => a.at - b.at);
      for (const one of kept.people) {
        const { channel, sender, name, chat, at, role = one === first ? 'owner' : 'guest', person = '' } = one;
        added += db
          .query(
            `INSERT INTO pairing (channel, sender, name, chat, state, code, at, expires_at, role, person)
             VALUES (?, ?, ?, ?, 'approved', '', ?, 0, ?, ?) ON CONFLICT (channel, sender) DO NOTHING`,
          )
          .run(channel, sender, name, chat, at, role, person).changes;
      }
      return added;
    });
  };
  if (fresh) restore();
  else if (people) {
    const list = paired();
    const kept = people.read();
    if (kept ? kept.json !== peopleJson(list) : list.length > 0) keep(list);
  }

  const find = (channel: string, sender: string) =>
    db
      .query<Row, [string, string]>(`SELECT * FROM pairing WHERE channel = ? AND sender = ? AND state = 'approved'`)
      .get(channel, sender) ?? undefined;

  return {
    person: (channel, sender) => find(channel, sender),
    home(channel, sender) {
      const linked = find(channel, sender)?.person ?? '';
      const slash = linked.indexOf('/');
      const root = slash < 0 ? undefined : find(linked.slice(0, slash), linked.slice(slash + 1));
      return root && `${root.channel}/${root.chat}`;
    },
    owners: () => paired().filter((row) => row.role === 'owner'),
    setRole(channel, sender, role) {
      const set = `UPDATE pairing SET role = ? WHERE channel = ? AND sender = ? AND state = 'approved'`;
      const changed = db.query(set).run(role, channel, sender).changes > 0;
      if (changed) keep(paired());
      return changed;
    },
    join({ channel, chat, sender }, to) {
      // A link to a link is one to its root, so that one look finds the conversation.
      const root = find(to.channel, to.sender)?.person || `${to.channel}/${to.sender}`;
      const person = root === `${channel}/${sender.id}` ? '' : root;
      db.query(
        `INSERT INTO pairing (channel, sender, name, chat, state, code, at, expires_at, role, person)
         VALUES (?, ?, ?, ?, 'approved', '', ?, 0, ?, ?)
         ON CONFLICT (channel, sender) DO UPDATE SET state = 'approved', code = '', expires_at = 0, role = excluded.role, person = excluded.person`,
      ).run(channel, sender.id, sender.name, chat, now(), to.role, person);
      if (person !== '')
        db.query(`UPDATE pairing SET person = ? WHERE person = ?`).run(person, `${channel}/${sender.id}`);
    },
    restore,
    listPeople: () => keep(paired()),
    approved: (channel, sender) =>
      db.query(`SELECT 1 FROM pairing WHERE channel = ? AND sender = ? AND state = 'approved'`).get(channel, sender) !==
      null,
    request({ channel, chat, sender }) {
      forgetExpired();
      const open = db
        .query<{ n: number; mine: number }, [string, string]>(
          `SELECT count(*) AS n, coalesce(sum(sender = ?), 0) AS mine FROM pairing WHERE channel = ? AND state = 'pending'`,
        )
        .get(sender.id, channel);
      if (!open || open.mine > 0 || open.n >= mostPending) return undefined;
      const code = newCode();
      db.query(
        `INSERT INTO pairing (channel, sender, name, chat, state, code, at, expires_at)
         VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)`,
      ).run(channel, sender.id, sender.name, chat, code, now(), now() + hour);
      return code;
    },
    list: () =>
      rows().map(({ chat: _, expires_at, ...row }) => ({
        ...row,
        expiresAt: row.state === 'pending' ? expires_at : 0,
      })),
    approve(code, role) {
      wrong = wrong.filter((at) => at > now() - wrongWindow);
      if (wrong.length >= mostWrong)
        throw new PxError('pairing.locked', 'Too many wrong pairing codes', {
          hint: 'Wait ten minutes, then: px pairing list',
          retryable: true,
        });
      const typed = plainCode(code);
      let found: Row | undefined;
      for (const row of rows()) if (row.state === 'pending' && sameCode(row.code, typed)) found = row;
      if (!found) {
        wrong.push(now());
        throw new PxError('pairing.unknown', 'No pairing request has this code, or it expired.', {
          hint: 'px pairing list shows the open ones; a new message from the person makes a new code',
        });
      }
      const { channel, sender, name, chat } = found;
      db.query(
        `UPDATE pairing SET state = 'approved', code = '', at = ?, expires_at = 0, role = ? WHERE channel = ? AND sender = ?`,
      ).run(now(), role, channel, sender);
      return { channel, sender, name, chat };
    },
    revoke: (channel, sender) => {
      // Who was let in as the same person goes with them. The page first: after a crash in between nobody must come back by it.
      const person = `${channel}/${sender}`;
      const list = paired();
      const others = list.filter((row) => row.person !== person && (row.channel !== channel || row.sender !== sender));
      if (others.length < list.length) keep(others);
      return (
        db.query(`DELETE FROM pairing WHERE (channel = ? AND sender = ?) OR person = ?`).run(channel, sender, person)
          .changes > 0
      );
    },
  };
}

/** A code, each letter equally likely. */
export function newCode(): string {
  let code = '';
  const even = 256 - (256 % alphabet.length);
  while (code.length < codeLength)
    for (const byte of crypto.getRandomValues(new Uint8Array(16)))
      if (byte < even && code.length < codeLength) code += alphabet.charAt(byte % alphabet.length);
  return code;
}

/** A code as it was typed, without what people add. */
export const plainCode = (typed: string) => typed.toUpperCase().replace(/[\s-]/g, '');

/** Whether two codes are the same, in the same time whatever they are. */
export function sameCode(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && crypto.timingSafeEqual(left, right);
}
