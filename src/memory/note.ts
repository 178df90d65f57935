import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PxError } from '../error/error.ts';
import { Lanes, replaceFile } from './durable.ts';
import type { Memory } from './memory.ts';
import { folderToList, pathToRead, pathToWrite } from './note-path.ts';
import { walk } from './walk.ts';

/** Reading, writing and listing of notes. */
type Notes = Pick<Memory, 'get' | 'write' | 'list'> & { idle(): Promise<void> };

/** The notes below a folder whose real path is `root`. `wrote` is told the path below it of each note that changed. */
export function openNotes(root: string, maxBytes: () => number, wrote: (path: string) => void): Notes {
  const lanes = new Lanes();
  return {
    async get(path, from = 1, lines = Number.POSITIVE_INFINITY) {
      const found = pathToRead(root, path);
      const size = Bun.file(found.file).size;
      if (size > maxBytes()) throw tooLarge(found.path, maxBytes());
      const all = textLines((await readFile(found.file)).toString('utf8'));
      const first = Math.max(1, Math.trunc(from) || 1);
      const text = all.slice(first - 1, first - 1 + Math.max(0, lines)).join('\n');
      return { path: found.path, from: first, text, totalLines: all.length };
    },
    write(given, text, mode) {
      const { path, file } = pathToWrite(root, given);
      return lanes.run(path, async () => {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        pathToWrite(root, given);
        const old = mode === 'append' ? await readFile(file).catch(ifMissing) : Buffer.alloc(0);
        const gap = old.length > 0 && old.at(-1) !== 10 ? '\n' : '';
        const added = `${gap}${text.toWellFormed()}${text.endsWith('\n') || text === '' ? '' : '\n'}`;
        const content = Buffer.concat([old, Buffer.from(added)]);
        if (content.length > maxBytes()) throw tooLarge(path, maxBytes());
        await replaceFile(file, content);
        wrote(path);
        let line = gap === '' ? 1 : 2;
        for (const byte of old) if (byte === 10) line++;
        return { path, line };
      });
    },
    async list(under = '') {
      const folder = folderToList(root, under);
      if (folder === undefined) return [];
      const found: string[] = [];
      for await (const { path, notes } of walk(root, folder, folder === '' ? ['journal', 'log'] : [])) {
        for (const { name } of notes) found.push(path === '' ? name : `${path}/${name}`);
      }
      return found.sort();
    },
    idle: () => lanes.idle(),
  };
}

/** The lines of a text; a final line break does not start another line. */
function textLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function ifMissing(error: unknown): Buffer {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}

function tooLarge(path: string, limit: number): PxError {
  return new PxError('too-large', `${path} is larger than ${limit} bytes.`, {
    hint: 'Split it, or raise memory.max_file_bytes in px.yaml.',
  });
}
