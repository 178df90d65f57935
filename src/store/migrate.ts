import type { Database } from 'bun:sqlite';
import { basename } from 'node:path';
import { PxError } from '../error/error.ts';
import type { Migration } from './store.ts';

/** Makes the table that remembers how far each owner's tables are. Reading it also proves that the file is a database. */
export function openMigrations(db: Database): void {
  db.run('CREATE TABLE IF NOT EXISTS px_schema (owner TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID');
}

/** Runs the steps an owner's tables do not have yet. Call inside a transaction: all of them or none. */
export function migrate(db: Database, path: string, migration: Migration, cache: boolean): void {
  const { owner, steps } = migration;
  const row = db.query<{ version: number }, [string]>('SELECT version FROM px_schema WHERE owner = ?').get(owner);
  const version = row?.version ?? 0;
  if (version > steps.length)
    throw new PxError(
      'store.newer',
      `${path} was written by a newer px: its ${owner} tables have version ${version}, this px knows ${steps.length}`,
      {
        hint: cache
          ? `Delete ${basename(path)}: px makes it anew from memory/.`
          : 'Install the newer px again; an older one would damage the file.',
      },
    );
  if (version === steps.length) return;
  for (const step of steps.slice(version)) db.run(step);
  db.query('INSERT OR REPLACE INTO px_schema (owner, version) VALUES (?, ?)').run(owner, steps.length);
}
