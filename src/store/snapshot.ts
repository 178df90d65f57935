import { Database } from 'bun:sqlite';
import { closeSync, openSync } from 'node:fs';
import { storeError } from './failure.ts';

/**
 * Writes a database as it is at this moment into a new file, also while another process works with it: what is committed is in it, and nothing
 * else. The new file is readable by its owner only. Throws PxError `store.*`, also when it is there already.
 */
export function snapshotDatabase(path: string, target: string): void {
  try {
    const db = new Database(path, { readwrite: true });
    try {
      db.run('PRAGMA busy_timeout = 10000');
      // SQLite writes into an empty file, and would make one that others may read.
      closeSync(openSync(target, 'wx', 0o600));
      db.query('VACUUM INTO ?').run(target);
    } finally {
      db.close();
    }
  } catch (thrown) {
    throw storeError(thrown, path, false);
  }
}
