import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withDocs } from '../../src/plugin/author/component.ts';
import type { PluginManifest } from '../../src/plugin/plugin.ts';
import { component } from './component.ts';

/** A built file. */
export interface Output {
  /** Its name in build/plugins: `clock.wasm`, `telegram.js`. */
  file: string;
  bytes: Uint8Array;
}
/** A built plugin. */
export interface Built extends Output {
  manifest: PluginManifest;
}

/** Reads plugins/NAME/plugin.yaml. */
function readManifest(root: string, name: string): PluginManifest {
  const text = readFileSync(join(root, 'plugins', name, 'plugin.yaml'), 'utf8');
  const { version, description, ...asked } = Bun.YAML.parse(text) as Partial<PluginManifest>;
  if (!version || !description) throw new Error(`plugins/${name}/plugin.yaml needs version and description`);
  const nothing = {
    egress: [],
    private_hosts: [],
    secrets: {},
    files: {},
    schedule: {},
    limits: {},
    setup: '',
    sealed: false,
  };
  return { ...nothing, ...asked, name, version: String(version), description };
}

/** Bundles plugins/NAME/NAME.ts and what it imports into one script. */
export async function buildScript(root: string, name: string): Promise<Built> {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, 'plugins', name, `${name}.ts`)],
    format: 'esm',
    target: 'browser',
    external: ['px'],
    // The engine reads a script at each start, 2 µs a character.
    minify: true,
  });
  const [made] = outputs;
  if (!made) throw new Error(`${name} has no output`);
  return { file: `${name}.js`, bytes: new Uint8Array(await made.arrayBuffer()), manifest: readManifest(root, name) };
}

/** Runs a compiler; its output is shown when it fails. */
export async function run(command: string[], cwd: string, env: Record<string, string> = {}): Promise<void> {
  const child = Bun.spawn(command, { cwd, env: { ...process.env, ...env }, stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(' ')}\n${stdout}${stderr}`);
}

/** The clock, in AssemblyScript. */
export async function buildClock(root: string): Promise<Built> {
  const dir = join(root, 'plugins/clock');
  const core = join(root, 'build/plugins/.clock.core.wasm');
  const flags = ['--runtime', 'stub', '-Oz', '--converge', '--use', 'abort=', '--noAssert', '--outFile', core];
  await run([process.execPath, join(root, 'node_modules/assemblyscript/bin/asc.js'), 'clock.ts', ...flags], dir);
  const bytes = await component(root, core, { wit: join(dir, 'clock.wit'), world: 'clock', strings: 'utf16' });
  return { file: 'clock.wasm', bytes, manifest: readManifest(root, 'clock') };
}

/** The C example: clang-19 and lld-19, no libc. */
export async function buildC(root: string): Promise<Output> {
  const dir = join(root, 'plugins/example-c');
  const core = join(root, 'build/plugins/.example-c.core.wasm');
  const flags =
    '--target=wasm32-unknown-unknown -nostdlib -ffreestanding -O2 -mbulk-memory -Wall -Wextra -Werror'.split(' ');
  const link = ['-Wl,--no-entry', '-Wl,--strip-all', '-Wl,-z,stack-size=32768', '-o', core];
  await run(['clang-19', ...flags, '-I', join(root, 'plugins/template/c/common'), ...link, 'example.c'], dir);
  const bytes = await component(root, core, { wit: join(dir, '../example.wit'), world: 'example' });
  return { file: 'example-c.wasm', bytes };
}

/**
 * What cargo needs here for wasm32-unknown-unknown. rustup adds the target; Debian's Rust (rustc-web, rust-web-src, cargo-web) has no libraries for it
 * and no linker of its own: it makes the standard library from its source and links with lld-19.
 */
async function rustTarget(dir: string): Promise<{ flags: string[]; env: Record<string, string> }> {
  const target = 'wasm32-unknown-unknown';
  const said = (command: string[]) => new Response(Bun.spawn(command, { cwd: dir }).stdout).text();
  if (Bun.which('rustup') && !(await said(['rustup', 'target', 'list', '--installed'])).includes(target))
    await run(['rustup', 'target', 'add', target], dir);
  const libraries = (await said(['rustc', '--print', 'target-libdir', '--target', target])).trim();
  if (existsSync(libraries)) return { flags: [], env: {} };
  return {
    flags: ['-Zbuild-std=std,panic_abort'],
    env: { RUSTC_BOOTSTRAP: '1', CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: 'wasm-ld-19' },
  };
}

/** The Rust example: cargo with the target wasm32-unknown-unknown; a tool, and the messaging world with and without a version. */
export async function buildRust(root: string): Promise<Output[]> {
  const dir = join(root, 'plugins/example-rust');
  const target = join(root, 'build/cargo');
  const { flags, env } = await rustTarget(dir);
  const out: Output[] = [];
  for (const crate of ['example', 'text-stats', 'echo-channel', 'echo-channel-seed', 'socket-channel']) {
    const command = ['cargo', 'build', '--release', '--locked', '--target', 'wasm32-unknown-unknown', '-p', crate];
    await run([...command, ...flags], dir, { ...env, CARGO_TARGET_DIR: target });
    const core = join(target, 'wasm32-unknown-unknown/release', `${crate.replaceAll('-', '_')}.wasm`);
    const plain = await component(root, core);
    const wit = crate === 'example' ? join(dir, '../example.wit') : join(dir, crate, 'wit/world.wit');
    const bytes = existsSync(wit) ? withDocs(plain, readFileSync(wit, 'utf8')) : plain;
    out.push({ file: crate === 'example' ? 'example-rust.wasm' : `example-rust-${crate}.wasm`, bytes });
  }
  return out;
}
