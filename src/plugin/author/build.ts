import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Environment } from '../../config/config.ts';
import type { SandboxMode } from '../child-process.ts';
import { packPlugin } from '../plugin.ts';
import { selfCommand } from '../self.ts';
import { withDocs } from './component.ts';
import { compilers } from './language.ts';
import { type Project, readContract } from './project.ts';

/** How this px runs what is not to be trusted: packages that a script imports, the plugin itself. */
export interface Lock {
  env: Environment;
  mode: SandboxMode;
}

/** A built plugin: one file with everything in it. */
export interface Built {
  /** `NAME.wasm` or `NAME.js` in the plugin's folder. */
  file: string;
  bytes: number;
  ms: number;
}

/**
 * Builds a plugin with its language's own toolchain into one file in its folder, manifest inside. A script needs no build to be installed:
 * what is built of it is one file to pass on. Throws PxError `plugin.build`, `plugin.toolchain`, `plugin.invalid`.
 */
export async function buildPlugin(project: Project, lock: Lock): Promise<Built> {
  const begun = performance.now();
  const { folder, name, language } = project;
  const script = language === 'ts' || language === 'js';
  const file = join(folder, script ? `${name}.js` : `${name}.wasm`);
  const bytes = script ? await bundled(project, lock) : await component(project, language);
  // Through a rename, so that whoever reads it meanwhile never sees half a file.
  const whole = join(folder, `.${basename(file)}.${process.pid}`);
  writeFileSync(whole, bytes);
  renameSync(whole, file);
  return { file, bytes: bytes.length, ms: performance.now() - begun };
}

async function component(project: Project, language: keyof typeof compilers): Promise<Uint8Array> {
  const contract = await readContract(project.folder);
  const scratch = mkdtempSync(join(tmpdir(), 'px-build-'));
  try {
    const made = await compilers[language]({ folder: project.folder, scratch, contract });
    return await packPlugin(withDocs(made, contract.own), project.manifest);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A script with all that it imports in one file; with the manifest of `plugin.yaml` when it has none of its own. */
async function bundled({ folder, script = '', manifest }: Project, { env, mode }: Lock): Promise<Uint8Array> {
  const { bundleFolder } = await import('../engine/folder.ts');
  const apart = [env.userHome, ...(env.home === undefined ? [] : [env.home])];
  const code = await bundleFolder({ command: selfCommand(env, '__prepare', []), mode }, script, apart);
  const own = /\bexport\s*\{[^}]*\bmanifest\b[^}]*\}|\bexport\s+(const|let|var)\s+manifest\b/.test(code);
  const { file: _, ...said } = manifest ?? {};
  const more =
    manifest && !own ? `\nexport const manifest = ${JSON.stringify({ name: basename(folder), ...said })};\n` : '';
  return new TextEncoder().encode(code + more);
}
