import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import type { JsonSchema } from '../wire/wire.ts';
import { namePattern } from './manifest.ts';
import type { PluginManifest } from './plugin.ts';
import type { WitFunction } from './wit/types.ts';

/** A tool a plugin listed itself, as learnt at `add`. */
export interface ListedTool {
  name: string;
  description: string;
  parameters: JsonSchema;
}

/** One installed plugin: all that is known of it without reading its file. */
export interface Entry {
  /** File name below `plugins/`. */
  file: string;
  source: string;
  kind: 'messaging' | 'tool' | 'component' | 'script';
  /** Digest of the file, hex. */
  sha256: string;
  bytes: number;
  /** Milliseconds since the epoch. */
  addedAt: number;
  manifest: PluginManifest;
  imports: string[];
  /** Exported functions; of a script their names only. */
  functions: WitFunction[];
  /** Tools of a plugin that lists its own. */
  listed: ListedTool[];
}

const Lock = v.object({
  version: v.literal(1),
  plugins: v.record(
    v.pipe(v.string(), v.regex(namePattern)),
    v.looseObject({
      file: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*\.(wasm|ts|js)$/)),
      source: v.string(),
      kind: v.picklist(['messaging', 'tool', 'component', 'script']),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      bytes: v.number(),
      functions: v.array(v.looseObject({ name: v.string() })),
      listed: v.array(v.looseObject({ name: v.string() })),
    }),
  ),
});

/** The plugins of a home, as `plugins/plugins.lock` says. */
export interface Registry {
  all(): [name: string, entry: Entry][];
  get(name: string): Entry | undefined;
  /** Writes the file and the lock; the old file of another kind goes. */
  put(name: string, entry: Entry, bytes: Uint8Array): void;
  remove(name: string): void;
  /** The plugin's file, checked against its digest. Throws PxError `plugin.invalid`. */
  read(name: string): Uint8Array;
}

/** Reads `plugins.lock` once. Throws PxError `store.corrupt` when it is damaged. */
export function openRegistry(folder: string): Registry {
  const path = join(folder, 'plugins.lock');
  const plugins = new Map<string, Entry>(existsSync(path) ? parseLock(path) : []);
  const save = () => {
    const sorted = Object.fromEntries([...plugins].sort(([a], [b]) => (a < b ? -1 : 1)));
    writeAtomic(path, `${JSON.stringify({ version: 1, plugins: sorted }, null, 1)}\n`);
  };
  return {
    all: () => [...plugins],
    get: (name) => plugins.get(name),
    put(name, entry, bytes) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const old = plugins.get(name);
      writeAtomic(join(folder, entry.file), bytes);
      plugins.set(name, entry);
      save();
      if (old && old.file !== entry.file) rmSync(join(folder, old.file), { force: true });
    },
    remove(name) {
      const old = plugins.get(name);
      if (!old) return;
      plugins.delete(name);
      save();
      rmSync(join(folder, old.file), { force: true });
    },
    read(name) {
      const entry = plugins.get(name);
      if (!entry) throw unknownPlugin(name);
      let bytes: Uint8Array;
      try {
        bytes = readFileSync(join(folder, entry.file));
      } catch (cause) {
        throw new PxError('plugin.invalid', `the file of ${name} is gone: ${entry.file}`, {
          cause,
          hint: again(entry),
        });
      }
      if (sha256(bytes) !== entry.sha256)
        throw new PxError('plugin.invalid', `the file of ${name} is not the one that was installed`, {
          hint: again(entry),
        });
      return bytes;
    },
  };
}

function parseLock(path: string): [string, Entry][] {
  try {
    const lock = v.parse(Lock, JSON.parse(readFileSync(path, 'utf8')));
    // px wrote the rest of each entry; what was checked is what names files and decides.
    return Object.entries(lock.plugins) as unknown as [string, Entry][];
  } catch (cause) {
    throw new PxError('store.corrupt', 'plugins/plugins.lock is damaged', {
      cause,
      hint: 'Delete it and add the plugins again; their stored values stay.',
    });
  }
}

const again = (entry: Entry) => `Install it again: px plugin add ${entry.source} --replace`;

/** The error for a name nobody installed. */
export function unknownPlugin(name: string): PxError {
  return new PxError('plugin.unknown', `no plugin ${JSON.stringify(name.slice(0, 80))} is installed`, {
    hint: 'See what is installed: px plugin list',
  });
}

export function sha256(bytes: Uint8Array | string): string {
  return new Bun.CryptoHasher('sha256').update(bytes).digest('hex');
}

/** Writes beside and renames over, readable by the owner only. */
export function writeAtomic(path: string, content: string | Uint8Array): void {
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, content, { mode: 0o600 });
  renameSync(beside, path);
}
