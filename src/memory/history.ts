import { join } from 'node:path';
import { PxError } from '../error/error.ts';
import { mergeTexts, unifiedDiff } from './diff.ts';
import { type ChangeRecord, HistoryFile, type HistoryLimits, sha256 } from './history-file.ts';
import type { Change, ChangeBy, History, Undone } from './memory.ts';

/** How much of the past is kept of a home. */
const usual: HistoryLimits = { changes: 5000, bytes: 64 * 1024 * 1024 };

/** Changes a note under its lane: `make` gets its bytes now and answers the new ones, undefined for no note. */
export type EditNote = (
  path: string,
  change: Pick<ChangeRecord, 'kind'> & { undoes?: number; by?: ChangeBy | undefined },
  make: (now: Buffer | undefined) => Promise<Buffer | undefined> | Buffer | undefined,
) => Promise<{ path: string; before: Buffer | undefined; after: Buffer | undefined; n: number }>;

/** The history of the notes below `root`, as far as px changed them. */
export function openHistory(root: string, limits: HistoryLimits = usual) {
  const file = new HistoryFile(join(root, '.history'), limits);

  const find = async (n: number): Promise<ChangeRecord> => {
    const found = (await file.changes()).find((one) => one.n === n);
    if (found) return found;
    throw new PxError('not-found', `There is no change #${n}.`, { hint: '`px memory log` lists the changes.' });
  };
  const content = async (change: ChangeRecord, side: 'before' | 'after'): Promise<Buffer> => {
    const bytes = await file.content(change[side]);
    if (bytes) return bytes;
    throw new PxError('not-found', `What ${change.path} was ${side} change #${change.n} is no longer kept.`, {
      hint: 'memory/.history/blobs lost it; the note itself is untouched.',
    });
  };

  /** The view people and programs get of the changes. */
  const view = (edit: EditNote): History => ({
    async log({ path, conversation, limit = 50 } = {}) {
      const all = await file.changes(path?.replace(/^memory\//, ''));
      const undone = undoneIn(all);
      const found: Change[] = [];
      for (const { before: _, after, ...one } of all.reverse()) {
        if (found.length >= limit) break;
        if (conversation !== undefined && one.by?.conversation !== conversation) continue;
        const by = undone.get(one.n);
        found.push({ ...one, ...(after === null ? { removedNote: true } : {}), ...(by ? { undoneBy: by } : {}) });
      }
      return found;
    },
    async diff(n) {
      const change = await find(n);
      const [before, after] = await Promise.all([content(change, 'before'), content(change, 'after')]);
      return { n, path: change.path, diff: await unifiedDiff(before.toString('utf8'), after.toString('utf8')) };
    },
    async undo(n, by) {
      const change = await find(n);
      const [before, after] = await Promise.all([content(change, 'before'), content(change, 'after')]);
      let state: Undone['state'] = 'undone';
      const done = await edit(change.path, { kind: 'undo', undoes: n, by }, async (now) => {
        const hash = now === undefined ? null : sha256(now);
        const wanted = change.before === null ? undefined : before;
        if (hash === change.before) state = 'nothing';
        if (hash === change.before || hash === change.after) return wanted;
        state = 'merged';
        return mergeBytes(change, { base: after, now, before, exists: change.before !== null });
      });
      return { n: done.n, undoes: n, path: change.path, state };
    },
  });
  return { file, view };
}

/** Which undo took a change back, by its number; an undo that was itself undone counts no more. */
function undoneIn(all: ChangeRecord[]): Map<number, number> {
  const undone = new Map<number, number>();
  for (const { n, undoes } of all.toReversed()) if (undoes !== undefined && !undone.has(n)) undone.set(undoes, n);
  return undone;
}

/** The note with one earlier change taken out. What a person wrote since stays; where that cannot be, nothing is written. */
async function mergeBytes(
  change: ChangeRecord,
  { base, now, before, exists }: { base: Buffer; now: Buffer | undefined; before: Buffer; exists: boolean },
): Promise<Buffer | undefined> {
  const texts = [base, now ?? Buffer.alloc(0), before].map((bytes) => bytes.toString('utf8'));
  const whole = texts.every((text, at) => Buffer.from(text).equals([base, now ?? Buffer.alloc(0), before][at] ?? base));
  const [from = '', mine = '', theirs = ''] = texts;
  const merged = whole && now !== undefined ? await mergeTexts(from, mine, theirs) : undefined;
  if (merged && merged.conflicts === 0) return merged.text === '' && !exists ? undefined : Buffer.from(merged.text);
  throw new PxError(
    'conflict',
    now === undefined
      ? `${change.path} was removed since change #${change.n}; nothing was written.`
      : `${change.path} was changed at the same lines since change #${change.n}; nothing was written.`,
    {
      hint: `\`px memory diff ${change.n}\` shows the change; edit the note by hand.`,
      ...(merged ? { data: { path: change.path, merged: merged.text } } : {}),
    },
  );
}
