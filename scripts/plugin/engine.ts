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

/** The transpiled engine as px carries it: its JavaScript, which each start of a script reads, made small. */
export async function minified(
  files: [name: string, bytes: Uint8Array][],
): Promise<[name: string, bytes: Uint8Array][]> {
  capModules(files, engineMb);
  return Promise.all(
    files.map(async ([name, bytes]): Promise<[string, Uint8Array]> => {
      if (name !== 'plugin.js') return [name, bytes];
      // Its debug output, which looks at the environment at each step of a call, goes: what has no definition can be dropped.
      const glue = drivingPromises(new TextDecoder().decode(bytes));
      const quiet = glue.replace(/const _debugLog = [\s\S]*?\n {2}\};\n/, '');
      const file = new File([quiet], name);
      // Names stay: an error is known by the name of its class.
      const { outputs } = await Bun.build({
        entrypoints: [name],
        files: { [name]: file },
        minify: { whitespace: true, syntax: true },
        drop: ['_debugLog'],
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
