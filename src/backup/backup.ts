export { isSealedFile, restoreHome } from './restore.ts';
export { backUpHome, backupName } from './take.ts';

import type { Home } from '../config/config.ts';

/** How far it has come: in bytes of the home. */
interface Counted {
  done: number;
  total: number;
}

/** How a backup is taken. */
export interface BackupOptions {
  home: Home;
  version: string;
  /** Where it is written; there must be nothing yet. */
  file: string;
  /** Seals the whole file. */
  passphrase?: string;
  /** False: without `master.key`, so that nothing secret in it can be opened, after a restore neither. */
  key?: boolean;
  /** Is kept up to date with how far it has come. */
  counted?: Counted;
}

/** What a backup holds. */
export interface BackedUp {
  file: string;
  files: number;
  /** Bytes of the archive. */
  bytes: number;
  sealed: boolean;
  withKey: boolean;
  /** Links and other things that are no files, which are left out. */
  leftOut: string[];
}

/** How a home is restored. */
export interface RestoreOptions {
  home: Home;
  file: string;
  /** Needed when the file is sealed. */
  passphrase?: string;
  /** Moves aside what is in the home. */
  force?: boolean;
  /** Where the running px stands: a home that holds it is not moved. */
  executable?: string;
  counted?: Counted;
}

/** What a restore did. */
export interface Restored {
  home: string;
  files: number;
  /** When the backup was taken, ms since the epoch. */
  at: number;
  /** Where the home that was there is now; empty when there was none. */
  moved: string;
  /** False when the master key was left out: stored secrets cannot be opened. */
  withKey: boolean;
  /** Journals that fit their hashes, and the first problem of each of the others. */
  journals: { conversations: number; entries: number; problems: string[] };
}
