import { realpathSync } from 'node:fs';
import { relative, sep } from 'node:path';
import type { ConfigStore, Home } from '../config/config.ts';
import type { Log } from '../log/log.ts';
import type { Bus } from '../wire/wire.ts';
import { type BulkIndexer, indexElsewhere, indexPath, maxBytesSetting } from './bulk.ts';
import { makeFolder } from './durable.ts';
import { Heads, headsPath } from './heads.ts';
import { IndexDb } from './index-db.ts';
import { largeMark, stampOf } from './index-file.ts';
import { Indexer } from './indexer.ts';
import { openJournal } from './journal.ts';
import type { Memory } from './memory.ts';
import { openNotes } from './note.ts';
import { relevantTo } from './relevant.ts';
import { searchIndex } from './search.ts';
import { notIndexed, walk } from './walk.ts';
import { watchFolder } from './watch.ts';

/** How soon after `start` the folder is watched and first compared with the index, in ms: with many folders neither is quick, and px has to be ready. */
const firstScan = 300;

/** The longest a search waits for what was just written, in ms. */
const mostFresh = 250;

/**
 * Without announcements of changes the folder is walked: so many times as long as a walk takes after it, in seconds from `least` to `most`. A few hundred notes are found
 * within a second, many do not keep a processor busy.
 */
const unwatched = { times: 40, least: 0.6, most: 15 };

/** After changes were indexed the next ones wait so many times as long as that took, at most so many ms: a search that is asked for does not. */
const rest = { times: 10, most: 2_000 };

/** What a memory needs of px. */
export interface MemoryOptions {
  home: Home;
  config: ConfigStore;
  log: Log;
  bus: Bus;
  /** How changes are heard of; the system's own way when left out. */
  watch?: typeof watchFolder;
}

/** Opens the memory of a home. The index is opened with it; the folder is watched and indexed from `start()` on, or by `settled()`. */
export async function openMemory(options: MemoryOptions): Promise<Memory> {
  const { home, config, bus, watch = watchFolder } = options;
  const log = options.log.scope('memory');
  await makeFolder(home.memory);
  const root = realpathSync(home.memory);
  const db = new IndexDb(indexPath(home.state));
  const maxBytes = () => config.current.memory.max_file_bytes;
  let child: BulkIndexer | undefined;
  let watcher: ReturnType<typeof watchFolder> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let started = false;
  let watched = true;
  /** Until when changes wait, in ms of `performance.now`; the timer that then takes them in. */
  let restUntil = 0;
  let resting: ReturnType<typeof setTimeout> | undefined;
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
      return indexElsewhere(home.root, log, (begun) => {
        child = begun;
      });
    },
    touched: (path) => child?.touch(path),
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

  const listen = () =>
    watch(root, {
      touched: (path) => indexer.touch(path),
      calm: () => void takeIn(),
      failed: (error) => {
        if (!watched || closed) return;
        watched = false;
        // The next walk may be minutes away.
        rescan(firstScan / 1000);
        log.warn('changes in memory/ are not announced; it is walked instead', { error: String(error) });
      },
    });
  const rescan = (seconds: number) => {
    clearTimeout(timer);
    timer = setTimeout(
      async () => {
        // What changes while the folder is compared must be heard of.
        watcher ??= listen();
        compared = true;
        indexer.requestScan();
        const before = performance.now();
        await indexer.run();
        if (closed) return;
        const { rescan_seconds } = config.current.memory;
        const took = (performance.now() - before) / 1000;
        const soon = Math.min(unwatched.most, Math.max(unwatched.least, unwatched.times * took));
        rescan(watched ? rescan_seconds : Math.min(rescan_seconds, soon));
      },
      Math.min(seconds * 1000, 2 ** 31 - 1),
    );
    timer.unref();
  };

  /** Indexes what was touched, and then rests, so that of files that are written all the time several changes are taken in together. */
  const takeIn = async () => {
    const begun = performance.now();
    if (closed || resting) return;
    if (begun < restUntil) {
      resting = setTimeout(() => {
        resting = undefined;
        void takeIn();
      }, restUntil - begun);
      resting.unref();
      return;
    }
    await indexer.run();
    const now = performance.now();
    restUntil = now + Math.min(rest.most, rest.times * (now - begun));
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
      if (started || closed) return;
      started = true;
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
    shrink: () => db.shrink(),
    compare: () => compareIndex(db, root),
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      clearTimeout(resting);
      watcher?.close();
      child?.stop();
      await Promise.all([indexer.close(), journal.idle(), notes.idle()]);
      db.close();
    },
  };
}

/** Names of files that are told. */
const mostTold = 5;

/** See `compare` of the surface. Nothing is changed. */
async function compareIndex(db: IndexDb, root: string): ReturnType<Memory['compare']> {
  let files = 0;
  let stale = 0;
  let known = 0;
  const large: string[] = [];
  for await (const { path: folder, notes } of walk(root, '', notIndexed))
    for (const { name, stats } of notes) {
      files++;
      const path = folder === '' ? name : `${folder}/${name}`;
      const note = db.note(path);
      if (note) known++;
      if (note?.stamp.endsWith(largeMark) && large.length < mostTold) large.push(path);
      // A file that was new when it was indexed is marked so, and one that was left out.
      if (note?.stamp.replace(/ (?:fresh|large)$/, '') !== stampOf(stats)) stale++;
    }
  return { files, stale, gone: Math.max(0, db.stats().notes - known), large };
}
