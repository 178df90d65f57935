import { realpathSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { createLog, type Log } from '../log/log.ts';
import { IndexDb } from './index-db.ts';
import { Indexer } from './indexer.ts';

/** The name of the limit that is handed to the process that indexes in bulk, kept in the index itself. */
export const maxBytesSetting = 'max_file_bytes';

/** After so many notes the index is tidied up. */
const many = 2000;

/** Where a home's index is. */
export const indexPath = (state: string): string => join(state, 'index.db');

/** Brings a home's whole index up to date and returns: what the hidden verb `px __index <home>` runs. */
export async function indexOnce(homeRoot: string): Promise<void> {
  const db = new IndexDb(indexPath(join(homeRoot, 'state')));
  try {
    const root = realpathSync(join(homeRoot, 'memory'));
    const indexer = new Indexer({
      db,
      root,
      maxBytes: () => db.setting(maxBytesSetting) ?? 10_485_760,
      log: createLog(),
      alone: true,
    });
    db.hurry();
    indexer.requestScan();
    await indexer.run();
    if (indexer.changed > many) db.optimize();
    db.checkpoint();
  } finally {
    db.close();
  }
}

/** Runs {@link indexOnce} in a process of its own; false when this is not the compiled px, or it failed. `started` gets a way to stop it. */
export async function indexElsewhere(
  homeRoot: string,
  log: Log,
  started: (stop: () => void) => void,
): Promise<boolean> {
  if (!Bun.main.startsWith('/$bunfs/')) return false;
  try {
    const child = Bun.spawn([process.execPath, '__index', homeRoot], {
      env: {},
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    });
    started(() => child.kill());
    try {
      setPriority(child.pid, 19);
    } catch {
      // It only would have been kinder to others.
    }
    const code = await child.exited;
    if (code !== 0 && child.signalCode === null) log.warn('indexing in a process of its own failed', { code });
    return code === 0;
  } catch (error) {
    log.warn('indexing in a process of its own failed', { error: String(error) });
    return false;
  }
}
