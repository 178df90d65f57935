import { lstatSync, mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { PxError } from '../error/error.ts';
import { replaceFile } from './durable.ts';
import { sha256 } from './history-file.ts';
import { pathToWrite } from './note-path.ts';

/** What is brought in: a folder of Markdown (an Obsidian vault too), or an OpenClaw home or workspace. */
export type ImportKind = 'markdown' | 'openclaw';

/** What becomes of one file. */
export interface ImportStep {
  /** Path in the folder that is brought in. */
  from: string;
  /** Path below memory/; empty for what is left out. */
  to: string;
  /** `new`; `same` is there already; `beside`: the name is taken by other words, so this one goes beside it; `left out` with why. */
  what: 'new' | 'same' | 'beside' | 'left out';
  why: string;
}

/** Bounds of one import. */
const most = { files: 200_000, bytes: 10 * 1024 * 1024 };

/**
 * Plans an import, and unless it is a `dryRun` does it. Nothing that is there is ever overwritten, nothing of the source is changed, links are not followed. Throws
 * PxError `not-found` when the folder is none.
 */
export async function importFolder(
  memory: string,
  folder: string,
  kind: ImportKind,
  dryRun: boolean,
): Promise<ImportStep[]> {
  const source = kind === 'openclaw' ? workspaceOf(resolve(folder)) : resolve(folder);
  if (!isFolder(source))
    throw new PxError('not-found', `${folder} is not a folder.`, { hint: 'Name the folder to import.' });
  if (source === memory || memory.startsWith(source + sep) || source.startsWith(memory + sep))
    throw new PxError('usage', 'This is the memory of px itself.', { hint: 'Name another folder.' });
  const prefix = kind === 'markdown' ? `${basename(source).replace(/^\.+/, '') || 'notes'}/` : '';
  const steps: ImportStep[] = [];
  for await (const path of filesIn(source)) {
    if (steps.length >= most.files) break;
    const from = path;
    if (!/\.(md|markdown)$/i.test(path)) {
      steps.push({ from, to: '', what: 'left out', why: 'not Markdown' });
      continue;
    }
    const wanted = kind === 'openclaw' ? openclawPath(path) : `${prefix}${path}`;
    steps.push(await one(memory, source, from, wanted.replace(/\.markdown$/i, '.md'), dryRun));
  }
  if (source !== resolve(folder)) steps.push(...notNotes(resolve(folder)));
  return steps;
}

/** What of an OpenClaw home px does not bring in, so that nobody believes it did. */
function notNotes(home: string): ImportStep[] {
  const known = {
    agents: 'conversations stay where they are',
    'cron/jobs.json': 'jobs are not brought in; `px schedule add` sets them',
  };
  return Object.entries(known).flatMap(([from, why]): ImportStep[] =>
    lstatSync(join(home, from), { throwIfNoEntry: false }) ? [{ from, to: '', what: 'left out', why }] : [],
  );
}

async function one(memory: string, source: string, from: string, to: string, dryRun: boolean): Promise<ImportStep> {
  try {
    const content = await readFile(join(source, from));
    if (content.length > most.bytes) return { from, to: '', what: 'left out', why: 'larger than 10 MB' };
    for (let n = 0; n < 100; n++) {
      const name = n === 0 ? to : to.replace(/\.md$/i, n === 1 ? ' (imported).md' : ` (imported ${n}).md`);
      const { path, file } = pathToWrite(memory, name);
      const there = await readFile(file).catch(() => undefined);
      if (there && sha256(there) === sha256(content)) return { from, to: path, what: 'same', why: '' };
      if (there) continue;
      if (!dryRun) {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        pathToWrite(memory, name);
        await replaceFile(file, content, () => lstatSync(file, { throwIfNoEntry: false }) === undefined);
      }
      return { from, to: path, what: n === 0 ? 'new' : 'beside', why: n === 0 ? '' : `${to} holds something else` };
    }
    return { from, to: '', what: 'left out', why: 'imported too often' };
  } catch (thrown) {
    const why = thrown instanceof PxError ? thrown.message : 'cannot be read';
    return { from, to: '', what: 'left out', why };
  }
}

/** An OpenClaw home (`~/.openclaw`) keeps its notes in `workspace/`. */
function workspaceOf(folder: string): string {
  const inside = join(folder, 'workspace');
  return isFolder(inside) ? inside : folder;
}

/** Where a workspace file belongs: daily notes of `memory/` stand beside `MEMORY.md` in px, all else keeps its place. */
function openclawPath(path: string): string {
  return /^memory\/.+/i.test(path) ? path.slice('memory/'.length) : path;
}

/** Paths of the plain files below a folder, sorted; hidden ones and links are left out. */
async function* filesIn(root: string): AsyncGenerator<string> {
  const open = [root];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) open.push(path);
      else if (entry.isFile()) yield relative(root, path).split(sep).join('/');
    }
  }
}

const isFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
