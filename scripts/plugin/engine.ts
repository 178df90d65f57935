import { join } from 'node:path';
import { capModules } from '../../src/plugin/child/core.ts';
import { direct, withoutDebug } from '../../src/plugin/child/glue.ts';
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

/** Transpiles a component as the host does with a plugin's: the engine's, so that px can carry the result. */
export async function transpile(component: Uint8Array): Promise<[name: string, bytes: Uint8Array][]> {
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

/** The one place of the glue that an expression finds. */
function only(glue: string, what: RegExp): RegExpMatchArray {
  const [found, second] = glue.matchAll(new RegExp(what, 'g'));
  if (!found || second) throw new Error(`the glue has changed: ${what.source}`);
  return found;
}

/** Every place of the glue that an expression finds, replaced; at least one. */
function each(glue: string, what: RegExp, by: string): string {
  const replaced = glue.replace(new RegExp(what, 'g'), by);
  if (replaced === glue) throw new Error(`the glue has changed: ${what.source}`);
  return replaced;
}

/**
 * The engine is made of several components, none of which calls another one or gives it a handle: what WASI it wants is answered by a part of it that
 * only traps. So jco's books on such calls have nothing in them.
 */
function alone(glue: string): string {
  const noCall = "() => { throw new Error('the engine is one component'); }";
  const changes: [what: RegExp, by: string][] = [
    [/= _symmetricSyncGuestCall(?:Enter|Exit);/, `= ${noCall};`],
    [/= resourceTransfer(?:Own|Borrow);/, `= ${noCall};`],
    [/contextGet\.bind\(null, \{ slot: \d \}\)/, '() => 0'],
    [/contextSet\.bind\(null, \{ slot: \d \}\)/, '() => {}'],
  ];
  return changes.reduce((text, [what, by]) => each(text, what, by), glue);
}

/**
 * What the engine exports, without detours for the same reason: the texts go in, the text of the result comes out, and a trap passes
 * through.
 *
 * The engine's runtime runs QuickJS's waiting jobs (what comes after an `await`) only for exports that are asynchronous in WIT, which would
 * make every call through the glue asynchronous too. So the runtime is told, before `settle` is called, that the export of this number
 * is called asynchronously: it finds an empty function, runs all jobs and ends. `invoke` then is what its caller expects: it goes on until the
 * promise that the script returned has settled, asleep while the script waits for a timer.
 */
function exportsDirectly(glue: string): string {
  const runtime = only(glue, /(exports\d+)Init = exports\d+(?:\.init|\['init'\]);/)[1];
  const script = only(glue, /(exports\d+)Invoke = exports\d+(?:\.invoke|\['invoke'\]);/)[1];
  const post = (name: string) => only(glue, new RegExp(`(postReturn\\d+) = exports\\d+\\.cabi_post_${name};`))[1];
  const [, realloc = '', memory = ''] =
    /function invoke\(arg0, arg1\) \{[\s\S]*?_utf8AllocateAndEncode\(arg0, (realloc\d+), (memory\d+)\)/.exec(glue) ??
    [];
  if (realloc === '') throw new Error('the glue has changed: invoke');
  const returned = only(glue, /return \{[^{}]*\binvoke\b[^{}]*\}/);
  return glue.replace(
    returned[0],
    `const direct = (run, postReturn, ...texts) => {
      const args = [];
      for (const text of texts) {
        const bytes = TEXT_ENCODER_UTF8.encode(text);
        const at = ${realloc}(0, 0, 1, bytes.length);
        new Uint8Array(${memory}.buffer, at, bytes.length).set(bytes);
        args.push(at, bytes.length);
      }
      const ret = run(...args);
      const view = dataView(${memory});
      const text = TEXT_DECODER_UTF8.decode(new Uint8Array(${memory}.buffer, view.getUint32(ret + 4, true), view.getUint32(ret + 8, true)));
      const failed = view.getUint8(ret) !== 0;
      postReturn(ret);
      if (failed) throw new ComponentError(text);
      return text;
    };
    const settleNow = () => {
      ${runtime}.wit_dylib_export_async_call(${runtime}.wit_dylib_export_start(${settleIndex}), ${settleIndex});
      return direct(${script}Settle, ${post('settle')});
    };
    return {
      load: () => direct(${script}Load, ${post('load')}),
      invoke(name, args) {
        let answer = direct(${script}Invoke, ${post('invoke')}, name, args);
        while (answer === '' || answer.startsWith('~')) {
          if (answer.length > 1 && answer !== '~0') Bun.sleepSync(Number(answer.slice(1)));
          answer = settleNow();
        }
        return answer;
      },
    }`,
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
  const bare = direct(alone(exportsDirectly(withoutDebug(new TextDecoder().decode(generated)))));
  if (!bare.includes('oneTask')) throw new Error('the glue has changed: it keeps books');
  const { outputs } = await Bun.build({
    entrypoints: ['engine.js'],
    files: { 'engine.js': new File([bare], 'engine.js') },
    minify: true,
    format: 'esm',
  });
  return { glue: (await outputs[0]?.text()) ?? '', modules };
}
