import { join } from 'node:path';
import { capModules } from '../../src/plugin/child/core.ts';
import { engineMb } from '../../src/plugin/image.ts';
import type { Output } from './build.ts';
import { definesGrowing, withGlobalsExported } from './core.ts';

/** Builds the script engine's component from plugins/engine: QuickJS, synchronous, no WASI, small. */
export async function buildEngine(root: string): Promise<Output> {
  const { componentize } = await import('componentize-qjs');
  const bundle = await Bun.build({
    entrypoints: [join(root, 'plugins/engine/engine.ts')],
    format: 'esm',
    target: 'browser',
    external: ['project-x:*'],
    minify: true,
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

/** Which of the exports of world `script-engine` `settle` is. */
const settleIndex = 2;

/**
 * The engine's runtime runs QuickJS's waiting jobs (what comes after an `await`) only for exports that are asynchronous in WIT, which would
 * make every call through the glue asynchronous too. So the runtime is told, before `settle` is called, that the export of this number
 * is called asynchronously: it finds an empty function, runs all jobs and ends. `invoke` then is what its caller expects: it goes on until the
 * promise that the script returned has settled, asleep while the script waits for a timer.
 */
function drivingPromises(text: string): string {
  const replace = (from: RegExp, to: string, within: string) => {
    if (within.match(new RegExp(from, 'g'))?.length !== 1) throw new Error(`the glue has changed: ${from.source}`);
    return within.replace(from, to);
  };
  const runtime = /(exports\d+)Init = exports\d+\.init;|(exports\d+)Init = (exports\d+)\['init'\];/.exec(text);
  const name = runtime?.[1] ?? runtime?.[3];
  if (!name) throw new Error('the glue has changed: no runtime');
  const jobs = `${name}.wit_dylib_export_async_call(${name}.wit_dylib_export_start(${settleIndex}), ${settleIndex})`;
  const settling = replace(
    /(exports\d+Settle) = (exports\d+(?:\.settle|\['settle'\]));/,
    `const __settle = $2; $1 = () => { ${jobs}; return __settle(); };`,
    text,
  );
  return replace(
    /return \{([^{}]*\binvoke\b[^{}]*)\}/,
    `return { ...{$1}, invoke(name, args) {
      let answer = invoke(name, args);
      while (answer === '' || answer.startsWith('~')) {
        if (answer.length > 1 && answer !== '~0') Bun.sleepSync(Number(answer.slice(1)));
        answer = settle();
      }
      return answer;
    } }`,
    settling,
  );
}

/** The transpiled engine as px carries it. */
export interface CarriedEngine {
  /** Its JavaScript as a module that exports `instantiate`: a part of the executable, where it needs no parsing. */
  glue: string;
  /** Its core modules, in jco's order; those that define a memory or a table, which are capped at each start, in a folder of their own. */
  modules: [name: string, bytes: Uint8Array][];
}

/** Makes the transpiled engine small, and fit to have its memory taken down. */
export async function carriedEngine(files: [name: string, bytes: Uint8Array][]): Promise<CarriedEngine> {
  capModules(files, engineMb);
  const modules = files
    .filter(([name]) => name.endsWith('.wasm'))
    .map(([name, bytes]): [string, Uint8Array] => [
      definesGrowing(bytes) ? `engine/growing/${name}` : `engine/${name}`,
      withGlobalsExported(bytes),
    ]);
  const generated = files.find(([name]) => name === 'plugin.js')?.[1];
  // Its debug output, which looks at the environment at each step of a call, goes: what has no definition can be dropped.
  const quiet = drivingPromises(new TextDecoder().decode(generated)).replace(
    /const _debugLog = [\s\S]*?\n {2}\};\n/,
    '',
  );
  // An error is known by the name of its class, which must outlive minifying.
  const named = quiet.replace('class ComponentError extends Error {', "$& static name = 'ComponentError';");
  if (named === quiet) throw new Error('the glue has changed: no ComponentError');
  const { outputs } = await Bun.build({
    entrypoints: ['engine.js'],
    files: { 'engine.js': new File([named], 'engine.js') },
    minify: { whitespace: true, syntax: true },
    drop: ['_debugLog'],
    format: 'esm',
  });
  return { glue: (await outputs[0]?.text()) ?? '', modules };
}
