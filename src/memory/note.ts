import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PxError } from '../error/error.ts';
import { changedLines } from './diff.ts';
import { Lanes, replaceFile } from './durable.ts';
import { type EditNote, openHistory } from './history.ts';
import type { Memory } from './memory.ts';
import { folderToList, pathToRead, pathToWrite } from './note-path.ts';
import { walk } from './walk.ts';

/** A note of up to so many bytes is read in one go. */
const small = 65_536;

/** How often a change is tried again because an editor saved the note at the same moment. */
const mostTries = 5;

/** Reading, writing and listing of notes. */
type Notes = Pick<Memory, 'get' | 'write' | 'list' | 'history'> & { idle(): Promise<void> };

/** The notes below a folder whose real path is `root`. `wrote` is told the path below it of each note that changed. */
export function openNotes(root: string, maxBytes: () => number, wrote: (path: string) => void): Notes {
  const lanes = new Lanes();
  const history = openHistory(root);

  const edit: EditNote = (given, change, make) => {
    const { path, file } = pathToWrite(root, given);
    return lanes.run(path, async () => {
      for (let tries = 0; tries < mostTries; tries++) {
        const stamp = stampOf(file);
        const before = await readFile(file).catch(ifMissing);
        const after = await make(before);
        if (after && after.length > maxBytes()) throw tooLarge(path, maxBytes());
        const same = before === undefined || after === undefined ? before === after : before.equals(after);
        if (same) return { path, before, after, n: 0 };
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        pathToWrite(root, given);
        const { by, ...what } = change;
        const entry = { at: Date.now(), path, ...what, ...(by ? { by } : {}), ...changedLines(before, after) };
        const { change: kept, takeBack } = await history.file.add(entry, { before, after });
        const unchanged = () => stampOf(file) === stamp;
        const done = after ? await replaceFile(file, after, unchanged) : unchanged() && (await removed(file));
        if (done) {
          wrote(path);
          await history.file.prune();
          return { path, before, after, n: kept.n };
        }
        await takeBack();
      }
      throw new PxError('conflict', `${path} keeps being changed by another program.`, { retryable: true });
    });
  };
  return {
    async get(path, from = 1, lines = Number.POSITIVE_INFINITY) {
      const found = pathToRead(root, path);
      const { size } = found;
      if (size > maxBytes()) throw tooLarge(found.path, maxBytes());
      // Every turn begins with a few small ones: to have them read elsewhere takes longer than to read them.
      const bytes = size <= small ? readFileSync(found.file) : await readFile(found.file);
      const all = textLines(bytes.toString('utf8'));
      const first = Math.max(1, Math.trunc(from) || 1);
      const text = all.slice(first - 1, first - 1 + Math.max(0, lines)).join('\n');
      return { path: found.path, from: first, text, totalLines: all.length };
    },
    async write(given, text, mode, by) {
      let line = 1;
      const { path } = await edit(given, { kind: mode, by }, (now) => {
        const old = mode === 'append' ? (now ?? Buffer.alloc(0)) : Buffer.alloc(0);
        const gap = gapBetween(old, text);
        const added = `${gap}${text.toWellFormed()}${text.endsWith('\n') || text === '' ? '' : '\n'}`;
        line = 1 + gap.length;
        for (const byte of old) if (byte === 10) line++;
        return Buffer.concat([old, Buffer.from(added)]);
      });
      return { path, line };
    },
    history: history.view(edit),
    async list(under = '') {
      const folder = folderToList(root, under);
      if (folder === undefined) return [];
      const found: string[] = [];
      for await (const { path, notes } of walk(root, folder, folder === '' ? ['journal', 'ledger', 'log'] : [])) {
        for (const { name } of notes) found.push(path === '' ? name : `${path}/${name}`);
      }
      return found.sort();
    },
    idle: () => lanes.idle(),
  };
}

const isItem = (line: string): boolean => /^\s*(?:[-*+]|\d+[.)])\s/.test(line);

/** The line breaks between a note and what is added: what begins a heading or a list stands apart, as Markdown wants it; a list goes on. */
function gapBetween(old: Buffer, text: string): string {
  if (old.length === 0) return '';
  const last =
    old
      .subarray(Math.max(0, old.length - 1000))
      .toString('utf8')
      .replace(/\n$/, '')
      .split('\n')
      .at(-1) ?? '';
  const goesOn = isItem(text) ? isItem(last) || /^\s/.test(last) : !/^#{1,6}\s/.test(text);
  return `${old.at(-1) === 10 ? '' : '\n'}${last === '' || goesOn ? '' : '\n'}`;
}

/** The lines of a text; a final line break does not start another line. */
function textLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function ifMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

/** What tells that another program saved the file meanwhile. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats ? `${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs} ${stats.size}` : '';
}

async function removed(file: string): Promise<true> {
  await unlink(file);
  return true;
}

function tooLarge(path: string, limit: number): PxError {
  return new PxError('too-large', `${path} is larger than ${limit} bytes.`, {
    hint: 'Split it, or raise memory.max_file_bytes in px.yaml.',
  });
}
