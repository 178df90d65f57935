/**
 * Builds what px carries and the example plugins, from source, into build/plugins/.
 *
 *   bun scripts/build-plugins.ts              the script engine and the first-party plugins: npm packages only
 *   bun scripts/build-plugins.ts --examples   also the examples in every language; `scripts/prepare --languages` installs what they need
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePack } from '../src/plugin/engine/pack.ts';
import { buildAuthorPack } from './plugin/author.ts';
import { buildC, buildClock, buildRust, buildScript, type Output } from './plugin/build.ts';
import { buildEngine } from './plugin/engine.ts';
import { buildAs, buildGo, buildPython, buildRustWasi, buildTs, Missing } from './plugin/languages.ts';

const root = join(import.meta.dir, '..');
const out = join(root, 'build/plugins');
mkdirSync(out, { recursive: true });

/** Writes through a rename, so that a test that reads meanwhile never sees half a file. */
function write(name: string, bytes: Uint8Array): void {
  const temporary = join(out, `.${name}.${process.pid}`);
  writeFileSync(temporary, bytes);
  renameSync(temporary, join(out, name));
}

/** Builds something, writes its files and says how large they are and how long it took. */
async function step<T extends Output | Output[]>(build: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const made = await build();
  const ms = Math.round(performance.now() - start);
  for (const { file, bytes } of [made].flat()) {
    write(file, bytes);
    console.log(`${file.padEnd(36)} ${String(bytes.length).padStart(9)} bytes  ${String(ms).padStart(6)} ms`);
  }
  return made;
}

await step(() => buildEngine(root));
const carried = {
  clock: await step(() => buildClock(root)),
  matrix: await step(() => buildScript(root, 'matrix')),
  telegram: await step(() => buildScript(root, 'telegram')),
  discord: await step(() => buildScript(root, 'discord')),
  'web-fetch': await step(() => buildScript(root, 'web-fetch')),
  weather: await step(() => buildScript(root, 'weather')),
  'web-search': await step(() => buildScript(root, 'web-search')),
  'js-run': await step(() => buildScript(root, 'js-run')),
  files: await step(() => buildScript(root, 'files')),
};
/** What a new home gets; the others are added by name. Each tool is in every request to a model, so these are few. */
const given = ['clock', 'matrix', 'telegram', 'web-fetch'];
const manifests = Object.fromEntries(
  Object.entries(carried).map(([n, b]) => [n, { file: b.file, manifest: b.manifest, given: given.includes(n) }]),
);
await step(async () => ({
  file: 'px.pack',
  bytes: writePack([
    ['manifests.json', new TextEncoder().encode(JSON.stringify(manifests))],
    ...Object.values(carried).map((b): [string, Uint8Array] => [b.file, b.bytes]),
  ]),
}));
await step(() => buildAuthorPack(root));
if (process.argv.includes('--examples'))
  for (const build of [buildC, buildAs, buildTs, buildRust, buildRustWasi, buildGo, buildPython])
    try {
      await step<Output | Output[]>(() => build(root));
    } catch (e) {
      if (!(e instanceof Missing)) throw e;
      console.log(`${build.name}: skipped: ${e.message}`);
    }
