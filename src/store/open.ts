import { Database } from 'bun:sqlite';
import { chmodSync, closeSync, fdatasync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { PxError } from '../error/error.ts';
import { isCorrupt, storeError } from './failure.ts';
import { migrate, openMigrations } from './migrate.ts';
import type { Store } from './store.ts';

/** How a database is opened. */
export interface StoreOptions {
  /**
   * The file can be made again from something else (`state/index.db`): it is synced less, and a damaged one is deleted
   * and made anew instead of reported.
   */
  cache?: boolean;
  /** How long a statement waits for another process's lock, in ms; 5000 when left out. */
  busyMs?: number;
}

/**
 * Opens or makes a database file, readable by its owner only.
 * Throws PxError `store.corrupt`, `store.locked`, and `store.newer` from `migrate`.
 */
export function openStore(path: string, options: StoreOptions = {}): Store {
  try {
    return openOnce(path, options);
  } catch (thrown) {
    if (!options.cache || !isCorrupt(thrown)) throw storeError(thrown, path, options.cache === true);
  }
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(path + end, { force: true });
  try {
    return openOnce(path, options);
  } catch (thrown) {
    throw storeError(thrown, path, true);
  }
}

function openOnce(path: string, options: StoreOptions): Store {
  const cache = options.cache === true;
  if (path !== ':memory:') privateFile(path);
  const db = new Database(path, { create: true, readwrite: true, strict: true });
  try {
    prepare(db, cache, options.busyMs ?? 5_000);
  } catch (thrown) {
    db.close();
    throw thrown;
  }
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      throw storeError(thrown, path, cache);
    }
  };
  const log = walSync(path);
  let open = true;
  return {
    db,
    path,
    migrate: (migration) => guarded(() => transact(db, () => migrate(db, path, migration, cache))),
    transaction: (work) => guarded(() => transact(db, work)),
    quickly: (work) =>
      guarded(() => {
        if (db.inTransaction) return transact(db, work);
        db.run('PRAGMA synchronous = NORMAL');
        try {
          return transact(db, work);
        } finally {
          db.run(`PRAGMA synchronous = ${cache ? 'NORMAL' : 'FULL'}`);
        }
      }),
    synced: () => log.synced(),
    shrink: () => void db.run('PRAGMA shrink_memory'),
    ready: () => guarded(() => void db.query('PRAGMA schema_version').get()),
    close: () => {
      if (!open) return;
      open = false;
      log.close();
      try {
        if (path !== ':memory:') db.run('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch {
        // The log stays beside the file and is replayed at the next open: nothing is lost.
      }
      db.close();
    },
  };
}

/**
 * Syncs the write-ahead log apart from SQLite, which would stop everything while the disk works: what was committed before the call is on disk
 * when it resolves, as if each commit had been synced. Calls that come meanwhile share the next one.
 */
function walSync(path: string): { synced(): Promise<void>; close(): void } {
  let file: number | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const sync = () =>
    new Promise<void>((resolve, reject) => {
      file ??= openSync(`${path}-wal`, 'r');
      fdatasync(file, (error) => (error ? reject(error) : resolve()));
    });
  const start = (): Promise<void> => {
    next = undefined;
    const mine = sync().finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  };
  return {
    synced() {
      if (path === ':memory:') return Promise.resolve();
      if (!running) return start();
      next ??= running.then(start, start);
      return next;
    },
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}

/** SQLite gives `-wal` and `-shm` the mode of the file itself, so only that one has to exist first. */
function privateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}

function prepare(db: Database, cache: boolean, busyMs: number): void {
  db.run(`PRAGMA busy_timeout = ${Math.max(0, Math.trunc(busyMs))}`);
  db.run('PRAGMA journal_mode = WAL');
  // FULL: what is committed survives power loss. A cache only has to survive being killed.
  db.run(`PRAGMA synchronous = ${cache ? 'NORMAL' : 'FULL'}`);
  db.run('PRAGMA foreign_keys = ON');
  db.run('PRAGMA trusted_schema = OFF');
  db.run('PRAGMA cache_size = -512');
  db.run('PRAGMA mmap_size = 0');
  db.run('PRAGMA temp_store = MEMORY');
  db.run('PRAGMA journal_size_limit = 4194304');
  openMigrations(db);
}

/** One IMMEDIATE transaction, or a savepoint inside one that is open: an inner failure undoes the inner work only. */
function transact<T>(db: Database, work: () => T): T {
  const inner = db.inTransaction;
  db.run(inner ? 'SAVEPOINT px_inner' : 'BEGIN IMMEDIATE');
  try {
    const result = work();
    if (result instanceof Promise) {
      result.catch(() => {});
      throw new PxError('internal', 'a transaction must not wait: its work returned a promise');
    }
    db.run(inner ? 'RELEASE px_inner' : 'COMMIT');
    return result;
  } catch (thrown) {
    // SQLite rolls back by itself on some failures (disk full, I/O error).
    if (db.inTransaction) {
      if (inner) db.run('ROLLBACK TO px_inner; RELEASE px_inner');
      else db.run('ROLLBACK');
    }
    throw thrown;
  }
}
