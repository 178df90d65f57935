import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { PxError } from '../error/error.ts';
import { type PartialManifest, readManifest } from './manifest.ts';
import { maxFileBytes } from './prepare.ts';

/** A plugin's file, wherever it came from. Nothing in it has been looked at yet. */
export interface SourceFile {
  bytes: Uint8Array;
  filename: string;
  kind: 'component' | 'script';
  manifest: PartialManifest;
  /** Where it came from, for people. */
  source: string;
}

const scripts = /\.[cm]?[jt]s$/i;
const fetchMs = 60_000;

/**
 * Reads a plugin from a file, a folder with `plugin.yaml`, an http(s) URL (http on this machine only), or from what px carries.
 * Throws PxError `not-found`, `plugin.invalid`, `too-large`.
 */
export async function readSource(source: string): Promise<SourceFile> {
  if (/^https?:\/\//i.test(source)) return fromUrl(source);
  const path = resolve(source);
  const found = look(path);
  if (found?.isDirectory()) return fromFolder(path);
  if (found?.isFile()) return fromFile(path, {}, path);
  const carried = await fromCarried(source);
  if (carried) return carried;
  throw new PxError('not-found', `there is no file, folder or carried plugin ${JSON.stringify(source.slice(0, 200))}`, {
    hint: 'Give a .wasm, .ts or .js file, a folder with plugin.yaml, an https URL, or one of: px plugin add clock',
  });
}

/** What stands at a path; undefined also for a name that no file system takes. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** A file of a folder somebody else made: a link out of it, a pipe or a device is not read. */
function insideFile(folder: string, name: string): string {
  const path = join(folder, name);
  const found = look(path);
  if (!found) throw new PxError('not-found', `there is no file ${path}`);
  if (!found.isFile() || !realpathSync(path).startsWith(realpathSync(folder) + sep))
    throw new PxError('plugin.invalid', `${path} is no file of this folder`, {
      hint: 'A plugin is a plain file; links out of its folder are not followed.',
    });
  return path;
}

async function fromFile(path: string, manifest: PartialManifest, source: string): Promise<SourceFile> {
  if ((look(path)?.size ?? 0) > maxFileBytes) throw tooLarge();
  return sourceFile(await Bun.file(path).bytes(), basename(path), manifest, source);
}

async function fromFolder(path: string): Promise<SourceFile> {
  const manifest = await manifestIn(path);
  const candidates = manifest.file
    ? [manifest.file]
    : readdirSync(path).filter((name) => name.endsWith('.wasm') || (scripts.test(name) && !name.endsWith('.d.ts')));
  const [wasm] = candidates.filter((name) => name.endsWith('.wasm'));
  const file = wasm ?? candidates.find((name) => /^(plugin|index)\./.test(name)) ?? candidates[0];
  if (file === undefined)
    throw new PxError('plugin.invalid', `the folder ${path} holds no .wasm, .ts or .js file`, {
      hint: 'Build the plugin first; its README says how.',
    });
  return fromFile(insideFile(path, file), { ...manifest, name: manifest.name ?? basename(path) }, path);
}

async function manifestIn(path: string): Promise<PartialManifest> {
  if (!look(join(path, 'plugin.yaml'))) return {};
  const file = Bun.file(insideFile(path, 'plugin.yaml'));
  if (file.size > 65_536) throw tooLarge();
  try {
    return readManifest(Bun.YAML.parse(await file.text()) ?? {}, 'plugin.yaml');
  } catch (thrown) {
    if (thrown instanceof PxError) throw thrown;
    throw new PxError('plugin.invalid', 'plugin.yaml is not YAML', { cause: thrown });
  }
}

async function fromUrl(source: string): Promise<SourceFile> {
  const url = new URL(source);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !local)
    throw new PxError('plugin.invalid', `${url.host} is asked without encryption`, { hint: 'Use an https URL.' });
  const signal = AbortSignal.timeout(fetchMs);
  let response: Response;
  try {
    response = await fetch(url, { signal, redirect: local ? 'error' : 'follow' });
  } catch (cause) {
    throw new PxError('plugin.invalid', `${url.host} cannot be reached`, { cause, retryable: true });
  }
  if (!local && !response.url.startsWith('https:'))
    throw new PxError('plugin.invalid', `${url.host} sends on to a place without encryption`);
  if (!response.ok) throw new PxError('not-found', `${url.host} answered ${response.status}`);
  const { readBody } = await import('./http/body.ts');
  // fetch has unpacked it already: what is left to bound is its size.
  const plain = new Response(response.body);
  const bytes = await readBody(plain, maxFileBytes).catch((cause: unknown) => {
    throw cause instanceof Error && cause.name === 'BodyTooLarge' ? tooLarge() : cause;
  });
  const filename = basename(url.pathname) || 'plugin.wasm';
  return sourceFile(bytes, filename, {}, `${url.origin}${url.pathname}`);
}

async function fromCarried(name: string): Promise<SourceFile | undefined> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) return undefined;
  const { bundledPlugins } = await import('./engine/bundled.ts');
  const found = (await bundledPlugins())[name];
  if (!found) return undefined;
  const manifest = readManifest(found.manifest, name);
  return sourceFile(found.file, found.filename, { ...manifest, name }, `px:${name}`);
}

function sourceFile(bytes: Uint8Array, filename: string, manifest: PartialManifest, source: string): SourceFile {
  if (bytes.length > maxFileBytes) throw tooLarge();
  const isWasm = bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
  if (!isWasm && !scripts.test(filename))
    throw new PxError('plugin.invalid', `${filename} is neither a WebAssembly component nor a .ts or .js file`);
  return { bytes, filename, kind: isWasm ? 'component' : 'script', manifest, source };
}

const tooLarge = () => new PxError('too-large', `a plugin's file has at most ${maxFileBytes / 1_048_576} MiB`);
