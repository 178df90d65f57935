import type { Database } from 'bun:sqlite';

/** One owner's tables: numbered steps, run once each and in order. The owner's file is the only one with SQL for them. */
export interface Migration {
  owner: string;
  /** SQL of version 1, 2, … Steps are only ever appended. */
  steps: string[];
}

/** An open database with the pragmas px uses (WAL, small cache, foreign keys). */
export interface Store {
  readonly db: Database;
  readonly path: string;
  /** Brings an owner's tables up to date. */
  migrate(migration: Migration): void;
  /** Runs in one IMMEDIATE transaction; rolls back when it throws. */
  transaction<T>(work: () => T): T;
  /** The same without waiting for the disk: it holds against the end of px, and against power loss once `synced` resolves. */
  quickly<T>(work: () => T): T;
  /** Resolves when all that is committed is on disk. Nothing else of px waits meanwhile. */
  synced(): Promise<void>;
  /** Lets go of the pages it keeps in memory. */
  shrink(): void;
  /** Throws PxError `store.*` when the database cannot be read. */
  ready(): void;
  close(): void;
}

export { checkDatabase } from './check.ts';
export { openStore, type StoreOptions } from './open.ts';
export { snapshotDatabase } from './snapshot.ts';
