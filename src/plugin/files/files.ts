import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import type { PluginConfig } from '../../config/config.ts';
import { parseFolder } from '../../policy/policy.ts';
import { FileError, partsOf, placeOf } from './path.ts';
import { measure, type Usage } from './usage.ts';
import { type Dir, enter, look, openFile, openRoot, orFail, plainFile, within } from './walk.ts';

/** What file calls work with. */
export interface FilesOptions {
  /** Read anew for each call. */
  config(): Pick<PluginConfig, 'grants' | 'limits'>;
  /** px's own home, which is never reached. */
  home: string;
  /** What `~` means in a grant. */
  userHome: string;
  /** A folder that stands for the whole file system, where a plugin is tested. */
  root?: string | undefined;
}

/** A file or folder as `host-api` tells it. Modified in milliseconds since the epoch. */
interface FileEntry {
  name: string;
  kind: 'file' | 'folder' | 'other';
  size: number;
  modified: number;
}

/** The file calls of one plugin: within its granted folders, and nowhere else. All throw FileError. */
export interface Files {
  /** What is in a folder, by name; of the empty path the granted folders. Hidden names are left out. */
  list(path: string): Promise<FileEntry[]>;
  stat(path: string): Promise<FileEntry>;
  /** At most `length` bytes of a file from `offset` on. */
  read(path: string, offset: number, length: number): Promise<Uint8Array>;
  /** Puts a whole file in place at once; folders on the way are made. */
  write(path: string, content: Uint8Array): Promise<void>;
  /** Deletes a file, or a folder with nothing in it. */
  delete(path: string): Promise<void>;
}

/** A granted folder that is open. */
interface Root {
  path: string;
  dir: Dir;
}

/** Most entries of a folder that are told. */
const maxEntries = 2_000;
/** How long what a folder holds is taken as counted, in ms; what the plugin changes is counted at once. */
const measuredFor = 30_000;

/** Makes the file calls of one plugin. */
export function createFiles(options: FilesOptions): Files {
  const { home } = options;
  const measured = new Map<string, { at: number; usage: Usage }>();

  function granted(name: string, write: boolean): string {
    const { files } = options.config().grants;
    const rule = Object.hasOwn(files, name) ? files[name] : undefined;
    if (rule === undefined) throw new FileError(`denied: no folder ${JSON.stringify(name)} is granted`, true);
    const folder = parseFolder(rule);
    if (write && !folder.write) throw new FileError(`denied: ${name} may be read and not changed`, true);
    return placeOf(folder.path, options);
  }

  /** Opens the folder that holds what a path names, and hands over the last name; `.` for a granted folder itself. */
  async function at<T>(
    path: string,
    how: { write: boolean; make?: boolean },
    use: (dir: Dir, name: string, root: Root) => Promise<T>,
  ): Promise<T> {
    const [folder = '', ...inner] = partsOf(path);
    const rootPath = granted(folder, how.write);
    const name = inner.pop() ?? '.';
    const writable = parseFolder(options.config().grants.files[folder] ?? '').write;
    if (options.root !== undefined) await mkdir(rootPath, { recursive: true });
    const root = await openRoot(rootPath, writable, home);
    let dir = root;
    try {
      for (const part of inner) {
        if (how.make && !(await look(dir, part)))
          (await take({ path: rootPath, dir: root }, { files: 1, bytes: 0 })).files++;
        const next = await enter(dir, part, how.make ?? false, home);
        if (dir !== root) await dir.close();
        dir = next;
      }
      return await use(dir, name, { path: rootPath, dir: root });
    } finally {
      if (dir !== root) await dir.close();
      await root.close();
    }
  }

  async function entry(dir: Dir, name: string): Promise<FileEntry | undefined> {
    const found = await look(dir, name);
    if (!found) return undefined;
    const kind = found.isDirectory() ? 'folder' : found.isFile() && found.nlink === 1 ? 'file' : 'other';
    return { name, kind, size: kind === 'file' ? found.size : 0, modified: Math.max(0, Math.round(found.mtimeMs)) };
  }

  /** What a granted folder holds by now, counted anew when that was long ago. */
  async function usageOf(root: Root): Promise<Usage> {
    const known = measured.get(root.path);
    if (known && Date.now() - known.at < measuredFor) return known.usage;
    const { folder_files } = options.config().limits;
    const usage = await measure(root.dir, folder_files, home);
    measured.set(root.path, { at: Date.now(), usage });
    return usage;
  }

  /** Counts what a call is about to add. Throws FileError where that is more than the folder may hold. */
  async function take(root: Root, { files, bytes }: Usage): Promise<Usage> {
    const { folder_files, folder_bytes } = options.config().limits;
    const usage = await usageOf(root);
    if (files > 0 && usage.files + files > folder_files)
      throw new FileError(`too-large: the folder may hold ${folder_files} files (limits.folder_files)`, true);
    if (bytes > 0 && usage.bytes + bytes > folder_bytes)
      throw new FileError(`too-large: the folder may hold ${folder_bytes} bytes (limits.folder_bytes)`, true);
    return usage;
  }

  return {
    async list(path) {
      if (path === '')
        return Object.keys(options.config().grants.files)
          .sort()
          .map((name) => ({ name, kind: 'folder', size: 0, modified: 0 }));
      return at(path, { write: false }, async (parent, name) => {
        const dir = name === '.' ? parent : await enter(parent, name, false, home);
        try {
          const names = await orFail(readdir(`/proc/self/fd/${dir.fd}`), path);
          const shown = names.filter((one) => !one.startsWith('.')).sort();
          const entries: FileEntry[] = [];
          for (const one of shown.slice(0, maxEntries)) entries.push(...[(await entry(dir, one)) ?? []].flat());
          return entries;
        } finally {
          if (dir !== parent) await dir.close();
        }
      });
    },
    stat: (path) =>
      at(path, { write: false }, async (dir, name) => {
        const found = await entry(dir, name);
        if (!found) throw new FileError(`not-found: ${path}`);
        return { ...found, name: path.replace(/\/$/, '').split('/').at(-1) ?? name };
      }),
    read: (path, offset, length) =>
      at(path, { write: false }, async (dir, name) => {
        const { file_bytes } = options.config().limits;
        const file = await openFile(dir, name);
        try {
          const { size } = await file.stat();
          const wanted = Math.min(length, Math.max(0, size - offset));
          if (wanted > file_bytes)
            throw new FileError(
              `too-large: ${wanted} bytes at once; ${file_bytes} may be read (limits.file_bytes)`,
              true,
            );
          const bytes = new Uint8Array(wanted);
          let got = 0;
          while (got < wanted) {
            const { bytesRead } = await orFail(file.read(bytes, got, wanted - got, offset + got), path);
            if (bytesRead === 0) break;
            got += bytesRead;
          }
          return bytes.subarray(0, got);
        } finally {
          await file.close();
        }
      }),
    async write(path, content) {
      const { file_bytes } = options.config().limits;
      if (content.length > file_bytes)
        throw new FileError(
          `too-large: ${content.length} bytes; ${file_bytes} may be written (limits.file_bytes)`,
          true,
        );
      await at(path, { write: true, make: true }, async (dir, name, root) => {
        const found = await look(dir, name);
        if (found) plainFile(found, path);
        const added = { files: found ? 0 : 1, bytes: content.length - (found?.size ?? 0) };
        const usage = await take(root, added);
        await replace(dir, name, content, found ? found.mode & 0o777 : 0o600);
        usage.files += added.files;
        usage.bytes += added.bytes;
      });
    },
    delete: (path) =>
      at(path, { write: true }, async (dir, name, root) => {
        if (name === '.') throw new FileError('denied: a granted folder itself is not deleted', true);
        const found = await look(dir, name);
        const usage = measured.get(root.path)?.usage;
        if (found?.isDirectory()) await orFail(rmdir(within(dir, name)), path);
        else {
          plainFile(found, path);
          await orFail(unlink(within(dir, name)), path);
        }
        if (usage) {
          usage.files--;
          usage.bytes -= found?.isFile() ? found.size : 0;
        }
      }),
  };
}

/** Writes beside and renames over: a reader sees the old file or the new one, and a link that stands there is replaced, not followed. */
async function replace(dir: Dir, name: string, content: Uint8Array, mode: number): Promise<void> {
  if (name === '.') throw new FileError('invalid: a granted folder is no file');
  const beside = within(dir, `.px-${randomBytes(8).toString('hex')}.tmp`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await orFail(open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), name);
  try {
    try {
      await orFail(file.writeFile(content), name);
      await orFail(file.chmod(mode), name);
      await orFail(file.sync(), name);
    } finally {
      await file.close();
    }
    await orFail(rename(beside, within(dir, name)), name);
  } catch (thrown) {
    await unlink(beside).catch(() => {});
    throw thrown;
  }
}
