import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withDocs } from '../../src/plugin/author/component.ts';
import { openPack } from '../../src/plugin/engine/pack.ts';
import { type Output, run } from './build.ts';
import { component } from './component.ts';

/** What stands between a build and its example: printed, and the example's tests are skipped with it. */
export class Missing extends Error {}

const world = 'example';
const witOf = (root: string) => join(root, 'plugins/example.wit');

/** The example in AssemblyScript, on the stub runtime; strings stay UTF-16. */
export async function buildAs(root: string): Promise<Output> {
  const dir = join(root, 'plugins/example-as');
  const core = join(root, 'build/plugins/.example-as.core.wasm');
  const flags = ['--runtime', 'stub', '-Oz', '--converge', '--use', 'abort=', '--noAssert', '--outFile', core];
  await run([process.execPath, join(root, 'node_modules/assemblyscript/bin/asc.js'), 'example.ts', ...flags], dir);
  await renameExports(core);
  return { file: 'example-as.wasm', bytes: await component(root, core, { wit: witOf(root), world, strings: 'utf16' }) };
}

/** AssemblyScript's exports are identifiers, WIT's names have dashes: `lookAround` becomes `look-around`. */
async function renameExports(core: string): Promise<void> {
  const functionKind = 0;
  const { default: binaryen } = await import('binaryen');
  const module = binaryen.readBinary(new Uint8Array(readFileSync(core)));
  for (let i = 0; i < module.getNumExports(); i++) {
    const { name, kind, value } = binaryen.getExportInfo(module.getExportByIndex(i));
    const wanted = name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    if (wanted === name || kind !== functionKind) continue;
    module.removeExport(name);
    module.addFunctionExport(value, wanted);
    i = -1;
  }
  writeFileSync(core, module.emitBinary());
}

/** The example in TypeScript as one script, with the parts of a browser that QuickJS lacks when it is to run without px's engine. */
async function bundle(root: string, globals: boolean): Promise<string> {
  const dir = join(root, 'plugins/example-ts-component');
  const entry = join(dir, 'entry.ts');
  const text = `${globals ? "import '../engine/globals.ts';\n" : ''}export * from './example.ts';\n`;
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    files: { [entry]: text },
    format: 'esm',
    target: 'browser',
    external: ['project-x:*', 'px'],
    minify: { whitespace: true, syntax: true },
  });
  const [made] = outputs;
  if (!made) throw new Error('the TypeScript example has no output');
  return made.text();
}

/** The example in TypeScript with componentize-qjs, and the same source as a plain script for the engine px carries. */
export async function buildTs(root: string): Promise<Output[]> {
  const { componentize } = await import('componentize-qjs');
  const made = await componentize({
    witPath: witTree(root),
    world,
    jsSource: await bundle(root, true),
    optSize: true,
    sync: true,
    stubWasi: true,
  });
  const bytes = withDocs(new Uint8Array(made.component), readFileSync(witOf(root), 'utf8'));
  const script = new TextEncoder().encode(await bundle(root, false));
  return [
    { file: 'example-ts-component.wasm', bytes },
    { file: 'example-ts-script.js', bytes: script },
  ];
}

/** A folder with example.wit and the contract it imports, laid out as generators want it. */
function witTree(root: string): string {
  const tree = join(root, 'build/wit');
  mkdirSync(join(tree, 'deps/core'), { recursive: true });
  Bun.spawnSync(['cp', witOf(root), tree]);
  Bun.spawnSync(['cp', join(root, 'wit/core.wit'), join(tree, 'deps/core')]);
  return tree;
}

/** componentize-py, as `scripts/prepare --python` puts it into build/python. */
const componentizePy = (root: string) => join(root, 'build/python/bin/componentize-py');

/**
 * The example in Python with componentize-py: CPython is in the component. It imports WASI as that tool makes it, which px answers with
 * nothing that reaches out.
 */
export async function buildPython(root: string): Promise<Output> {
  const tool = componentizePy(root);
  if (!existsSync(tool)) throw new Missing('componentize-py is not installed');
  const out = join(root, 'build/plugins/.example-python.wasm');
  const dir = join(root, 'plugins/example-python');
  await run([tool, '-d', witTree(root), '-w', world, 'componentize', 'example', '-o', out], dir, {
    PYTHONDONTWRITEBYTECODE: '1',
  });
  const bytes = new Uint8Array(readFileSync(out));
  rmSync(out);
  return { file: 'example-python.wasm', bytes: withDocs(bytes, readFileSync(witOf(root), 'utf8')) };
}

/** Go that has `go:wasmexport` (1.24): on the path, or as `scripts/prepare` puts it into build/python from a package of PyPI. */
async function findGo(root: string): Promise<string> {
  for (const go of [Bun.which('go'), join(root, 'build/python/bin/go')]) {
    if (!go || !existsSync(go)) continue;
    const [, minor = 0] = /go1\.(\d+)/.exec(Bun.spawnSync([go, 'version']).stdout.toString()) ?? [];
    if (Number(minor) >= 24) return go;
  }
  throw new Missing('Go 1.24 or later is not installed');
}

/** The example in Go: standard Go for wasip1, its WASI imports answered by the module that `px plugin build` uses. */
export async function buildGo(root: string): Promise<Output> {
  const go = await findGo(root);
  const dir = join(root, 'plugins/example-go');
  const core = join(root, 'build/plugins/.example-go.core.wasm');
  await run([go, 'build', '-buildmode=c-shared', '-trimpath', '-ldflags=-s -w', '-o', core, '.'], dir, {
    GOOS: 'wasip1',
    GOARCH: 'wasm',
    GOFLAGS: '',
    GOCACHE: join(root, 'build/go'),
  });
  const wasi = await (await openPack(join(root, 'build/plugins/author.pack'))).read('go-wasi.wasm');
  const typed = {
    wit: witOf(root),
    world,
    adapters: [['wasi_snapshot_preview1', wasi]] satisfies [string, Uint8Array][],
  };
  return { file: 'example-go.wasm', bytes: await component(root, core, typed) };
}

/** The example in Rust once more, with WASI: what `wasm32-wasip2` makes of the standard library. */
export async function buildRustWasi(root: string): Promise<Output> {
  if (!Bun.which('rustup')) throw new Missing('rustup is not installed, and no other Rust brings wasm32-wasip2');
  const dir = join(root, 'plugins/example-rust');
  const target = 'wasm32-wasip2';
  await run(['rustup', 'target', 'add', target], dir);
  const made = join(root, 'build/cargo');
  await run(['cargo', 'build', '--release', '--locked', '--target', target, '-p', 'example'], dir, {
    CARGO_TARGET_DIR: made,
  });
  const bytes = new Uint8Array(readFileSync(join(made, target, 'release/example.wasm')));
  return { file: 'example-rust-wasi.wasm', bytes: withDocs(bytes, readFileSync(witOf(root), 'utf8')) };
}
