import { join } from 'node:path';
import binaryen from 'binaryen';
import { capModules } from '../../src/plugin/child/core.ts';
import { copyOf, stateOf, takePicture } from '../../src/plugin/child/picture.ts';
import { Script } from '../../src/plugin/child/quickjs.ts';
import { engineMb } from '../../src/plugin/image.ts';
import { Cursor } from '../../src/plugin/wit/cursor.ts';
import type { Output } from './build.ts';

/** The script engine as px carries it: QuickJS, the picture of its memory once px's part of it was evaluated, and a module that says where things stand. */
export async function buildEngine(root: string): Promise<Output[]> {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, 'plugins/engine/engine.ts')],
    format: 'esm',
    target: 'browser',
    minify: true,
  });
  const [made] = outputs;
  if (!made) throw new Error('the engine has no output');
  const whole = new Uint8Array(await Bun.file(new URL(import.meta.resolve('quickjs-wasi/quickjs.wasm'))).arrayBuffer());
  const lean = onlyCalled(whole, await Bun.file(join(root, 'src/plugin/child/quickjs.ts')).text());
  const [[, capped = lean] = []] = capModules([['quickjs.wasm', lean]], engineMb);
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
  const picture = takePicture(state, fresh);
  const { wasm, maximumAt } = withRoom(capped, new Uint8Array(state.memories[0]?.buffer ?? new ArrayBuffer()).length);
  const id = new Bun.CryptoHasher('sha256').update(wasm).update(picture).digest('hex').slice(0, 16);
  const code = Object.entries({ id, maximumAt, anchors }).map(
    ([n, v]) => `export const ${n} = ${JSON.stringify(v)};\n`,
  );
  return [
    { file: 'engine.wasm', bytes: wasm },
    { file: 'engine.picture', bytes: picture },
    { file: 'engine.js', bytes: new TextEncoder().encode(code.join('')) },
  ];
}

/**
 * The module with a memory that is as large from the beginning as the engine needs it, which saves it a copy, and with a place of three
 * bytes for the most it may have, in pages: so a start need not read the module to cap it.
 */
function withRoom(wasm: Uint8Array, bytes: number): { wasm: Uint8Array; maximumAt: number } {
  const memorySection = 5;
  const cursor = new Cursor(wasm, 8, wasm.length, { left: wasm.length });
  while (!cursor.done) {
    const { at } = cursor;
    const id = cursor.byte();
    const size = cursor.u32();
    const from = cursor.at;
    if (id === memorySection) {
      const pages = bytes / 65_536;
      if (pages > 127 || wasm[from] !== 1) throw new Error('the engine has another memory than expected');
      const section = [memorySection, 6, 1, 1, pages, 0x80, 0x80, 0];
      return {
        wasm: Buffer.concat([wasm.subarray(0, at), Uint8Array.from(section), wasm.subarray(from + size)]),
        maximumAt: at + 5,
      };
    }
    cursor.take(size);
  }
  throw new Error('the engine has no memory');
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
