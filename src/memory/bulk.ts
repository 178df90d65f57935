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

/** The process that indexes in bulk, as the px that started it sees it. */
export interface BulkIndexer {
  /** A path below memory/ was saved just now: it goes before the many. */
  touch(path: string): void;
  stop(): void;
}

/**
 * What the hidden verb `px __index <home>` runs: {@link indexOnce}, told on its stdin (a path below memory/ as JSON, one a line) what was saved meanwhile. The end
 * of stdin is the end of the px that started it, and its own.
 */
export async function indexForParent(homeRoot: string): Promise<void> {
  await indexOnce(homeRoot, (indexer) => void follow(indexer));
  // Reading on would keep the process alive.
  process.exit(0);
}

async function follow(indexer: Indexer): Promise<void> {
  for await (const line of console) indexer.touch(String(JSON.parse(line)));
  await indexer.close();
  process.exit(1);
}

/** Brings a home's whole index up to date and returns; `begun` gets what does it. */
export async function indexOnce(homeRoot: string, begun: (indexer: Indexer) => void = () => {}): Promise<void> {
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
    begun(indexer);
    indexer.requestScan();
    await indexer.run();
    if (indexer.changed > many) db.optimize();
    db.checkpoint();
  } finally {
    db.close();
  }
}

/** Runs {@link indexOnce} in a process of its own; false when this is not the compiled px, or it failed. `started` gets it, and nothing when it has ended. */
export async function indexElsewhere(
  homeRoot: string,
  log: Log,
  started: (child: BulkIndexer | undefined) => void,
): Promise<boolean> {
  if (!Bun.main.startsWith('/$bunfs/')) return false;
  try {
    const child = Bun.spawn([process.execPath, '__index', homeRoot], {
      env: {},
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'ignore',
    });
    started({
      touch(path) {
        const said = async () => {
          child.stdin.write(`${JSON.stringify(path)}\n`);
          await child.stdin.flush();
        };
        // It just ended: then the file is found by the one who touched it.
        said().catch(() => {});
      },
      stop: () => child.kill(),
    });
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
  } finally {
    started(undefined);
  }
}
