import { join, sep } from 'node:path';

/** What a file call comes to when it is refused or fails: text for the plugin, after one of the words of wit/core.wit. */
export class FileError extends Error {
  /** Whether a rule of px refused it, which is told on the bus. */
  readonly denied: boolean;
  constructor(message: string, denied = false) {
    super(message);
    this.denied = denied;
  }
}

const maxPath = 4096;
const maxDepth = 32;
/** Longest name of a file, in bytes, on the file systems of Linux. */
const maxName = 255;

/**
 * The parts of a path as a plugin writes it, the granted folder's name first: `notes/2026/plan.md`. Nothing in them leads anywhere but down, and
 * no name is hidden (`.git`, `.ssh`, `.env`). Throws FileError.
 */
export function partsOf(path: string): string[] {
  const bad = (why: string) => new FileError(`invalid: ${JSON.stringify(path.slice(0, 100))}: ${why}`, true);
  if (path.length > maxPath) throw bad('too long');
  const parts = path.replace(/\/$/, '').split('/');
  if (parts.length > maxDepth) throw bad('too deep');
  for (const part of parts) {
    if (part === '') throw bad('it begins with the name of a granted folder, and has no empty part');
    if (part.startsWith('.')) throw bad('names that begin with a dot are not reached');
    if (!part.isWellFormed() || /[\u0000-\u001f\u007f]/.test(part)) throw bad('a name with control characters');
    if (Buffer.byteLength(part) > maxName) throw bad('a name that is too long');
  }
  return parts;
}

/** Whether a path is another or below it. Neither is looked up. */
export const isBelow = (inner: string, outer: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);

/** Where the folder of a grant is: `~` is the home of the person; where a plugin is tested, `root` stands for the whole file system. */
export function placeOf(path: string, { userHome, root }: { userHome: string; root?: string | undefined }): string {
  const place = path.startsWith('~/') ? join(userHome, path.slice(2)) : path;
  return root === undefined ? place : join(root, place);
}
