import { readFileSync, type Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Chunker, type Passage } from './chunk.ts';
import { journalPassages } from './chunk-journal.ts';
import type { IndexDb, IndexedNote } from './index-db.ts';
import type { Breath } from './walk.ts';

/** How many passages are changed in one transaction. */
const batch = 12;

/** Files up to this size are read in one go, in bytes; for larger ones the event loop is left free. */
const small = 262_144;

/** The index and the rhythm of the work on it. */
export interface Work {
  db: IndexDb;
  /** Real path of memory/. */
  root: string;
  maxBytes: () => number;
  breath: Breath;
}

/** Ends the stamp of a file that was too large to be read: it is looked at again by each walk, since the bound may have been raised. */
export const largeMark = ' large';

/** What tells whether a file changed since it was read: a person can set one time of a file, but not the other. */
export function stampOf(stats: Stats): string {
  return `${stats.mtimeMs} ${stats.ctimeMs} ${stats.size}`;
}

/** Brings one file's part of the index up to date; false when nothing had changed. Works in slices. */
export async function indexFile(work: Work, path: string, stats: Stats): Promise<boolean> {
  const { db } = work;
  const known = db.note(path);
  if (known?.stamp === stampOf(stats)) return false;
  const journal = path.startsWith('journal/');
  // File times are coarse: a file that changed just now may change again under the same time, and is looked at again next time.
  const stamp = !journal && Date.now() - stats.ctimeMs < 50 ? `${stampOf(stats)} fresh` : stampOf(stats);
  if (stats.size > work.maxBytes()) {
    const left = `${stampOf(stats)}${largeMark}`;
    return known?.stamp === left ? false : replace(work, path, { stamp: left, size: stats.size, hash: 'large' }, []);
  }
  const bytes = await readWhole(work, path, stats.size);
  const hash = hashOf(bytes);
  if (known && known.hash === hash) {
    db.together(() => db.done(known.id, { ...known, stamp }));
    return false;
  }
  const state = { stamp, size: bytes.length, hash };
  if (journal && known && (await indexAppended(work, path, known, state, bytes))) return true;
  const binary = bytes.subarray(0, 8192).includes(0);
  const passages = binary ? [] : journal ? journalPassages(bytes, { offset: 0, line: 1 }) : notePassages(bytes);
  return replace(work, path, state, passages);
}

const hashOf = (bytes: Buffer): string => Bun.hash(bytes).toString(36);

/** Takes a file out of the index. */
export async function removeFile({ db, breath }: Work, path: string): Promise<void> {
  const known = db.note(path);
  if (!known) return;
  for (let more = true; more; ) {
    db.together(() => {
      more = db.drop(known.id, 0, batch) === batch;
      if (!more) db.forget(known.id);
    });
    if (breath.due) await breath.pause();
  }
}

type State = Pick<IndexedNote, 'stamp' | 'size' | 'hash'>;
type Passages = Iterable<Passage | undefined>;

async function replace(work: Work, path: string, state: State, passages: Passages): Promise<boolean> {
  const { db, breath } = work;
  if (db.note(path)) {
    for (let more = true; more; ) {
      db.together(() => {
        more = db.drop(db.open(path), 0, batch) === batch;
      });
      if (breath.due) await breath.pause();
    }
  }
  await add(work, path, state, passages, 0);
  return true;
}

/** Adds passages in small transactions; the file counts as indexed with the last one only. */
async function add({ db, breath }: Work, path: string, state: State, passages: Passages, had: number): Promise<void> {
  let held: Passage[] = [];
  let count = had;
  let id: number | undefined;
  const write = (last: boolean) =>
    db.together(() => {
      id ??= db.open(path);
      for (const passage of held) db.add(id, path, passage);
      count += held.length;
      held = [];
      if (last) db.done(id, { ...state, passages: count });
    });
  for (const passage of passages) {
    if (passage) held.push(passage);
    if (held.length >= batch) write(false);
    if (breath.due) await breath.pause();
  }
  write(true);
}

/** A journal that only grew is read on from its last passage; false when it must be read whole. */
async function indexAppended(
  work: Work,
  path: string,
  known: IndexedNote,
  state: State,
  bytes: Buffer,
): Promise<boolean> {
  const { db } = work;
  const last = db.lastPassage(known.id);
  if (known.stamp === '' || !last || bytes.length <= known.size) return false;
  if (hashOf(bytes.subarray(0, known.size)) !== known.hash) return false;
  const added = bytes.subarray(last.offset);
  const lineBreaks = added.subarray(0, firstCharacter(added)).filter((byte) => byte === 10).length;
  const line = last.offset === 0 ? 1 : last.line - lineBreaks;
  let dropped = 0;
  db.together(() => {
    dropped = db.drop(db.open(path), last.offset, 10_000);
  });
  const passages = journalPassages(added, { offset: last.offset, line });
  await add(work, path, state, passages, known.passages - dropped);
  return true;
}

async function readWhole({ root, breath }: Work, path: string, size: number): Promise<Buffer> {
  const file = join(root, path);
  if (size <= small) return readFileSync(file);
  await breath.pause();
  return readFile(file);
}

function firstCharacter(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 10 || bytes[at] === 13) at++;
  return at;
}

/** The passages of an ordinary note. Bytes that are no UTF-8 become replacement characters. */
function* notePassages(bytes: Buffer): Generator<Passage | undefined> {
  const chunker = new Chunker();
  let lines = 0;
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.toString('utf8', at, bytes[end - 1] === 13 && end > at ? end - 1 : end);
    at = end + 1;
    yield* chunker.feed(line);
    if (++lines % 64 === 0) yield undefined;
  }
  yield* chunker.end();
}
