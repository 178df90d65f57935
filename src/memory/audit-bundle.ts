import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import { replaceFile } from './durable.ts';
import { Heads, headsPath } from './heads.ts';
import { sha256 } from './history-file.ts';
import { daysIn } from './journal-file.ts';
import { type JournalProblem, verifyJournals } from './journal-verify.ts';

/** First line of what is signed: no other signature of this key can be taken for one of a bundle. */
const purpose = 'px audit bundle 1\n';

const manifestSchema = v.object({
  format: v.literal('px-audit-1'),
  /** Milliseconds since the epoch. */
  made: v.number(),
  px: v.string(),
  /** Public key, SPKI in base64. */
  key: v.string(),
  /** SHA-256 and size of each file, by its path below memory/. */
  files: v.record(v.string(), v.object({ sha256: v.string(), bytes: v.number() })),
  /** Where each conversation's journal ended, by folder: lines as in state/heads. */
  heads: v.record(v.string(), v.string()),
});

/** What {@link checkAudit} found. */
interface BundleVerdict {
  ok: boolean;
  made: number;
  files: number;
  entries: number;
  /** Fingerprint of the key that signed: the start of its SHA-256. */
  key: string;
  /** Whether the key is this home's; undefined when this home has none. */
  ours: boolean | undefined;
  /** What is wrong, each with its file, and its line where that is known. */
  problems: string[];
}

/** Writes all journals, logs and people into one signed tar file. Throws PxError `conflict` when the file exists, `usage` when it cannot be written. */
export async function exportAudit(
  home: { memory: string; state: string },
  file: string,
  px: string,
): Promise<{ files: number; bytes: number; key: string }> {
  if (existsSync(file)) throw new PxError('conflict', `${file} exists.`, { hint: 'Name a new file.' });
  const { createPublicKey, sign } = await import('node:crypto');
  const key = await homeKey(home.state);
  const contents = new Map<string, Uint8Array>();
  for (const path of await auditedFiles(home.memory)) contents.set(path, await readFile(join(home.memory, path)));
  const heads = new Heads(headsPath(home.state));
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const manifest: v.InferOutput<typeof manifestSchema> = {
    format: 'px-audit-1',
    made: Date.now(),
    px,
    key: spki.toString('base64'),
    files: Object.fromEntries(
      [...contents].map(([path, bytes]) => [path, { sha256: sha256(bytes), bytes: bytes.length }]),
    ),
    heads: Object.fromEntries(
      heads.names().map((name) => [
        name,
        heads
          .read(name)
          .map((head) => `${head.seq} ${head.hash}`)
          .join('\n'),
      ]),
    ),
  };
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  const entries: Record<string, Uint8Array> = {
    'manifest.json': Buffer.from(text),
    'manifest.sig': Buffer.from(`${sign(null, Buffer.from(purpose + text), key).toString('base64')}\n`),
  };
  for (const [path, bytes] of contents) entries[`memory/${path}`] = bytes;
  const bytes = await new Bun.Archive(entries).bytes();
  try {
    await writeFile(file, bytes, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new PxError('usage', `${file} cannot be written.`, {
      hint: 'Name a file in a folder you may write to.',
      cause,
    });
  }
  return { files: contents.size, bytes: bytes.length, key: fingerprint(spki) };
}

/** Checks a bundle without its home: signature, every file, every chain. Throws PxError `not-found`, and `usage` when it is no bundle at all. */
export async function checkAudit(file: string, state: string | undefined): Promise<BundleVerdict> {
  const noBundle = (cause?: unknown) =>
    new PxError('usage', `${basename(file)} is not an audit bundle.`, { hint: 'px audit export FILE', cause });
  if (!existsSync(file))
    throw new PxError('not-found', `There is no ${file}.`, { hint: 'px audit export FILE makes one.' });
  const { createPublicKey, verify } = await import('node:crypto');
  const contents = new Map<string, Uint8Array>();
  try {
    for (const [path, one] of await new Bun.Archive(await readFile(file)).files())
      contents.set(path, await one.bytes());
  } catch (cause) {
    throw noBundle(cause);
  }
  const text = Buffer.from(contents.get('manifest.json') ?? []).toString('utf8');
  let manifest: v.InferOutput<typeof manifestSchema>;
  let spki: Buffer;
  let genuine: boolean;
  try {
    manifest = v.parse(manifestSchema, JSON.parse(text));
    spki = Buffer.from(manifest.key, 'base64');
    const key = createPublicKey({ key: spki, type: 'spki', format: 'der' });
    const signature = Buffer.from(Buffer.from(contents.get('manifest.sig') ?? []).toString('latin1'), 'base64');
    genuine = key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(purpose + text), key, signature);
  } catch (cause) {
    throw noBundle(cause);
  }
  const problems = genuine ? [] : ['manifest.json: the signature does not fit'];
  for (const [path, { sha256: wanted }] of Object.entries(manifest.files)) {
    const bytes = contents.get(`memory/${path}`);
    if (!bytes) problems.push(`${path}: missing`);
    else if (sha256(bytes) !== wanted) problems.push(`${path}: altered`);
  }
  for (const path of contents.keys())
    if (
      path !== 'manifest.json' &&
      path !== 'manifest.sig' &&
      !Object.hasOwn(manifest.files, path.replace(/^memory\//, ''))
    )
      problems.push(`${path}: not in the manifest`);
  const chains = await verifyContents(contents, manifest.heads);
  for (const { path, line, reason } of chains.problems) problems.push(`${path}:${line}: ${reason}`);
  const own = state === undefined ? undefined : await readKey(state).catch(() => undefined);
  const ownKey = own && fingerprint(createPublicKey(own).export({ type: 'spki', format: 'der' }));
  const key = fingerprint(spki);
  return {
    ok: problems.length === 0,
    made: manifest.made,
    files: Object.keys(manifest.files).length,
    entries: chains.entries,
    key,
    ours: ownKey === undefined ? undefined : ownKey === key,
    problems,
  };
}

/** Lays the journals out in a temporary folder and checks their chains. Only names that px itself gives are laid out. */
async function verifyContents(
  contents: Map<string, Uint8Array>,
  heads: Record<string, string>,
): Promise<{ entries: number; problems: JournalProblem[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'px-audit-'));
  try {
    for (const [path, bytes] of contents) {
      const [, name = '', day = ''] = /^memory\/journal\/([\w.=~-]+)\/(\d{4}-\d\d-\d\d\.md)$/.exec(path) ?? [];
      if (day === '' || /^\.+$/.test(name)) continue;
      await mkdir(join(folder, 'memory/journal', name), { recursive: true });
      await writeFile(join(folder, 'memory/journal', name, day), bytes);
    }
    await mkdir(join(folder, 'heads'));
    for (const [name, lines] of Object.entries(heads))
      if (/^[\w.=~-]+$/.test(name) && !/^\.+$/.test(name)) await writeFile(join(folder, 'heads', name), `${lines}\n`);
    return await verifyJournals(join(folder, 'memory'), join(folder, 'heads'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What an auditor needs: the journals, the log, the list of people, the list of changes to notes. */
async function auditedFiles(memory: string): Promise<string[]> {
  const found: string[] = [];
  const journal = join(memory, 'journal');
  for (const name of (await readdir(journal).catch(() => [])).sort())
    for (const day of await daysIn(join(journal, name))) found.push(`journal/${name}/${day}`);
  for (const day of await daysIn(join(memory, 'log'))) found.push(`log/${day}`);
  return [...found, ...['people.md', '.history/changes.md'].filter((path) => existsSync(join(memory, path)))];
}

const keyPath = (state: string) => join(state, 'audit.key');

const fingerprint = (spki: Uint8Array): string => sha256(spki).slice(0, 32);

async function readKey(state: string): Promise<KeyObject> {
  const { createPrivateKey } = await import('node:crypto');
  return createPrivateKey(await readFile(keyPath(state), 'utf8'));
}

/** The home's Ed25519 key, made at the first export. It never replaces one. */
async function homeKey(state: string): Promise<KeyObject> {
  const path = keyPath(state);
  if (!existsSync(path)) {
    const { generateKeyPairSync } = await import('node:crypto');
    const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const partial = `${path}.${crypto.randomUUID()}`;
    await replaceFile(partial, made);
    await chmod(partial, 0o600);
    await link(partial, path).catch(() => {});
    await rm(partial);
  }
  try {
    return await readKey(state);
  } catch (cause) {
    throw new PxError('secret.corrupt', `${path} is not an Ed25519 key.`, {
      cause,
      hint: 'Put it back from a backup, or move it away: the next export makes a new one.',
    });
  }
}
