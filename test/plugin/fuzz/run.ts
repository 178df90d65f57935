import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isComponent } from '../../../src/plugin/embedded.ts';
import { mutate } from './mutate.ts';
import { createRandom, type Random } from './random.ts';
import {
  capCore,
  coreModules,
  type Generate,
  goodFrames,
  readFrames,
  readManifests,
  readTypes,
  translate,
  withManifest,
} from './targets.ts';

/** What is fuzzed. */
export const targetNames = ['types', 'core', 'frames', 'manifest', 'translate'] as const;
export type TargetName = (typeof targetNames)[number];

export const corpusFolder = join(import.meta.dir, 'corpus');

/** The committed files: components that toolchains made, by hand, and those that once broke something. */
export function corpus(): [name: string, bytes: Uint8Array][] {
  const names = readdirSync(corpusFolder).sort();
  return names.map((name) => [name, new Uint8Array(readFileSync(join(corpusFolder, name)))]);
}

/** Something that broke a promise: bytes to keep in the corpus. */
export interface Crash {
  target: TargetName;
  bytes: Uint8Array;
  error: unknown;
}

/** Tells what became of it all. */
export interface Outcome {
  runs: number;
  /** Components the transpiler took to the end. */
  made: number;
  /** Times the transpiler itself broke. */
  panics: number;
  crashes: Crash[];
}

/** Loads a transpiler of its own: one that panicked is not used again. */
async function freshTranspiler(count: number): Promise<Generate> {
  const path = join(import.meta.dir, `../../../build/vendor/bindgen.js?fuzz=${count}`);
  const { $init, generate } = (await import(path)) as typeof import('#bindgen');
  await $init;
  return (component) =>
    generate(component, {
      name: 'plugin',
      instantiation: { tag: 'sync' },
      noTypescript: true,
      base64Cutoff: 0,
      map: [],
    });
}

/** Runs a target on the corpus itself, then on so many broken copies. */
export async function fuzz(target: TargetName, runs: number, seed: number): Promise<Outcome> {
  const random = createRandom(seed);
  const seeds = seedsOf(target);
  const outcome: Outcome = { runs: 0, made: 0, panics: 0, crashes: [] };
  let generate = target === 'translate' ? await freshTranspiler(0) : undefined;
  let broken = false;
  const one = async (bytes: Uint8Array) => {
    outcome.runs++;
    try {
      if (target === 'types') readTypes(bytes, random);
      else if (target === 'core') capCore(bytes);
      else if (target === 'frames') readFrames(bytes, random);
      else if (target === 'manifest') readManifests(bytes);
      else if (generate) {
        const made = translate(bytes, generate, () => {
          broken = true;
        });
        if (made === 'made') outcome.made++;
      }
    } catch (error) {
      outcome.crashes.push({ target, bytes, error });
    }
    if (!broken) return;
    broken = false;
    outcome.panics++;
    generate = await freshTranspiler(outcome.panics);
  };
  for (const bytes of seeds) await one(bytes);
  for (let i = 0; i < runs; i++) await one(mutate(pick(seeds, random), pick(seeds, random), random));
  return outcome;
}

/** What a target begins with. */
function seedsOf(target: TargetName): Uint8Array[] {
  const files = corpus().map(([, bytes]) => bytes);
  if (target === 'core') return files.flatMap(coreModules);
  if (target === 'frames') return [goodFrames, ...files];
  // Small ones, of which a manifest is a good part.
  if (target === 'manifest')
    return files.filter((bytes) => bytes.length < 2000 && isComponent(bytes)).map(withManifest);
  return files;
}

function pick(seeds: Uint8Array[], random: Random): Uint8Array {
  return seeds[random.below(seeds.length)] ?? goodFrames;
}
