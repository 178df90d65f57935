import { PxError } from '../error/error.ts';
import { unanswered } from './broker.ts';
import type { Cache, Files } from './cache.ts';
import { engineId } from './engine/engine.ts';
import { type GuestLimits, type GuestOptions, type Image, startGuest } from './guest.ts';
import { maxPicture } from './picture-call.ts';
import { type PrepareOptions, prepareComponent, prepareScript } from './prepare.ts';
import type { WitFunction } from './wit/types.ts';

/** What an image is made from. */
export interface ImageSource {
  sha256: string;
  /** The installed file; read only when nothing of it is cached. */
  read(): Uint8Array;
}

/** What a script's process is called by: the two functions of px's part of the engine. */
const engineFunctions: WitFunction[] = [
  { name: 'load', jsPath: ['load'], params: [] },
  {
    name: 'invoke',
    jsPath: ['invoke'],
    params: [
      { name: 'name', type: { kind: 'string' as const } },
      { name: 'args', type: { kind: 'string' as const } },
    ],
  },
].map((fn) => ({ ...fn, result: { kind: 'string' }, error: { kind: 'string' }, docs: '', notCallable: '' }));

/** A component's image: from the cache, or made in a throw-away process and cached. Throws PxError `plugin.*`. */
export async function componentImage(
  source: ImageSource,
  known: { imports: string[]; functions: WitFunction[] } | undefined,
  memoryMb: number,
  cache: Cache,
  prepare: PrepareOptions,
): Promise<Image> {
  const variant = `${memoryMb}m`;
  const cached = known && cache.read(source.sha256, variant);
  if (cached) return { ...split(cached), ...known };
  const { files, imports, functions } = await prepareComponent(prepare, source.read(), memoryMb);
  cache.write(source.sha256, variant, files);
  return { ...split(files), imports, functions };
}

/** What the engine needs to start, in MiB; the build checks it. */
export const engineMb = 2;

/** What evaluating a script may take at least, in ms, whatever its calls may: it is done once, and the engine compiled and copied meanwhile. */
const evaluation = { cpuMs: 3_000, wallMs: 60_000 };

/** How a script is started to be evaluated once, before it is used. */
export interface Evaluation {
  /** The command of the hidden verb `__plugin`. */
  command: string[];
  limits: GuestLimits;
}

/**
 * A script's image: the script as JavaScript, for the engine that its process brings, and the state it has once it is evaluated. Both are made
 * once and cached. Throws PxError `plugin.*`.
 */
export async function scriptImage(
  source: ImageSource & { filename: string },
  { command, limits }: Evaluation,
  cache: Cache,
  prepare: PrepareOptions,
): Promise<Image> {
  const { memoryMb } = limits;
  if (memoryMb < engineMb)
    throw new PxError('plugin.memory', `the script engine needs ${engineMb} MiB to start, ${memoryMb} are allowed`, {
      hint: 'Raise limits.memory_mb of the plugin in px.yaml.',
    });
  const variant = `script-${await engineId()}`;
  const [[, code] = [], [, known] = []] = cache.read(source.sha256, variant) ?? [];
  const script = code ? new TextDecoder().decode(code) : await prepareScript(prepare, source.read(), source.filename);
  const image: Image = {
    code: new Uint8Array(),
    modules: [],
    functions: engineFunctions,
    imports: [],
    script,
  };
  const picture = known ?? (await evaluated({ command, image, limits, mode: prepare.mode }));
  if (!known)
    cache.write(source.sha256, variant, [
      ['script.js', new TextEncoder().encode(script)],
      ['picture', picture],
    ]);
  return picture.length > 0 ? { ...image, picture } : image;
}

/**
 * The state of a script that was evaluated, with no settings and no capability: empty when it has to be evaluated at each start, because it
 * throws or asks the host for something meanwhile. So nothing of the host, no setting and no secret, is ever in it.
 */
async function evaluated(start: Pick<GuestOptions, 'command' | 'image' | 'limits' | 'mode'>): Promise<Uint8Array> {
  const host = unanswered('the script is being prepared');
  const limits = {
    ...start.limits,
    cpuMs: Math.max(start.limits.cpuMs, evaluation.cpuMs),
    wallMs: Math.max(start.limits.wallMs, evaluation.wallMs),
  };
  const guest = await startGuest(
    { ...start, limits, engine: true, settings: [], host, pictureWanted: true },
    maxPicture,
  );
  try {
    await guest.call('load', []);
    return (await guest.picture()) ?? new Uint8Array();
  } catch (thrown) {
    if (thrown instanceof PxError && thrown.code === 'plugin.guest') return new Uint8Array();
    throw thrown;
  } finally {
    await guest.end();
  }
}

function split(files: Files): { code: Uint8Array; modules: Files } {
  const code = files.find(([name]) => name === 'plugin.js')?.[1];
  if (!code) throw new PxError('plugin.invalid', 'the prepared plugin has no code');
  return { code, modules: files.filter(([name]) => name.endsWith('.wasm')) };
}
