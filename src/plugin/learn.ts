import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import type { Json } from '../wire/wire.ts';
import { unanswered } from './broker.ts';
import type { Cache } from './cache.ts';
import { kindOf } from './functions.ts';
import { type GuestLimits, type Image, startGuest } from './guest.ts';
import { componentImage, scriptImage } from './image.ts';
import { completeManifest, nameFromFile, type PartialManifest, readManifest } from './manifest.ts';
import type { PrepareOptions } from './prepare.ts';
import { type Entry, sha256, storedAs } from './registry.ts';
import type { SourceFile } from './source.ts';
import { readListed } from './tools.ts';

export interface LearnOptions {
  prepare: PrepareOptions;
  /** The command of the hidden verb `__plugin`. */
  command: string[];
  cache: Cache;
  limits: GuestLimits;
}

const Loaded = v.object({
  functions: v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(512)),
  tools: v.custom<Json>(() => true),
  manifest: v.nullish(v.unknown()),
});

/** A plugin that is being looked at can reach nothing. */
const nobody = unanswered('the plugin is being installed');

/**
 * Everything about a plugin that can be known before it is used: checked and transpiled in a throw-away process, then started once
 * in a locked one with no capability at all, so that what cannot run is never installed. Throws PxError `plugin.*`.
 */
export async function learn(file: SourceFile, name: string | undefined, options: LearnOptions): Promise<Entry> {
  const digest = sha256(file.bytes);
  const source = { sha256: digest, read: () => file.bytes, filename: file.filename };
  const { limits, cache, prepare } = options;
  const image =
    file.kind === 'script'
      ? await scriptImage(source, { command: options.command, limits }, cache, prepare)
      : await componentImage(source, undefined, limits.memoryMb, cache, prepare);
  const found = await ask(image, file, options);
  const manifest: PartialManifest = { ...found.manifest, ...file.manifest, ...file.beside };
  const called = name ?? manifest.name ?? nameFromFile(file.folder ?? file.filename);
  return {
    file: storedAs(digest, file.kind === 'component' ? 'plugin.wasm' : file.filename),
    source: file.source,
    kind: file.kind === 'script' ? 'script' : kindOf(image.functions),
    sha256: digest,
    bytes: file.bytes.length,
    addedAt: Date.now(),
    manifest: completeManifest(manifest, called),
    imports: file.kind === 'script' ? [] : image.imports,
    functions: found.functions,
    listed: found.listed,
  };
}

/** Starts the plugin once and asks it what it offers. */
async function ask(
  image: Image,
  file: SourceFile,
  options: LearnOptions,
): Promise<Pick<Entry, 'functions' | 'listed'> & { manifest: PartialManifest }> {
  const { command, limits, prepare } = options;
  const guest = await startGuest(
    { command, image, limits, host: nobody, mode: prepare.mode, engine: file.kind === 'script', settings: [] },
    limits.outputBytes,
  );
  try {
    if (file.kind === 'script') {
      const loaded = v.parse(Loaded, parseText(await guest.call('load', [])));
      const functions = loaded.functions.map((name) => ({
        name,
        jsPath: [],
        params: [],
        result: null,
        docs: '',
        notCallable: '',
      }));
      return { functions, listed: readListed(loaded.tools), manifest: readManifest(loaded.manifest ?? {}, 'manifest') };
    }
    const listed = kindOf(image.functions) === 'tool' ? readListed(await guest.call('list-tools', [])) : [];
    return { functions: image.functions, listed, manifest: {} };
  } catch (thrown) {
    if (thrown instanceof v.ValiError)
      throw new PxError('plugin.invalid', `what it says of itself is not understood: ${thrown.message}`);
    if (thrown instanceof PxError && thrown.code === 'plugin.guest')
      throw new PxError('plugin.invalid', `it fails when it is loaded: ${thrown.message}`, { cause: thrown });
    throw thrown;
  } finally {
    await guest.end();
  }
}

function parseText(json: Json): unknown {
  try {
    return JSON.parse(String(json));
  } catch (cause) {
    throw new PxError('plugin.invalid', 'what it says of itself is not JSON', { cause });
  }
}
