import type { Database } from 'bun:sqlite';

/** What secrets need of a database: a `Store` fits. (Named here because `store/` stands to the right of this folder.) */
export interface SecretStore {
  readonly db: Database;
  migrate(migration: { owner: string; steps: string[] }): void;
}

/** The rows: sealed values by name, and one sealed known text that tells whether the master key is the right one. */
export interface SecretTable {
  read(name: string): Uint8Array | undefined;
  write(name: string, sealed: Uint8Array): void;
  remove(name: string): boolean;
  names(): string[];
  /** Changes when another connection has written to the database. */
  version(): number;
  readKeyCheck(): Uint8Array | undefined;
  writeKeyCheck(sealed: Uint8Array): void;
}

/** The only SQL for secrets. */
export function openTable(store: SecretStore): SecretTable {
  store.migrate({
    owner: 'secret',
    steps: [
      `CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
       CREATE TABLE secret_key (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL)`,
    ],
  });
  const { db } = store;
  type Sealed = { sealed: Uint8Array };
  return {
    read: (name) => db.query<Sealed, [string]>('SELECT sealed FROM secrets WHERE name = ?').get(name)?.sealed,
    write: (name, sealed) => {
      db.query(
        `INSERT INTO secrets (name, sealed, changed_at) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at`,
      ).run(name, sealed, Date.now());
    },
    remove: (name) => db.query('DELETE FROM secrets WHERE name = ?').run(name).changes > 0,
    names: () =>
      db
        .query<{ name: string }, []>('SELECT name FROM secrets ORDER BY name')
        .all()
        .map((row) => row.name),
    version: () => db.query<{ data_version: number }, []>('PRAGMA data_version').get()?.data_version ?? 0,
    readKeyCheck: () => db.query<Sealed, []>('SELECT sealed FROM secret_key WHERE id = 1').get()?.sealed,
    writeKeyCheck: (sealed) => {
      db.query('INSERT OR REPLACE INTO secret_key (id, sealed) VALUES (1, ?)').run(sealed);
    },
  };
}
