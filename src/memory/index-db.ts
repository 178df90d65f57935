import { openStore, type Store } from '../store/store.ts';
import type { Passage } from './chunk.ts';
import { frontTags } from './front-matter.ts';
import { pairsOf } from './script.ts';

/** What the index knows of a file. */
export interface IndexedNote {
  id: number;
  /** Times and size of the file when it was read; empty while it is being indexed. */
  stamp: string;
  /** How many bytes were read, and their hash. */
  size: number;
  hash: string;
  passages: number;
}

/** A passage that matches, best first. */
export interface Match {
  id: number;
  path: string;
  line: number;
  heading: string;
  body: string;
  /** The file's stamp: the time of its last change, in ms since the epoch, first. */
  stamp: string;
  /** bm25: smaller is better. */
  rank: number;
}

/** Which passages may match. */
export interface MatchFilter {
  /** A folder or file below memory/; empty for all. */
  under: string;
  /** First and last day (`2025-11-22`) of the files that have a day in their name. */
  from?: string;
  to?: string;
  /** What a line of a transcript's passage starts with: `Ada:`. */
  holds?: string;
  /** A tag in small letters, without `#` and characters GLOB knows: `#tag` anywhere in the passage, or in the note's front matter. */
  tag?: string;
}

/** SQLite's page cache while searches come, and at rest, in KiB; and how long after the last one it is given back, in ms. */
const cache = { busy: 4096, rest: 512, after: 5000 };

/** The FTS5 index in `state/index.db`. Markdown is the truth: the file can be deleted at any time. All of its SQL stands here. */
export class IndexDb {
  readonly #store: Store;
  /** True while changes wait for their COMMIT. */
  #held = false;
  #calm: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string) {
    this.#store = openStore(path, { cache: true });
    this.#store.migrate({
      owner: 'memory',
      steps: [
        `CREATE TABLE memory_note (
           id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, stamp TEXT NOT NULL, size INTEGER NOT NULL,
           hash TEXT NOT NULL, mark TEXT NOT NULL, passages INTEGER NOT NULL) STRICT;
         CREATE INDEX memory_note_folder ON memory_note (folder);
         CREATE TABLE memory_passage (
           id INTEGER PRIMARY KEY, note INTEGER NOT NULL, line INTEGER NOT NULL, offset INTEGER NOT NULL,
           heading TEXT NOT NULL, body TEXT NOT NULL) STRICT;
         CREATE INDEX memory_passage_note ON memory_passage (note);
         CREATE VIRTUAL TABLE memory_text USING fts5(heading, body, grams,
           content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2');
         INSERT INTO memory_text (memory_text, rank) VALUES ('hashsize', 262144);
         INSERT INTO memory_text (memory_text, rank) VALUES ('rank', 'bm25(4.0, 1.0, 1.0)');
         CREATE TABLE memory_setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;`,
        // Words are sorted in memory up to the end of a transaction: a large one makes few parts to be merged.
        `INSERT INTO memory_text (memory_text, rank) VALUES ('hashsize', 8388608);
         ALTER TABLE memory_note DROP COLUMN mark;`,
      ],
    });
    this.#store.db.run('PRAGMA wal_autocheckpoint = 250');
  }

  /** For a process that does nothing but index: more memory, fewer and larger writes. */
  hurry(): void {
    this.#store.db.run('PRAGMA cache_size = -65536');
    this.#store.db.run('PRAGMA wal_autocheckpoint = 8000');
  }

  /** Makes one part of the many that a large amount of indexing leaves: searches are then twice as fast. */
  optimize(): void {
    this.#store.db.run("INSERT INTO memory_text (memory_text) VALUES ('optimize')");
  }

  /** Several questions asked of one state of the index, with more of it kept in memory for a while. */
  asking<T>(work: () => T): T {
    const { db } = this.#store;
    if (this.#calm === undefined) db.run(`PRAGMA cache_size = -${cache.busy}`);
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => {
      this.#calm = undefined;
      db.run(`PRAGMA cache_size = -${cache.rest}`);
      this.shrink();
    }, cache.after);
    this.#calm.unref();
    if (this.#held) return work();
    db.run('BEGIN');
    try {
      return work();
    } finally {
      db.run('COMMIT');
    }
  }

  /** Lets go of what it keeps of the file in memory. */
  shrink(): void {
    this.#store.shrink();
  }

  /** Runs several changes as one. They are kept with those before them by {@link flush}, which must come before other work gets its turn. */
  together(work: () => void): void {
    if (!this.#held) this.#store.db.run('BEGIN IMMEDIATE');
    this.#held = true;
    try {
      work();
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  /** Keeps the changes made so far. */
  flush(): void {
    if (!this.#held) return;
    try {
      this.#store.db.run('COMMIT');
      this.#held = false;
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  #undo(): void {
    this.#held = false;
    if (this.#store.db.inTransaction) this.#store.db.run('ROLLBACK');
  }

  note(path: string): IndexedNote | undefined {
    return (
      this.#store.db
        .query<IndexedNote, [string]>('SELECT id, stamp, size, hash, passages FROM memory_note WHERE path = ?')
        .get(path) ?? undefined
    );
  }

  /** Path and stamp of the files in a folder (not below it). */
  inFolder(folder: string): Map<string, string> {
    const rows = this.#store.db
      .query<{ path: string; stamp: string }, [string]>('SELECT path, stamp FROM memory_note WHERE folder = ?')
      .all(folder);
    return new Map(rows.map((row) => [row.path, row.stamp]));
  }

  folders(): string[] {
    return this.#store.db
      .query<{ folder: string }, []>('SELECT DISTINCT folder FROM memory_note')
      .all()
      .map((row) => row.folder);
  }

  /** Notes a file as being indexed; keeps its passages. Returns its id. */
  open(path: string): number {
    const known = this.note(path);
    // RETURNING or ON CONFLICT would open a savepoint, and each makes FTS5 write out what it holds: ten times slower.
    if (known) {
      this.#store.db.query("UPDATE memory_note SET stamp = '', hash = '' WHERE id = ?").run(known.id);
      return known.id;
    }
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    const { lastInsertRowid } = this.#store.db
      .query("INSERT INTO memory_note (path, folder, stamp, size, hash, passages) VALUES (?, ?, '', 0, '', 0)")
      .run(path, folder);
    return Number(lastInsertRowid);
  }

  /** Notes a file as indexed. */
  done(id: number, state: Pick<IndexedNote, 'stamp' | 'size' | 'hash' | 'passages'>): void {
    this.#store.db
      .query('UPDATE memory_note SET stamp = ?, size = ?, hash = ?, passages = ? WHERE id = ?')
      .run(state.stamp, state.size, state.hash, state.passages, id);
  }

  add(note: number, path: string, passage: Passage): void {
    const { line, offset, heading, body } = passage;
    const { lastInsertRowid } = this.#store.db
      .query('INSERT INTO memory_passage (note, line, offset, heading, body) VALUES (?, ?, ?, ?, ?)')
      .run(note, line, offset, heading, body);
    const title = `${path.replace(/\.md$/i, '').replaceAll(/[/_=-]/g, ' ')} ${heading}`;
    this.#store.db
      .query('INSERT INTO memory_text (rowid, heading, body, grams) VALUES (?, ?, ?, ?)')
      .run(lastInsertRowid, title, body, pairsOf(`${title}\n${body}`));
  }

  /** Where a journal's last passage starts. */
  lastPassage(note: number): { line: number; offset: number } | undefined {
    return (
      this.#store.db
        .query<{ line: number; offset: number }, [number]>(
          'SELECT line, offset FROM memory_passage WHERE note = ? ORDER BY id DESC LIMIT 1',
        )
        .get(note) ?? undefined
    );
  }

  /** Removes up to `limit` passages of a file that start at a byte or later; returns how many there were. */
  drop(note: number, from: number, limit: number): number {
    const ids = this.#store.db
      .query<{ id: number }, [number, number, number]>(
        'SELECT id FROM memory_passage WHERE note = ? AND offset >= ? LIMIT ?',
      )
      .all(note, from, limit);
    for (const { id } of ids) {
      this.#store.db.query('DELETE FROM memory_text WHERE rowid = ?').run(id);
      this.#store.db.query('DELETE FROM memory_passage WHERE id = ?').run(id);
    }
    return ids.length;
  }

  forget(note: number): void {
    this.#store.db.query('DELETE FROM memory_note WHERE id = ?').run(note);
  }

  /** Empties the index. */
  clear(): void {
    this.together(() => {
      this.#store.db.run('DELETE FROM memory_note');
      this.#store.db.run('DELETE FROM memory_passage');
      this.#store.db.run("INSERT INTO memory_text (memory_text) VALUES ('delete-all')");
    });
    this.flush();
  }

  /** The passages that match an FTS5 expression, best first. A heading counts four times its text. */
  match(expression: string, limit: number, filter: MatchFilter): Match[] {
    return this.#matches(expression, limit, filter, 'bm25(memory_text, 4.0, 1.0, 1.0)', 'rank');
  }

  /** The passages that match an expression, latest first, all ranked alike: in bounded time, however many there are. */
  latest(expression: string, limit: number, filter: MatchFilter): Match[] {
    return this.#matches(expression, limit, filter, '0.0', 'rowid DESC');
  }

  #matches(expression: string, limit: number, filter: MatchFilter, rank: string, order: string): Match[] {
    const { under, from, to, holds, tag } = filter;
    const given: (string | number)[] = [expression, limit];
    const bind = (value: string) => `?${given.push(value)}`;
    const where: string[] = [];
    if (under !== '') {
      const at = bind(under);
      where.push(`(n.path = ${at} OR (n.path > ${at} || '/' AND n.path < ${at} || '0'))`);
    }
    // The day stands in the file's name: a journal's, or a daily note's. Ten characters before `.md`.
    if (from !== undefined)
      where.push(
        `n.path GLOB '*[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].md' AND substr(n.path, -13, 10) >= ${bind(from)}`,
      );
    if (to !== undefined) where.push(`substr(n.path, -13, 10) <= ${bind(to)}`);
    if (holds !== undefined)
      where.push(`n.path GLOB 'journal/*' AND instr(lower(char(10) || p.body), char(10) || lower(${bind(holds)})) > 0`);
    if (tag !== undefined) {
      const tagged = bind(JSON.stringify(this.#frontTagged(tag)));
      where.push(
        `(lower(p.body || ' ') GLOB '*#' || ${bind(tag)} || '[^0-9a-z_-]*' OR p.note IN (SELECT value FROM json_each(${tagged})))`,
      );
    }
    const near =
      where.length === 0
        ? ''
        : `AND rowid IN (SELECT p.id FROM memory_passage p JOIN memory_note n ON n.id = p.note WHERE ${where.join(' AND ')})`;
    const sql = `SELECT p.id, n.path, p.line, p.heading, p.body, n.stamp, t.rank
       FROM (SELECT rowid, ${rank} AS rank FROM memory_text WHERE memory_text MATCH ?1 ${near} ORDER BY ${order} LIMIT ?2) t
       JOIN memory_passage p ON p.id = t.rowid JOIN memory_note n ON n.id = p.note ORDER BY t.rank`;
    return this.#store.db.query<Match, (string | number)[]>(sql).all(...given);
  }

  /** The notes whose front matter has a tag, or one below it (`plants/roses` is below `plants`). */
  #frontTagged(tag: string): number[] {
    return this.#store.db
      .query<{ note: number; body: string }, [string]>(
        `SELECT note, body FROM memory_passage WHERE line = 1 AND body GLOB '---*' AND instr(lower(body), ?) > 0`,
      )
      .all(tag)
      .filter(({ body }) => frontTags(body).some((one) => one === tag || one.startsWith(`${tag}/`)))
      .map(({ note }) => note);
  }

  /** How many passages match an expression, counted up to a bound. */
  count(expression: string, most: number): number {
    return (
      this.#store.db
        .query<{ n: number }, [string, number]>(
          'SELECT count(*) AS n FROM (SELECT 1 FROM memory_text WHERE memory_text MATCH ? LIMIT ?)',
        )
        .get(expression, most)?.n ?? 0
    );
  }

  /** About how many passages there are; at least that many. */
  get passages(): number {
    return this.#store.db.query<{ n: number | null }, []>('SELECT max(id) AS n FROM memory_passage').get()?.n ?? 0;
  }

  /** Whether there are more notes than this. */
  holdsMoreThan(notes: number): boolean {
    return this.#store.db.query('SELECT 1 FROM memory_note LIMIT 1 OFFSET ?').get(notes) !== null;
  }

  stats(): { notes: number; chunks: number } {
    return (
      this.#store.db
        .query<{ notes: number; chunks: number }, []>(
          'SELECT count(*) AS notes, coalesce(sum(passages), 0) AS chunks FROM memory_note',
        )
        .get() ?? { notes: 0, chunks: 0 }
    );
  }

  /** A number kept beside the index, for the process that indexes in bulk. */
  setting(name: string): number | undefined {
    return this.#store.db
      .query<{ value: number }, [string]>('SELECT value FROM memory_setting WHERE name = ?')
      .get(name)?.value;
  }

  set(name: string, value: number): void {
    if (this.setting(name) === value) return;
    this.#store.db
      .query(
        'INSERT INTO memory_setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      )
      .run(name, value);
  }

  /** Gives the write-ahead log's space back. */
  checkpoint(): void {
    this.#store.db.run('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    clearTimeout(this.#calm);
    this.flush();
    this.#store.close();
  }
}
