import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import { isCorrupt } from './failure.ts';

/**
 * What is damaged in a database file, in SQLite's words; empty when it is whole, or not there. Nothing is written. `quick` leaves out
 * whether indexes fit their tables. Throws what SQLite throws when the file cannot be looked at.
 */
export function checkDatabase(path: string, quick = false): string {
  if (!existsSync(path)) return '';
  let db: Database | undefined;
  try {
    db = new Database(path, { readonly: true });
    db.run('PRAGMA busy_timeout = 2000');
    const check = quick ? 'PRAGMA quick_check(1)' : 'PRAGMA integrity_check(1)';
    const said = Object.values(db.query<Record<string, string>, []>(check).get() ?? {})[0] ?? '';
    return said === 'ok' ? '' : said;
  } catch (thrown) {
    if (isCorrupt(thrown) && thrown instanceof Error) return thrown.message;
    throw thrown;
  } finally {
    db?.close();
  }
}
