import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { PxError } from '../error/error.ts';

/** Folders that only px itself writes. */
const ownFolders = ['journal', 'ledger', 'log'];

/** Who may talk to px, and what is allowed without asking: kept by px, so that nothing a model writes lets anybody in or gives it leave. */
const ownFiles: { [file: string]: string } = { 'people.md': 'px pairing', 'approvals.md': 'px approvals' };

/** A path as people are shown it: on one line, whatever is in its names. */
export const shownPath = (path: string): string => path.toWellFormed().replace(/[\0-\x1f\x7f]/g, '\ufffd');

const refuse = (path: string, why: string, hint = 'Name a .md file below memory/, for example people/ada.md.') =>
  new PxError('memory.path', `“${shownPath(path.slice(0, 200))}” ${why}.`, { hint });

/**
 * A path below memory/ as px names it: forward slashes, no `.` or empty parts, a leading `memory/` dropped. Throws PxError `memory.path` for all
 * that is no plain relative path.
 */
export function plainPath(path: string): string {
  if (path.length > 1000) throw refuse(path, 'is too long');
  if (/[\0-\x1f\x7f]/.test(path) || !path.isWellFormed())
    throw refuse(path, 'holds characters a file name may not have');
  const slashed = path.replaceAll('\\', '/');
  if (isAbsolute(path) || slashed.startsWith('/') || /^[a-z]:/i.test(path)) throw refuse(path, 'is an absolute path');
  const parts = slashed.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refuse(path, 'leads out of memory/');
  if (parts[0] === 'memory' && parts.length > 1) parts.shift();
  return parts.join('/');
}

/** Where a note to be read is on disk, and its size in bytes: links are followed as long as they stay inside. Throws `memory.path`, `not-found`. */
export function pathToRead(root: string, path: string): { path: string; file: string; size: number } {
  const plain = notePath(path);
  const file = join(root, plain);
  // Nothing can be a link on the way to a note in memory/ itself, which four of each turn are.
  const own = plain.includes('/') ? undefined : lstatSync(file, { throwIfNoEntry: false });
  if (own?.isFile()) return { path: plain, file, size: own.size };
  let real: string;
  try {
    real = realpathSync(file);
  } catch {
    throw new PxError('not-found', `There is no note ${plain}.`, { hint: 'px memory search TEXT finds notes.' });
  }
  if (!inside(root, real)) throw refuse(path, 'is a link out of memory/');
  const stats = lstatSync(real);
  if (!stats.isFile()) throw refuse(path, 'is not a file');
  return { path: plain, file: real, size: stats.size };
}

/** Where a note to be written is on disk. Throws `memory.path`: journal/ and log/ are px's own, hidden files and links are refused. */
export function pathToWrite(root: string, path: string): { path: string; file: string } {
  const plain = notePath(path);
  const parts = plain.split('/');
  if (ownFolders.includes((parts[0] ?? '').toLowerCase())) {
    throw refuse(path, 'is in a folder that only px writes', 'Write to a note of another name.');
  }
  const verb = ownFiles[plain.toLowerCase()];
  if (verb !== undefined) throw refuse(path, 'is written by px only', `\`${verb}\` changes it.`);
  if (plain.toLowerCase() === 'schedule.md') {
    // What px does by itself is not changed by what it reads or is told on the way.
    throw refuse(path, 'is the schedule', 'Change it with px schedule, or in an editor.');
  }
  if (parts.some((part) => part.startsWith('.'))) throw refuse(path, 'is hidden');
  if (parts.some((part) => Buffer.byteLength(part) > 200)) throw refuse(path, 'has a name that is too long');
  const file = join(root, plain);
  const real = deepestReal(dirname(file));
  if (!inside(root, real) || ownFolders.includes((relative(root, real).split(sep)[0] ?? '').toLowerCase())) {
    throw refuse(path, 'goes through a link to where notes may not be written');
  }
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found?.isSymbolicLink()) throw refuse(path, 'is a link');
  if (found && !found.isFile()) throw refuse(path, 'is not a file');
  return { path: plain, file };
}

/** A folder below memory/ that exists, `''` for memory/ itself; undefined when there is none of this name or it is a link. */
export function folderToList(root: string, under: string): string | undefined {
  const plain = plainPath(under);
  try {
    return realpathSync(join(root, plain)) === join(root, plain) ? plain : undefined;
  } catch {
    return undefined;
  }
}

function notePath(path: string): string {
  const plain = plainPath(path);
  if (!plain.toLowerCase().endsWith('.md') || basename(plain).length < 4)
    throw refuse(path, 'is not a Markdown file (.md)');
  return plain;
}

function inside(root: string, real: string): boolean {
  return real === root || real.startsWith(root + sep);
}

/** The real path of the nearest folder above that exists. A link that leads nowhere counts as existing and fails. */
function deepestReal(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    if (lstatSync(at, { throwIfNoEntry: false }) === undefined) continue;
    try {
      return realpathSync(at);
    } catch {
      return sep;
    }
  }
}
