import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { PxError } from '../error/error.ts';
import type { Told } from './download.ts';
import { embeddedManifest } from './embedded.ts';
import { type PartialManifest, readManifest } from './manifest.ts';
import type { LoginOf } from './oci.ts';
import { maxFileBytes } from './prepare.ts';
import { maxSignature } from './signature.ts';

/** A plugin's file, wherever it came from. Nothing in it has been looked at yet. */
export interface SourceFile {
  bytes: Uint8Array;
  filename: string;
  kind: 'component' | 'script';
  /** What stands in it; of a script that is known only once it is loaded. */
  manifest: PartialManifest;
  /** What `plugin.yaml` beside it says, in the place of what stands in it. A signature does not cover it. */
  beside?: PartialManifest;
  /** Where it came from: shown to people, and read again by an update. */
  source: string;
  /** The name of the folder it was found in: what it is called when no manifest says it. */
  folder?: string;
  /** Of a script on this machine: its path, beside which what it imports may stand. */
  path?: string | undefined;
  /** The lines of its `.sig`; undefined when it has none, or nobody's signature counts. */
  signature?: string | undefined;
}

const scripts = /\.[cm]?[jt]s$/i;

/**
 * Reads a plugin from a file, a folder with `plugin.yaml`, an https URL (http on this machine only), an OCI registry, or from what
 * px carries; its signature too when that counts. Throws PxError `not-found`, `plugin.invalid`, `too-large`.
 */
export async function readSource(
  source: string,
  signed = false,
  loginOf: LoginOf = () => undefined,
  told?: Told,
): Promise<SourceFile> {
  if (/^https?:\/\//i.test(source)) return fromUrl(source, signed, told);
  if (source.startsWith('px:')) return (await fromCarried(source.slice(3))) ?? (await notFound(source));
  const path = resolve(source);
  const found = source.startsWith('oci://') ? undefined : look(path);
  if (found?.isDirectory()) return fromFolder(path, signed);
  if (found?.isFile()) return fromFile(path, path, signed);
  if (source.includes('/')) {
    const { parseOci, pullPlugin } = await import('./oci.ts');
    const ref = parseOci(source);
    if (ref) {
      const { bytes, kind, signature, said } = await pullPlugin(ref, maxFileBytes, loginOf, told);
      const filename = `${basename(ref.repository)}.${kind === 'component' ? 'wasm' : 'js'}`;
      const file = sourceFile(bytes, filename, source.replace(/^(oci:\/\/)?/, 'oci://'));
      // A script says itself what it is, once it is loaded; what somebody signed says all that counts.
      const manifest =
        kind === 'component' && signature === undefined
          ? { ...readManifest(said, source), ...file.manifest }
          : file.manifest;
      return { ...file, manifest, signature };
    }
  }
  return (await fromCarried(source)) ?? (await notFound(source));
}

async function notFound(source: string): Promise<never> {
  const { bundledPlugins } = await import('./engine/bundled.ts');
  const { nearlyOci } = await import('./oci.ts');
  const names = Object.keys(await bundledPlugins());
  throw new PxError('not-found', `there is no file, folder or carried plugin ${JSON.stringify(source.slice(0, 200))}`, {
    hint:
      nearlyOci(source.slice(0, 200)) ??
      `Give a .wasm, .ts or .js file, a folder with plugin.yaml, an https URL, HOST/OWNER/NAME:TAG of a registry, or one px carries: ${names.join(', ')}`,
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

async function fromFile(path: string, source: string, signed: boolean): Promise<SourceFile> {
  if ((look(path)?.size ?? 0) > maxFileBytes) throw tooLarge();
  const file = sourceFile(await Bun.file(path).bytes(), basename(path), source);
  const beside = Bun.file(`${path}.sig`);
  const signature =
    signed && look(`${path}.sig`)?.isFile() && beside.size <= maxSignature ? await beside.text() : undefined;
  return { ...file, signature, path: file.kind === 'script' ? path : undefined };
}

async function fromFolder(path: string, signed: boolean): Promise<SourceFile> {
  const manifest = await manifestIn(path);
  const file = manifest.file ?? mainFile(path, 'wasm', manifest.name) ?? mainFile(path, 'script', manifest.name);
  if (file === undefined)
    throw new PxError('plugin.invalid', `the folder ${path} holds no .wasm, .ts or .js file`, {
      hint: 'Build the plugin first; its README says how.',
    });
  const { file: _, ...beside } = manifest;
  const read = await fromFile(insideFile(path, file), path, signed);
  return { ...read, beside, folder: basename(path) };
}

/**
 * Which file of a folder is the plugin: the one called `plugin` or `index`, else as the plugin or the folder is, else the only one; undefined
 * when there is none of its kind. Throws PxError `plugin.invalid` when there are several.
 */
export function mainFile(folder: string, kind: 'wasm' | 'script', name = basename(folder)): string | undefined {
  const files = readdirSync(folder)
    .filter((file) => (kind === 'wasm' ? file.endsWith('.wasm') : scripts.test(file) && !file.endsWith('.d.ts')))
    // What was written comes before what was built of it: `weather.ts` before `weather.js`.
    .sort((a, b) => (a < b ? 1 : -1));
  for (const stem of ['plugin', 'index', name]) {
    const found = files.find((file) => file.replace(/\.\w+$/, '') === stem);
    if (found !== undefined) return found;
  }
  if (files.length < 2) return files[0];
  throw new PxError('plugin.invalid', `the folder ${folder} holds ${files.length} files that may be the plugin`, {
    hint: `Say in plugin.yaml which it is: file: ${files.at(-1)}`,
  });
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

async function fromUrl(source: string, signed: boolean, told?: Told): Promise<SourceFile> {
  const { download } = await import('./download.ts');
  const url = new URL(source);
  const { status, bytes } = await download(url.href, maxFileBytes, {}, told);
  if (status !== 200)
    throw new PxError('not-found', `${url.origin}${url.pathname} is answered with ${status}`, {
      retryable: status >= 500,
    });
  if (/^\s*<(!doctype\s|html\b|\?xml\b)/i.test(new TextDecoder().decode(bytes.subarray(0, 200))))
    throw new PxError('plugin.invalid', `${url.origin}${url.pathname} is a web page and no plugin`, {
      hint: 'Give the address of the file itself: what a download button leads to, or "Raw".',
    });
  // With its query: an update asks for the same thing.
  const file = sourceFile(bytes, basename(url.pathname) || 'plugin.wasm', `${url.origin}${url.pathname}${url.search}`);
  if (!signed) return file;
  url.pathname += '.sig';
  const beside = await download(url.href, maxSignature);
  return { ...file, signature: beside.status === 200 ? new TextDecoder().decode(beside.bytes) : undefined };
}

async function fromCarried(name: string): Promise<SourceFile | undefined> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) return undefined;
  const { bundledPlugins } = await import('./engine/bundled.ts');
  const found = (await bundledPlugins())[name];
  if (!found) return undefined;
  const manifest = readManifest(found.manifest, name);
  const file = sourceFile(found.file, found.filename, `px:${name}`);
  return { ...file, manifest: { ...file.manifest, ...manifest, name } };
}

function sourceFile(bytes: Uint8Array, filename: string, source: string): SourceFile {
  if (bytes.length > maxFileBytes) throw tooLarge();
  const isWasm = bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
  if (!isWasm && !scripts.test(filename))
    throw new PxError('plugin.invalid', `${filename} is neither a WebAssembly component nor a .ts or .js file`);
  const inside = isWasm ? embeddedManifest(bytes) : undefined;
  return {
    bytes,
    filename,
    kind: isWasm ? 'component' : 'script',
    manifest: inside === undefined ? {} : readManifest(inside, 'its manifest'),
    source,
  };
}

const tooLarge = () => new PxError('too-large', `a plugin's file has at most ${maxFileBytes / 1_048_576} MiB`);
