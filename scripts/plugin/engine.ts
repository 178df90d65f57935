import { join } from 'node:path';
import type { Output } from './build.ts';

/** Builds the script engine's component from plugins/engine: QuickJS, synchronous, no WASI, small. */
export async function buildEngine(root: string): Promise<Output> {
  const { componentize } = await import('componentize-qjs');
  const bundle = await Bun.build({
    entrypoints: [join(root, 'plugins/engine/engine.ts')],
    format: 'esm',
    target: 'browser',
    external: ['project-x:*'],
    minify: { whitespace: true, syntax: true },
  });
  const [made] = bundle.outputs;
  if (!made) throw new Error('the engine has no output');
  const { component } = await componentize({
    witPath: join(root, 'wit'),
    world: 'script-engine',
    jsSource: await made.text(),
    optSize: true,
    sync: true,
    stubWasi: true,
  });
  return { file: 'engine.wasm', bytes: new Uint8Array(component) };
}

/** Transpiles the engine as the host transpiles a plugin, so that px can carry the result. */
export async function transpileEngine(component: Uint8Array): Promise<[name: string, bytes: Uint8Array][]> {
  const { $init, generate } = await import('@bytecodealliance/jco-transpile/component');
  await $init;
  const { files } = generate(component, {
    name: 'plugin',
    instantiation: { tag: 'sync' },
    noTypescript: true,
    base64Cutoff: 0,
    map: [],
  });
  return files;
}
