import { join } from 'node:path';
import binaryen from 'binaryen';
import { capModules } from '../../src/plugin/child/core.ts';
import { copyOf, stateOf, takePicture } from '../../src/plugin/child/picture.ts';
import { Script } from '../../src/plugin/child/quickjs.ts';
import { engineMb } from '../../src/plugin/image.ts';

/** The script engine as px carries it: the files of its folder in the pack. */
export async function buildEngine(root: string): Promise<[name: string, bytes: Uint8Array][]> {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, 'plugins/engine/engine.ts')],
    format: 'esm',
    target: 'browser',
    minify: true,
  });
  const [made] = outputs;
  if (!made) throw new Error('the engine has no output');
  const whole = new Uint8Array(await Bun.file(new URL(import.meta.resolve('quickjs-wasi/quickjs.wasm'))).arrayBuffer());
  const wasm = onlyCalled(whole, await Bun.file(join(root, 'src/plugin/child/quickjs.ts')).text());
  const [[, capped = wasm] = []] = capModules([['quickjs.wasm', wasm]], engineMb);
  const unasked = () => {
    throw new Error('the engine asks for something while it is built');
  };
  const script = new Script(new WebAssembly.Module(capped as Uint8Array<ArrayBuffer>), {
    host: unasked,
    // The same each time, so that the same source makes the same executable.
    now: () => 0,
    random: () => {},
  });
  const state = stateOf([script.instance]);
  const fresh = copyOf(state);
  const anchors = script.begin(asExpression(await made.text()));
  return [
    ['engine/quickjs.wasm', wasm],
    ['engine/picture', takePicture(state, fresh)],
    ['engine/anchors.json', new TextEncoder().encode(JSON.stringify(anchors))],
  ];
}

/** A module's code as an expression that gives what it exports: a module could be imported again by its name. */
function asExpression(code: string): string {
  const exports = /\bexport\s*\{([^{}]*)\};?\s*$/;
  const list = exports.exec(code)?.[1];
  if (list === undefined) throw new Error('the engine exports nothing');
  const parts = list.split(',').map((one) => one.trim().split(/\s+as\s+/));
  const entries = parts.map(([local = '', exported = local]) => `${exported}: ${local}`);
  return `(() => { 'use strict'; ${code.replace(exports, `return { ${entries.join(', ')} };`)} })()`;
}

/** The module with only those functions exported that the caller's text names: 400 exports more are a tenth of its start. */
function onlyCalled(wasm: Uint8Array, caller: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.readBinary(wasm);
  const exported = Array.from({ length: module.getNumExports() }, (_, i) =>
    binaryen.getExportInfo(module.getExportByIndex(i)),
  );
  const called = new Set(caller.match(/\w+/g));
  for (const { name, kind } of exported)
    if (kind === binaryen.ExternalFunction && !called.has(name)) module.removeExport(name);
  module.runPasses(['remove-unused-module-elements']);
  const made = new Uint8Array(module.emitBinary());
  module.dispose();
  return made;
}
