import { join } from 'node:path';
import { capModules } from '../../src/plugin/child/core.ts';
import { engineMb } from '../../src/plugin/image.ts';
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

/** The transpiled engine as px carries it: its JavaScript, which each start of a script reads, made small. */
export async function minified(
  files: [name: string, bytes: Uint8Array][],
): Promise<[name: string, bytes: Uint8Array][]> {
  capModules(files, engineMb);
  return Promise.all(
    files.map(async ([name, bytes]): Promise<[string, Uint8Array]> => {
      if (name !== 'plugin.js') return [name, bytes];
      const file = new File([Buffer.from(bytes)], name);
      // Names stay: an error is known by the name of its class.
      const { outputs } = await Bun.build({
        entrypoints: [name],
        files: { [name]: file },
        minify: { whitespace: true, syntax: true },
        format: 'esm',
      });
      const text = (await outputs[0]?.text()) ?? '';
      // A plugin's process reads it as a function that returns `instantiate`.
      const exported = /export\{(?:[^}]*,)?(?:(\w+) as )?instantiate[^}]*\};?\s*$/.exec(text);
      if (!exported) throw new Error('the minified engine exports no instantiate');
      const named = exported[1] === undefined ? '' : `const instantiate=${exported[1]};\n`;
      const code = `${text.slice(0, exported.index)}${named}\nexport {instantiate};\n`;
      return [name, new TextEncoder().encode(code)];
    }),
  );
}
