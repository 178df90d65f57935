import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConversationId } from '../wire/wire.ts';
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
      reason: 'altered' | 'entries missing' | 'file missing before' | 'unfinished end';
    };

/**
 * Checks the hash chain of one conversation's journal, or of all, and names the first altered line. What was cut off cleanly from the very end of the last
 * file cannot be told from the journal alone.
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

async function verifyFolder(root: string, folder: string): Promise<JournalVerdict> {
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
      if (closer.more) continue;
      seq += pending;
      entries += pending;
      pending = 0;
    }
    if (pending > 0 || bytes.toString('latin1', end).trim() !== '') return wrong(end, 'unfinished end');
    files++;
  }
  return { ok: true, files, entries };
}

/** The line of the first character at or after an offset that is not a line break. */
function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = 0; at < bytes.length && (at < offset || bytes[at] === 10); at++) if (bytes[at] === 10) line++;
  return line;
}
