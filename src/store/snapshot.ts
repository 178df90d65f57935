import { Database } from 'bun:sqlite';
import { storeError } from './failure.ts';

/**
 * Writes a database as it is at this moment into a new file, also while another process works with it: what is committed is in it, and nothing
 * else. Throws PxError `store.*`.
 */
export function snapshotDatabase(path: string, target: string): void {
  try {
    const db = new Database(path, { readwrite: true });
    try {
      db.run('PRAGMA busy_timeout = 10000');
      db.query('VACUUM INTO ?').run(target);
    } finally {
      db.close();
    }
  } catch (thrown) {
    throw storeError(thrown, path, false);
  }
}
