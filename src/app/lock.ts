import { Database } from 'bun:sqlite';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../config/config.ts';
import { PxError } from '../error/error.ts';

/** A home held by this process alone. */
export interface HomeLock {
  release(): void;
}

/**
 * Takes the home for this process. It is the kernel's lock on a file that SQLite opened, so it is gone when the process is,
 * however it died; the process id beside it is only there to be named. Throws PxError `store.locked`.
 */
export function lockHome(home: Home): HomeLock {
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  const path = join(home.state, 'px.lock');
  const pidFile = join(home.state, 'px.pid');
  // SQLite gives its journal the rights of the file itself.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const db = take(path) ?? retake(path);
  if (!db) {
    const pid = readPid(pidFile);
    throw new PxError('store.locked', `Another px uses ${home.root}${pid ? ` (process ${pid})` : ''}.`, {
      hint: 'Talk to that one (`px status`, `px chat`), stop it first, or name another folder with --home.',
      retryable: true,
    });
  }
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  held.add(db);
  return {
    release() {
      if (!held.delete(db)) return;
      rmSync(pidFile, { force: true });
      db.close();
    },
  };
}

/** A database nobody refers to would be collected, and its lock with it. */
const held = new Set<Database>();

/** Undefined when another process (or another part of this one) has it. */
function take(path: string): Database | undefined {
  const db = new Database(path, { create: true, readwrite: true });
  try {
    db.run('PRAGMA busy_timeout = 0');
    db.run('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** A px that was just told to stop, as when a service restarts, is given a moment. */
function retake(path: string): Database | undefined {
  for (const ms of [50, 100, 200]) {
    Bun.sleepSync(ms);
    const db = take(path);
    if (db) return db;
  }
  return undefined;
}

const isBusy = (error: unknown) =>
  error instanceof Error && 'code' in error && /^SQLITE_(BUSY|LOCKED)/.test(String(error.code));

function readPid(path: string): string {
  try {
    return /^\d+/.exec(readFileSync(path, 'utf8'))?.[0] ?? '';
  } catch {
    return '';
  }
}
