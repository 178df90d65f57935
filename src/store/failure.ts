import { SQLiteError } from 'bun:sqlite';
import { basename } from 'node:path';
import { PxError } from '../error/error.ts';

/** Whether SQLite says that the file itself is damaged or is no database. */
export function isCorrupt(thrown: unknown): boolean {
  return thrown instanceof SQLiteError && /^SQLITE_(CORRUPT|NOTADB)/.test(thrown.code ?? '');
}

/** What SQLite reports about a file as a PxError with the next thing to do; anything else is passed through. */
export function storeError(thrown: unknown, path: string, cache: boolean): unknown {
  if (!(thrown instanceof SQLiteError)) return thrown;
  const code = thrown.code ?? '';
  const file = basename(path);
  if (isCorrupt(thrown))
    return new PxError('store.corrupt', `${path} is damaged: ${thrown.message}`, {
      cause: thrown,
      hint: cache
        ? `Stop px, delete ${file}, and start it again: px makes it anew from memory/.`
        : `Stop px, move ${file} away and start it again. Conversations and memory are in memory/ and stay; messages in flight, stored secrets and plugins' values in this file are lost.`,
    });
  if (/^SQLITE_(BUSY|LOCKED)/.test(code))
    return new PxError('store.locked', `${path} is in use by another process`, {
      cause: thrown,
      retryable: true,
      hint: 'Is another px running for this home? `px status` shows it.',
    });
  if (/^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(code))
    return new PxError('internal', `${path} cannot be written: ${thrown.message}`, {
      cause: thrown,
      retryable: true,
      hint: `Check free space and rights of the folder of ${file}.`,
    });
  return thrown;
}
