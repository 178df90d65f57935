import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PxError } from '../error/error.ts';
import type { JsonSchema } from '../wire/wire.ts';
import { completeManifest, namePattern } from './manifest.ts';
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
  /** Its file below `plugins/`: `store/SHA256.wasm`. */
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
  /** The public key it was signed with, `ed25519:…`; absent when it is not signed by one that was trusted. */
  signer?: string;
  /** What of its asks px.yaml granted when it was installed or a person last decided, by their rules. */
  granted?: string[];
  /** Rules that versions before asked for and were granted, and this one does not ask for: taken back when it goes. */
  former?: string[];
  /** The version before, which runs again when this one fails before it has answered once. */
  previous?: Entry;
  /** What became of a version that failed, in words. */
  notice?: string;
  /** Why it is stopped until a person says otherwise. */
  quarantine?: string;
}

/** How a plugin stands whose process was not asked for yet. */
export const resting = ({ quarantine }: Entry) =>
  quarantine === undefined
    ? { state: 'idle' as const, detail: '' }
    : { state: 'quarantined' as const, detail: quarantine };

/** Files by their digest; by the plugin's name as long ago. */
const fileForm = /^(?:store\/[0-9a-f]{64}|[a-z][a-z0-9-]*)\.(wasm|ts|js)$/;
const kinds: unknown[] = ['messaging', 'tool', 'component', 'script'];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNamed = (list: unknown) =>
  Array.isArray(list) && list.every((one: unknown) => isObject(one) && typeof one['name'] === 'string');
const fits = (form: RegExp, text: unknown) => typeof text === 'string' && form.test(text);

/**
 * Whether something may be an entry: what names files and decides is looked at, the rest px wrote itself. By hand, because a schema takes
 * milliseconds of the start for fifty plugins.
 */
function isEntry(value: unknown): value is Entry {
  return (
    isObject(value) &&
    fits(fileForm, value['file']) &&
    fits(/^[0-9a-f]{64}$/, value['sha256']) &&
    typeof value['source'] === 'string' &&
    kinds.includes(value['kind']) &&
    typeof value['bytes'] === 'number' &&
    isObject(value['manifest']) &&
    isNamed(value['functions']) &&
    isNamed(value['listed']) &&
    (value['previous'] === undefined || isEntry(value['previous']))
  );
}

/** The plugins of a home, as `plugins/plugins.lock` says; their files lie in `plugins/store/` by their digests. */
export interface Registry {
  all(): [name: string, entry: Entry][];
  get(name: string): Entry | undefined;
  /** Writes the file and the lock. */
  put(name: string, entry: Entry, bytes: Uint8Array): void;
  /** Changes what is noted of a plugin; what is undefined is taken away. */
  note(name: string, change: { [key in keyof Entry]?: Entry[key] | undefined }): void;
  /** Puts the version before in the place of this one, and why; what this one and those before asked for goes with it. */
  fallBack(name: string, notice: string, former: string[]): void;
  remove(name: string): void;
  /** The plugin's file, checked against its digest. Throws PxError `plugin.invalid`. */
  read(name: string): Uint8Array;
  /** Checks the plugin's file against its digest: whole when it may have changed since the last time. Throws PxError `plugin.invalid`. */
  verify(name: string): void;
}

/** Reads `plugins.lock` once. Throws PxError `store.corrupt` when it is damaged. */
export function openRegistry(folder: string): Registry {
  const path = join(folder, 'plugins.lock');
  const plugins = new Map<string, Entry>(existsSync(path) ? parseLock(path) : []);
  /** What each file looked like when it was last found whole. */
  const whole = new Map<string, string>();
  const save = () => {
    const sorted = Object.fromEntries([...plugins].sort(([a], [b]) => (a < b ? -1 : 1)));
    writeAtomic(path, `${JSON.stringify({ version: 1, plugins: sorted }, null, 1)}\n`);
  };
  /** Deletes a file that no plugin needs any more. */
  const sweep = (file: string) => {
    const used = [...plugins.values()].some((entry) => entry.file === file || entry.previous?.file === file);
    if (!used) rmSync(join(folder, file), { force: true });
  };
  const entryOf = (name: string): Entry => {
    const entry = plugins.get(name);
    if (!entry) throw unknownPlugin(name);
    return entry;
  };
  const store = () => mkdirSync(join(folder, 'store'), { recursive: true, mode: 0o700 });
  const replace = (name: string, entry: Entry) => {
    const old = plugins.get(name);
    plugins.set(name, entry);
    save();
    for (const file of [old?.file, old?.previous?.file]) if (file !== undefined) sweep(file);
  };

  const old = [...plugins].filter(([, entry]) => !entry.file.startsWith('store/'));
  if (old.length > 0) store();
  for (const [name, entry] of old) {
    const file = storedAs(entry.sha256, entry.file);
    if (existsSync(join(folder, entry.file))) renameSync(join(folder, entry.file), join(folder, file));
    plugins.set(name, { ...entry, file });
  }
  if (old.length > 0) save();

  return {
    all: () => [...plugins],
    get: (name) => plugins.get(name),
    put(name, entry, bytes) {
      store();
      writeAtomic(join(folder, entry.file), bytes);
      replace(name, entry);
    },
    note(name, change) {
      const kept = Object.entries({ ...entryOf(name), ...change }).filter(([, value]) => value !== undefined);
      // The same entry but for what was taken away, which is optional in it.
      replace(name, Object.fromEntries(kept) as unknown as Entry);
    },
    fallBack(name, notice, former) {
      const { previous } = entryOf(name);
      if (previous) replace(name, { ...previous, notice, former });
    },
    remove(name) {
      const gone = plugins.get(name);
      if (!gone) return;
      plugins.delete(name);
      save();
      for (const file of [gone.file, gone.previous?.file]) if (file !== undefined) sweep(file);
    },
    read(name) {
      const entry = entryOf(name);
      let bytes: Uint8Array;
      try {
        bytes = readFileSync(join(folder, entry.file));
      } catch (cause) {
        throw gone(name, entry, cause);
      }
      if (sha256(bytes) !== entry.sha256) throw changed(name, entry);
      return bytes;
    },
    verify(name) {
      const entry = entryOf(name);
      const at = join(folder, entry.file);
      let mark: string;
      try {
        // Whoever changes a file cannot set its change time.
        const { dev, ino, size, ctimeNs } = statSync(at, { bigint: true });
        mark = [dev, ino, size, ctimeNs].join(' ');
        if (whole.get(entry.sha256) === mark) return;
        if (digestOf(at) !== entry.sha256) throw changed(name, entry);
      } catch (cause) {
        throw cause instanceof PxError ? cause : gone(name, entry, cause);
      }
      whole.set(entry.sha256, mark);
    },
  };
}

/** Where the file of a digest lies, below `plugins/`; its kind is told by a name it had. */
export function storedAs(digest: string, filename: string): string {
  const kind = /\.wasm$/i.test(filename) ? 'wasm' : /\.[cm]?js$/i.test(filename) ? 'js' : 'ts';
  return `store/${digest}.${kind}`;
}

/** Digest of a file, hex, read in pieces: the largest has many MiB. */
function digestOf(path: string): string {
  const hasher = new Bun.CryptoHasher('sha256');
  const piece = new Uint8Array(262_144);
  const file = openSync(path, 'r');
  try {
    for (let n = readSync(file, piece); n > 0; n = readSync(file, piece)) hasher.update(piece.subarray(0, n));
  } finally {
    closeSync(file);
  }
  return hasher.digest('hex');
}

const gone = (name: string, entry: Entry, cause: unknown) =>
  new PxError('plugin.invalid', `the file of ${name} is gone: ${entry.file}`, { cause, hint: again(entry) });
const changed = (name: string, entry: Entry) =>
  new PxError('plugin.invalid', `the file of ${name} is not the one that was installed`, { hint: again(entry) });

function parseLock(path: string): [string, Entry][] {
  try {
    const lock: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const plugins = isObject(lock) && lock['version'] === 1 ? lock['plugins'] : undefined;
    if (!isObject(plugins)) throw new Error('it is no list of plugins');
    return Object.entries(plugins).map(([name, entry]) => {
      if (!namePattern.test(name) || !isEntry(entry)) throw new Error(`the entry ${JSON.stringify(name.slice(0, 80))}`);
      return [name, grown(entry)];
    });
  } catch (cause) {
    throw new PxError('store.corrupt', 'plugins/plugins.lock is damaged', {
      cause,
      hint: 'Delete it and add the plugins again; their stored values stay.',
    });
  }
}

/** An entry that an older px wrote asks for nothing that it did not know. */
function grown(entry: Entry): Entry {
  const manifest = { ...completeManifest({}, entry.manifest.name), ...entry.manifest };
  return { ...entry, manifest, ...(entry.previous ? { previous: grown(entry.previous) } : {}) };
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
