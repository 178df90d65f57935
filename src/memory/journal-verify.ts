import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConversationId } from '../wire/wire.ts';
import { type Head, Heads } from './heads.ts';
import { chain, daysIn } from './journal-file.ts';
import { folderOf } from './journal-folder.ts';
import { closers, parseHeader } from './journal-parse.ts';

/** What {@link verifyJournal} found: all well, or the first place where the journal is not what px wrote. */
export type JournalVerdict =
  | { ok: true; files: number; entries: number }
  | {
      ok: false;
      /** Path below `memory/`. */
      path: string;
      /** First line, from 1, of the entry that does not fit its hash. */
      line: number;
      reason:
        | 'altered'
        | 'entries missing'
        | 'file missing before'
        | 'unfinished end'
        /** Entries px had written are not at the end any more. */
        | 'newest entries missing'
        /** The hashes fit each other, but are not the ones px wrote. */
        | 'rewritten'
        | 'conversation missing';
    };

/** A journal's first problem. */
export type JournalProblem = Extract<JournalVerdict, { ok: false }>;

/**
 * Checks all journals against their hashes and, with the folder of `heads`, against where px left them. Lists the first problem of each conversation.
 */
export async function verifyJournals(
  memory: string,
  headsFolder?: string,
): Promise<{ conversations: number; files: number; entries: number; problems: JournalProblem[] }> {
  const root = join(memory, 'journal');
  const heads = headsFolder === undefined ? undefined : new Heads(headsFolder);
  const folders = (await readdir(root).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
  const found = { conversations: 0, files: 0, entries: 0, problems: [] as JournalProblem[] };
  for (const folder of folders) {
    const verdict = await verifyFolder(root, folder, heads?.read(folder));
    if (!verdict.ok) found.problems.push(verdict);
    else if (verdict.files === 0) continue;
    else {
      found.files += verdict.files;
      found.entries += verdict.entries;
    }
    found.conversations++;
  }
  for (const name of heads?.names() ?? [])
    if (!folders.includes(name))
      found.problems.push({ ok: false, path: `journal/${name}`, line: 1, reason: 'conversation missing' });
  return found;
}

/**
 * Checks the hash chain of one conversation's journal, or of all, and names the first altered line. What was cut off cleanly from the very end of the last
 * file cannot be told from the journal alone: {@link verifyJournals} can.
 */
export async function verifyJournal(memory: string, conversation?: ConversationId): Promise<JournalVerdict> {
  const root = join(memory, 'journal');
  const folders = conversation === undefined ? (await readdir(root).catch(() => [])).sort() : [folderOf(conversation)];
  const total = { files: 0, entries: 0 };
  for (const folder of folders) {
    const verdict = await verifyFolder(root, folder);
    if (!verdict.ok) return verdict;
    total.files += verdict.files;
    total.entries += verdict.entries;
  }
  return { ok: true, ...total };
}

async function verifyFolder(root: string, folder: string, heads: Head[] = []): Promise<JournalVerdict> {
  // Two ends may have one number: the one px left, and the one it came to after that was taken away.
  const due = Map.groupBy(heads, (head) => head.seq);
  let latest: JournalProblem = { ok: false, path: `journal/${folder}`, line: 1, reason: 'conversation missing' };
  let hash = '';
  let seq = 0;
  let files = 0;
  let entries = 0;
  for (const day of await daysIn(join(root, folder))) {
    const path = `journal/${folder}/${day}`;
    const bytes = await readFile(join(root, folder, day));
    const wrong = (at: number, reason: Exclude<JournalVerdict, { ok: true }>['reason']): JournalVerdict => ({
      ok: false,
      path,
      line: lineAt(bytes, at),
      reason,
    });
    const head = parseHeader(bytes);
    if (!head) return wrong(0, 'altered');
    if (head.previous !== hash)
      return wrong(0, files === 0 || head.previous !== '' ? 'file missing before' : 'altered');
    let end = 0;
    let pending = 0;
    for (const closer of closers(bytes)) {
      const expected = chain(hash, bytes.subarray(closer.start, closer.hashAt));
      if (expected !== closer.hash) return wrong(closer.start, 'altered');
      pending = closer.kind === 'recovered' ? 1 : pending + 1;
      if (closer.seq !== seq + pending) return wrong(closer.start, 'entries missing');
      hash = closer.hash;
      end = closer.end;
      if (due.get(closer.seq)?.some((head) => head.hash !== hash)) return wrong(closer.start, 'rewritten');
      due.delete(closer.seq);
      if (closer.more) continue;
      seq += pending;
      entries += pending;
      pending = 0;
    }
    if (pending > 0 || bytes.toString('latin1', end).trim() !== '') return wrong(end, 'unfinished end');
    files++;
    latest = { ok: false, path, line: lineAt(bytes, bytes.length), reason: 'newest entries missing' };
  }
  if (due.size > 0) return latest;
  return { ok: true, files, entries };
}

/** The line of the first character at or after an offset that is not a line break. */
function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = 0; at < bytes.length && (at < offset || bytes[at] === 10); at++) if (bytes[at] === 10) line++;
  return line;
}
