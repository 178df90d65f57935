/**
 * Builds what px carries and the example plugins, from source, into build/plugins/.
 *
 *   bun scripts/build-plugins.ts              the script engine and the first-party plugins: npm packages only
 *   bun scripts/build-plugins.ts --examples   also the examples in Rust (cargo) and C (clang-19, lld-19)
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePack } from '../src/plugin/engine/pack.ts';
import { type Built, buildC, buildClock, buildRust, buildScript } from './plugin/build.ts';
import { buildEngine, transpileEngine } from './plugin/engine.ts';

const root = join(import.meta.dir, '..');
const out = join(root, 'build/plugins');
mkdirSync(out, { recursive: true });

/** Writes through a rename, so that a test that reads meanwhile never sees half a file. */
function write(name: string, bytes: Uint8Array): void {
  const temporary = join(out, `.${name}.${process.pid}`);
  writeFileSync(temporary, bytes);
  renameSync(temporary, join(out, name));
}

async function step(name: string, run: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const start = performance.now();
  const bytes = await run();
  write(name, bytes);
  const ms = Math.round(performance.now() - start);
  console.log(`${name.padEnd(28)} ${String(bytes.length).padStart(9)} bytes  ${String(ms).padStart(6)} ms`);
  return bytes;
}

const engine = await step('engine.wasm', () => buildEngine(root));
const transpiled = await transpileEngine(engine);
const carried: Record<string, Built> = {
  clock: await buildClock(root),
  telegram: await buildScript(root, 'telegram'),
  'web-fetch': await buildScript(root, 'web-fetch'),
};
for (const { file, bytes } of Object.values(carried)) await step(file, async () => bytes);
const manifests = Object.fromEntries(
  Object.entries(carried).map(([n, b]) => [n, { file: b.file, manifest: b.manifest }]),
);
await step('px.pack', async () =>
  writePack([
    ['manifests.json', new TextEncoder().encode(JSON.stringify(manifests))],
    ...Object.values(carried).map((b): [string, Uint8Array] => [b.file, b.bytes]),
    ['engine.wasm', engine],
    ...transpiled.map(([name, bytes]): [string, Uint8Array] => [`engine/${name}`, bytes]),
  ]),
);
if (process.argv.includes('--examples')) {
  for (const build of [buildC, buildRust])
    for (const { file, bytes } of await build(root)) await step(file, async () => bytes);
}
