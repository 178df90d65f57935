import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PxError } from '../../error/error.ts';
import { makeComponent } from './component.ts';
import { authorPack } from './pack.ts';
import type { Contract } from './project.ts';
import type { Language } from './template.ts';
import { compile, missing, say } from './toolchain.ts';

/** What a toolchain works on. */
interface Job {
  folder: string;
  /** A folder for what is made on the way. */
  scratch: string;
  contract: Contract;
}

const bytesOf = (path: string) => Bun.file(path).bytes();
const worldOf = ({ contract }: Job) => ({ source: contract.source, name: contract.world });

/** Rust: whatever target `.cargo/config.toml` names, a component (wasm32-wasip2) or a module with wit-bindgen's types in it. */
async function rust(job: Job): Promise<Uint8Array> {
  const install = 'https://rustup.rs, then: rustup target add wasm32-unknown-unknown';
  if (!Bun.which('cargo')) throw missing('Rust', install);
  const target = /target[: ]+`?(wasm32-[\w-]+)/;
  const said = await compile(['cargo', 'build', '--release', '--message-format=json-render-diagnostics'], job.folder, {
    lacks: [
      [/target may not be installed|can't find crate for `(core|std)`/, "Rust's library for WebAssembly", install],
    ],
  }).catch((thrown: unknown) => {
    const named = thrown instanceof PxError ? target.exec(thrown.message)?.[1] : undefined;
    throw named ? missing(`Rust's library for ${named}`, `rustup target add ${named}`) : thrown;
  });
  const files = said
    .split('\n')
    .filter((line) => line.includes('"compiler-artifact"'))
    .flatMap((line) => (JSON.parse(line) as { filenames?: string[] }).filenames ?? []);
  const module = files.findLast((file) => file.endsWith('.wasm'));
  if (module === undefined)
    throw new PxError('plugin.build', 'cargo built no .wasm file.', {
      hint: 'Cargo.toml needs crate-type = ["cdylib"], and .cargo/config.toml a target: wasm32-unknown-unknown or wasm32-wasip2.',
    });
  return makeComponent(await bytesOf(module));
}

/** Go: the standard compiler for wasip1; what its runtime asks of WASI is answered by a module that px carries. */
async function go(job: Job): Promise<Uint8Array> {
  const install = 'https://go.dev/dl, 1.24 or later';
  if (!Bun.which('go')) throw missing('Go', install);
  const { stdout } = await say(['go', 'env', 'GOVERSION'], job.folder);
  const [, minor] = /^go1\.(\d+)/.exec(stdout) ?? [];
  if (minor !== undefined && Number(minor) < 24) throw missing(`Go 1.24 (this is ${stdout.trim()})`, install);
  const out = join(job.scratch, 'core.wasm');
  const flags = ['-buildmode=c-shared', '-trimpath', '-ldflags=-s -w', '-o', out, '.'];
  await compile(['go', 'build', ...flags], job.folder, { variables: { GOOS: 'wasip1', GOARCH: 'wasm' } });
  const wasi = await (await authorPack()).read('go-wasi.wasm');
  const adapters: [string, Uint8Array][] = [['wasi_snapshot_preview1', wasi]];
  return makeComponent(await bytesOf(out), { world: worldOf(job), adapters });
}

/** C: any clang that knows WebAssembly, without libc. */
async function c(job: Job): Promise<Uint8Array> {
  const install = 'apt-get install clang lld, or brew install llvm lld';
  const versions = Array.from({ length: 12 }, (_, i) => `clang-${27 - i}`);
  const clang = ['clang', ...versions].find((name) => Bun.which(name));
  if (!clang) throw missing('clang', install);
  const sources = readdirSync(job.folder).filter((file) => file.endsWith('.c'));
  const out = join(job.scratch, 'core.wasm');
  const flags = '--target=wasm32-unknown-unknown -nostdlib -ffreestanding -O2 -mbulk-memory -Wall -Wextra'.split(' ');
  const link = ['-Wl,--no-entry', '-Wl,--strip-all', '-Wl,-z,stack-size=32768', '-o', out];
  await compile([clang, ...flags, ...link, ...sources], job.folder, {
    lacks: [
      [/wasm-ld|unable to execute command/, 'lld, the linker of WebAssembly,', install],
      [/No available targets|unknown target triple/i, 'A clang that knows WebAssembly', install],
    ],
  });
  return makeComponent(await bytesOf(out), { world: worldOf(job) });
}

/** Python: componentize-py, from the path or from the folder's own environment. */
async function python(job: Job): Promise<Uint8Array> {
  const own = join(job.folder, '.venv/bin/componentize-py');
  const tool = existsSync(own) ? own : Bun.which('componentize-py');
  if (!tool)
    throw missing(
      'componentize-py',
      'python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1 (in the folder of the plugin)',
    );
  const out = join(job.scratch, 'plugin.wasm');
  await compile([tool, '-d', 'wit', '-w', job.contract.world, 'componentize', 'plugin', '-o', out], job.folder, {
    variables: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  return bytesOf(out);
}

/** How each compiled language becomes a component. They throw PxError `plugin.build`, `plugin.toolchain`. */
export const compilers: Record<Exclude<Language, 'ts' | 'js'>, (job: Job) => Promise<Uint8Array>> = {
  rust,
  go,
  c,
  python,
};
