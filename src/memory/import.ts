import { lstatSync, mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { PxError } from '../error/error.ts';
import { replaceFile } from './durable.ts';
import { sha256 } from './history-file.ts';
import { type ForeignSession, isOpenclawHome, openclawSessions, otherWorkspaces } from './import-openclaw.ts';
import { dayOf } from './journal-folder.ts';
import { pathToWrite } from './note-path.ts';

export { type ForeignJob, openclawJobs } from './import-jobs.ts';

/** What is brought in: a folder of Markdown (an Obsidian vault too), or an OpenClaw home or workspace. */
export type ImportKind = 'markdown' | 'openclaw';

/** What becomes of one file. */
export interface ImportStep {
  /** Path in the folder that is brought in. */
  from: string;
  /** Path below memory/; empty for what is left out. */
  to: string;
  /**
   * `new`; `same` is there already; `grown`: a conversation that went on since the last import; `beside`: the name is taken by other words, so this one goes beside
   * it; `left out` with why.
   */
  what: 'new' | 'same' | 'grown' | 'beside' | 'left out';
  why: string;
  /** True for a conversation. */
  session?: true;
}

/** Bounds of one import. */
const most = { files: 200_000, bytes: 10 * 1024 * 1024 };

/** Where notes go, and whether they really do. */
interface Target {
  memory: string;
  dryRun: boolean;
}

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
  const given = resolve(folder);
  const home = kind === 'openclaw' && isFolder(given) && isOpenclawHome(given);
  const source = home ? join(given, 'workspace') : given;
  if (!isFolder(given))
    throw new PxError('not-found', `${folder} is not a folder.`, { hint: 'Name the folder to import.' });
  if (given === memory || memory.startsWith(source + sep) || source.startsWith(memory + sep))
    throw new PxError('usage', 'This is the memory of px itself.', { hint: 'Name another folder.' });
  const prefix = kind === 'markdown' ? `${basename(source).replace(/^\.+/, '') || 'notes'}/` : '';
  const target = { memory, dryRun };
  const steps: ImportStep[] = [];
  if (home && !isFolder(source))
    steps.push(leftOut('workspace', 'there is none here; where it is: px import openclaw FOLDER brings it in'));
  for await (const { path, link } of isFolder(source) ? filesIn(source) : []) {
    if (steps.length >= most.files) break;
    if (link) steps.push(leftOut(path, 'a link'));
    else if (!/\.(md|markdown)$/i.test(path)) steps.push(leftOut(path, 'not Markdown'));
    else {
      const wanted = kind === 'openclaw' ? openclawPath(path) : `${prefix}${path}`;
      steps.push(await note(target, source, path, wanted.replace(/\.markdown$/i, '.md')));
    }
  }
  if (!home) return steps;
  for (const other of await otherWorkspaces(given))
    steps.push(leftOut(other, `of another agent; px import openclaw ${join(folder, other)} brings it in`));
  for await (const session of openclawSessions(given)) steps.push(await conversation(target, session));
  return steps;
}

async function note(target: Target, source: string, from: string, to: string): Promise<ImportStep> {
  try {
    const path = join(source, from);
    if (lstatSync(path).size > most.bytes) return leftOut(from, 'larger than 10 MB');
    return await put(target, from, to, await readFile(path));
  } catch (thrown) {
    return leftOut(from, whyNot(thrown));
  }
}

/** A conversation becomes a note of its own; one that went on is written anew when nobody changed the note since. */
async function conversation(target: Target, { from, to, read, why = '' }: ForeignSession): Promise<ImportStep> {
  if (!read) return { ...leftOut(from, why), session: true };
  try {
    const { text, day, bad, cut } = await read();
    const counted = [
      ...(bad === 0 ? [] : [`${bad} ${bad === 1 ? 'line' : 'lines'} could not be read`]),
      ...(cut ? ['only its beginning fits'] : []),
    ].join(', ');
    if (text === '')
      return { ...leftOut(from, `nothing was said${counted === '' ? '' : `; ${counted}`}`), session: true };
    const step = await put(target, from, to(day ?? dayOf(0)), Buffer.from(text), (there) =>
      text.startsWith(there.trimEnd()),
    );
    return { ...step, why: [step.why, counted].filter((one) => one !== '').join('; '), session: true };
  } catch (thrown) {
    return { ...leftOut(from, whyNot(thrown)), session: true };
  }
}

/** Writes a note below a name that is free, unless these words are there. `grew` says of other words whether these are their continuation. */
async function put(
  { memory, dryRun }: Target,
  from: string,
  to: string,
  content: Buffer,
  grew: (there: string) => boolean = () => false,
): Promise<ImportStep> {
  for (let n = 0; n < 100; n++) {
    const name = n === 0 ? to : to.replace(/\.md$/i, n === 1 ? ' (imported).md' : ` (imported ${n}).md`);
    const { path, file } = pathToWrite(memory, name);
    const there = await readFile(file).catch(() => undefined);
    if (there && sha256(there) === sha256(content)) return { from, to: path, what: 'same', why: '' };
    const grown = there !== undefined && grew(there.toString('utf8'));
    if (there && !grown) continue;
    if (!dryRun) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      pathToWrite(memory, name);
      const before = lstatSync(file, { throwIfNoEntry: false })?.mtimeMs;
      if (there === undefined && before !== undefined) continue;
      const unchanged = () => lstatSync(file, { throwIfNoEntry: false })?.mtimeMs === before;
      if (!(await replaceFile(file, content, unchanged))) return leftOut(from, `${path} was changed meanwhile`);
    }
    if (grown) return { from, to: path, what: 'grown', why: 'it went on' };
    return { from, to: path, what: n === 0 ? 'new' : 'beside', why: n === 0 ? '' : `${to} holds something else` };
  }
  return leftOut(from, 'imported too often');
}

const leftOut = (from: string, why: string): ImportStep => ({ from, to: '', what: 'left out', why });
const whyNot = (thrown: unknown): string => (thrown instanceof PxError ? thrown.message : 'cannot be read');

/** Where a workspace file belongs: daily notes of `memory/` stand beside `MEMORY.md` in px, all else keeps its place. */
function openclawPath(path: string): string {
  return /^memory\/.+/i.test(path) ? path.slice('memory/'.length) : path;
}

/** Paths of the plain files and the links below a folder, sorted; hidden ones are left out, and no link is followed. */
async function* filesIn(root: string): AsyncGenerator<{ path: string; link: boolean }> {
  const open = [root];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) open.push(path);
      else if (entry.isFile() || entry.isSymbolicLink())
        yield { path: relative(root, path).split(sep).join('/'), link: entry.isSymbolicLink() };
    }
  }
}

const isFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
