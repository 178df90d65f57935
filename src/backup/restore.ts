import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import { lchown, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import * as v from 'valibot';
import type { HomeLock } from '../app/app.ts';
import { asOwner, type Home, homeAt, type Owner, otherOwner } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import { auditTools } from '../memory/memory.ts';
import type { Restored, RestoreOptions } from './backup.ts';
import { manifestName, parts } from './format.ts';
import { type Lean, stayLean } from './lean.ts';
import { isSealed, openStream, sealedBeginning } from './seal.ts';
import { invalid, readTar, type TarPart } from './tar.ts';

const Manifest = v.object({
  format: v.literal(1),
  at: v.number(),
  key: v.boolean(),
  // By hand: tens of thousands of entries as a schema's would be tens of MB for a moment.
  files: v.custom<Record<string, string>>(
    (files) =>
      typeof files === 'object' &&
      files !== null &&
      Object.values(files).every((sum) => typeof sum === 'string' && /^[0-9a-f]{64}$/.test(sum)),
  ),
});

/** What one archive holds, as it was unpacked. */
interface Unpacked {
  at: number;
  key: boolean;
  files: number;
}

/**
 * Makes a home from a backup. It is unpacked beside the home, checked file by file against the manifest, and only then moved into place: until then
 * what is there stays as it is, whatever happens. Restored by root, a home keeps the owner it had. Throws PxError `backup.invalid`, `backup.failed`, `conflict`, `store.locked`, `not-found`.
 */
export async function restoreHome(options: RestoreOptions): Promise<Restored> {
  const { home, executable } = options;
  const file = resolve(options.file);
  if (!existsSync(file)) throw new PxError('not-found', `There is no file ${file}.`);
  if (options.passphrase === undefined && (await isSealedFile(file)))
    throw new PxError('usage', `${file} is sealed: it needs its passphrase.`);
  const filled = existsSync(home.root) && readdirSync(home.root).length > 0;
  if (filled && !options.force)
    throw new PxError('conflict', `${home.root} is not empty.`, {
      hint: 'Restore into another folder with --home DIR, or add --force: what is there is moved aside.',
    });
  const inside = [file, executable].find((path) => path?.startsWith(home.root + sep));
  if (filled && inside !== undefined)
    throw new PxError('conflict', `${inside} stands in the home that would be moved aside.`, {
      hint: `Copy it elsewhere first: cp '${inside}' /tmp/`,
    });
  const owner = otherOwner(home);
  const held = filled && existsSync(home.state) ? await lockAsOwner(home) : undefined;
  const mark = `${process.pid}-${crypto.getRandomValues(new Uint8Array(3)).toHex()}`;
  const staging = join(dirname(home.root), `.${basename(home.root)}.restore-${mark}`);
  try {
    await sweep(dirname(home.root), `.${basename(home.root)}.restore-`);
    await mkdir(staging, { recursive: true, mode: 0o700 });
    const lean = await stayLean();
    const { at, key, files } = await unpack(options, file, staging, lean);
    lean.rest();
    const restored = homeAt(staging);
    const { verifyJournals, headsPath } = await auditTools();
    const found = await verifyJournals(restored.memory, headsPath(restored.state));
    if (owner) await giveAll(staging, owner);
    // From here on it is a matter of two names.
    const moved = filled ? `${home.root}.before-${new Date().toISOString().replace(/[:.]/g, '-')}` : '';
    if (filled) await rename(home.root, moved);
    await rename(staging, home.root);
    return {
      home: home.root,
      files,
      at,
      moved,
      withKey: key,
      journals: {
        conversations: found.conversations,
        entries: found.entries,
        problems: found.problems.map(({ path, line, reason }) => `memory/${path}#${line}: ${reason}`),
      },
    };
  } catch (thrown) {
    if (thrown instanceof PxError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown instanceof Error && 'code' in thrown && /^(?:ZSTD|Z_|ERR_)/.test(String(thrown.code)))
      throw invalid('it is damaged or no backup of px', thrown);
    throw new PxError('backup.failed', `The home could not be restored: ${why}`, { cause: thrown });
  } finally {
    held?.release();
    await rm(staging, { recursive: true, force: true });
  }
}

async function lockAsOwner(home: Home): Promise<HomeLock> {
  const { lockHome } = await import('../app/app.ts');
  using _ = asOwner(home);
  return lockHome(home);
}

/** Gives a folder, which only this process has written to, and all in it to the owner of the home it becomes. */
async function giveAll(folder: string, { uid, gid }: Owner): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), uid, gid);
  await lchown(folder, uid, gid);
}

/** True for a file that `px backup --passphrase` wrote. */
export async function isSealedFile(file: string): Promise<boolean> {
  const found = Bun.file(file);
  return (await found.exists()) && isSealed(await found.slice(0, sealedBeginning).bytes());
}

/** Removes what a restore that was killed has left. */
async function sweep(folder: string, prefix: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(prefix) ? /^\d+(?=-)/.exec(name.slice(prefix.length))?.[0] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** Unpacks into a folder and checks that it is all there, and nothing else. */
async function unpack(
  { passphrase, counted }: RestoreOptions,
  file: string,
  into: string,
  lean: Lean,
): Promise<Unpacked> {
  const raw = createReadStream(file);
  if (counted) {
    counted.total = Bun.file(file).size;
    raw.on('data', (chunk) => {
      counted.done += chunk.length;
    });
    raw.pause();
  }
  const opened = passphrase === undefined ? raw : Readable.from(openStream(raw, passphrase));
  const tar = createZstdDecompress();
  opened.on('error', (thrown) => tar.destroy(thrown));
  raw.on('error', (thrown) => tar.destroy(thrown));
  opened.pipe(tar);
  const sums = new Map<string, string>();
  let manifest: v.InferOutput<typeof Manifest> | undefined;
  try {
    for await (const part of readTar(tar)) {
      if (manifest) throw invalid('it goes on after its end');
      if (part.path === manifestName) {
        lean.rest();
        manifest = await readManifest(part);
        lean.rest();
      } else await place(part, into, sums, lean);
    }
  } finally {
    tar.destroy();
    raw.destroy();
  }
  if (!manifest) throw invalid('it is cut off');
  for (const [path, sum] of Object.entries(manifest.files))
    if (sums.get(path) !== sum) throw invalid(`${path} in it is missing or damaged`);
  for (const path of sums.keys())
    if (!Object.hasOwn(manifest.files, path)) throw invalid(`${path} in it is not in its list`);
  // What is about to take a home's place must be on disk, not only on its way there.
  await Bun.spawn(['sync'], { stdio: ['ignore', 'ignore', 'ignore'] }).exited.catch(() => {});
  return { at: manifest.at, key: manifest.key, files: sums.size };
}

async function readManifest(part: TarPart): Promise<v.InferOutput<typeof Manifest>> {
  if (part.kind !== 'file' || part.size > 256 * 1024 * 1024) throw invalid('its list is damaged');
  const chunks: Uint8Array[] = [];
  for await (const chunk of part.bytes()) chunks.push(chunk);
  try {
    return v.parse(Manifest, JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch (cause) {
    throw invalid('its list is damaged, or of a newer px', cause);
  }
}

/** Writes one entry below the folder. Its name decides nothing but where below: no way up, no root, no other part than a home's. */
async function place(part: TarPart, into: string, sums: Map<string, string>, lean: Lean): Promise<void> {
  const words = part.path.split('/');
  const [top = ''] = words;
  const odd = words.some((word) => word === '' || word === '.' || word === '..' || /[\0\\]/.test(word));
  if (odd || !(parts as readonly string[]).includes(top) || (top === 'px.yaml' && words.length > 1))
    throw invalid(`${JSON.stringify(part.path)} in it is no path of a home`);
  const path = join(into, ...words);
  const secret = top === 'state' || top === 'px.yaml';
  // Nobody else may write, and of what is secret nobody else may read; no bit but these is taken over.
  const mode = part.mode & (secret ? 0o700 : 0o755) & 0o777;
  if (part.kind === 'folder') {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = createFile(path, part);
  const hash = createHash('sha256');
  lean.file();
  try {
    for await (const chunk of part.bytes()) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
      lean.worked(chunk.length);
    }
    fchmodSync(file, mode | 0o600);
    futimesSync(file, part.at / 1000, part.at / 1000);
  } finally {
    closeSync(file);
  }
  sums.set(part.path, hash.digest('hex'));
}

function createFile(path: string, part: TarPart): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (cause) {
    throw cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
      ? invalid(`${part.path} is in it twice`, cause)
      : cause;
  }
}
