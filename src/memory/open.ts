import { realpathSync } from 'node:fs';
import { relative, sep } from 'node:path';
import type { ConfigStore, Home } from '../config/config.ts';
import type { Log } from '../log/log.ts';
import type { Bus } from '../wire/wire.ts';
import { indexElsewhere, indexPath, maxBytesSetting } from './bulk.ts';
import { makeFolder } from './durable.ts';
import { Heads, headsPath } from './heads.ts';
import { IndexDb } from './index-db.ts';
import { stampOf } from './index-file.ts';
import { Indexer } from './indexer.ts';
import { openJournal } from './journal.ts';
import type { Memory } from './memory.ts';
import { openNotes } from './note.ts';
import { relevantTo } from './relevant.ts';
import { searchIndex } from './search.ts';
import { notIndexed, walk } from './walk.ts';
import { watchFolder } from './watch.ts';

/** How soon after `start` the folder is first compared with the index, in ms: not on the way to ready. */
const firstScan = 300;

/** The longest a search waits for what was just written, in ms. */
const mostFresh = 250;

/** Without announcements of changes the folder is walked this often, in seconds. */
const unwatchedScan = 15;

/** What a memory needs of px. */
export interface MemoryOptions {
  home: Home;
  config: ConfigStore;
  log: Log;
  bus: Bus;
}

/** Opens the memory of a home. The index is opened with it; the folder is watched and indexed from `start()` on, or by `settled()`. */
export async function openMemory({ home, config, log: logger, bus }: MemoryOptions): Promise<Memory> {
  const log = logger.scope('memory');
  await makeFolder(home.memory);
  const root = realpathSync(home.memory);
  const db = new IndexDb(indexPath(home.state));
  const maxBytes = () => config.current.memory.max_file_bytes;
  let stopChild = () => {};
  let watcher: ReturnType<typeof watchFolder> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let watched = true;
  /** The folder was compared with the index since it was opened. */
  let compared = false;
  let closed = false;

  const indexer = new Indexer({
    db,
    root,
    maxBytes,
    log,
    indexed: (path) => bus.emit({ type: 'memory.indexed', path, chunks: db.note(path)?.passages ?? 0 }),
    elsewhere: () => {
      db.set(maxBytesSetting, maxBytes());
      return indexElsewhere(home.root, log, (stop) => {
        stopChild = stop;
      });
    },
  });
  const wrote = (path: string) => {
    indexer.touch(path);
    watcher?.nudge();
  };
  const journal = openJournal(
    root,
    (file) => wrote(relative(root, file).split(sep).join('/')),
    new Heads(headsPath(home.state)),
  );
  const notes = openNotes(root, maxBytes, wrote);

  const rescan = (seconds: number) => {
    timer = setTimeout(
      async () => {
        compared = true;
        indexer.requestScan();
        await indexer.run();
        const { rescan_seconds } = config.current.memory;
        if (!closed) rescan(watched ? rescan_seconds : Math.min(rescan_seconds, unwatchedScan));
      },
      Math.min(seconds * 1000, 2 ** 31 - 1),
    );
    timer.unref();
  };

  return {
    journal,
    history: notes.history,
    search: (query, options) => searchIndex(db, query, options),
    relevant: (message) => relevantTo(db, message),
    get: notes.get,
    write: notes.write,
    list: notes.list,
    start() {
      if (watcher || closed) return;
      watcher = watchFolder(root, {
        touched: (path) => indexer.touch(path),
        calm: () => void indexer.run(),
        failed: (error) => {
          watched = false;
          log.warn('changes in memory/ are not announced; it is walked instead', { error: String(error) });
        },
      });
      rescan(firstScan / 1000);
    },
    fresh() {
      // A search right after the start finds what an index that was deleted, or is old, does not hold yet.
      if (!compared) indexer.requestScan();
      compared = true;
      return Promise.race([indexer.run(), Bun.sleep(mostFresh)]);
    },
    async settled() {
      indexer.requestScan();
      await Promise.all([indexer.run(), journal.idle()]);
    },
    async rebuild() {
      db.clear();
      indexer.requestScan();
      await indexer.run();
    },
    ready() {
      db.holdsMoreThan(0);
    },
    stats: () => db.stats(),
    compare: () => compareIndex(db, root),
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      watcher?.close();
      stopChild();
      await Promise.all([indexer.close(), journal.idle(), notes.idle()]);
      db.close();
    },
  };
}

/** See `compare` of the surface. Nothing is changed. */
async function compareIndex(db: IndexDb, root: string): Promise<{ files: number; stale: number; gone: number }> {
  let files = 0;
  let stale = 0;
  let known = 0;
  for await (const { path, notes } of walk(root, '', notIndexed))
    for (const { name, stats } of notes) {
      files++;
      const note = db.note(path === '' ? name : `${path}/${name}`);
      if (note) known++;
      // A file that was new when it was indexed is marked so.
      if (note?.stamp.replace(/ fresh$/, '') !== stampOf(stats)) stale++;
    }
  return { files, stale, gone: Math.max(0, db.stats().notes - known) };
}
