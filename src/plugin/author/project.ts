import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PxError } from '../../error/error.ts';
import { nameFromFile, type PartialManifest, readManifest } from '../manifest.ts';
import { mainFile } from '../source.ts';
import { witSource } from './component.ts';
import { authorText } from './pack.ts';
import type { Language } from './template.ts';
import { readWit } from './wit-docs.ts';

/** The source of a plugin: a folder, or one script of it. */
export interface Project {
  folder: string;
  /** The script itself, where it is one. */
  script: string | undefined;
  language: Language;
  /** The name its manifest gives, else that of its file or folder. A script's own manifest is read when it is built. */
  name: string;
  /** `plugin.yaml`; undefined when there is none. */
  manifest: PartialManifest | undefined;
}

/** By which file a folder is known to hold a plugin of a language. */
const marks: [file: string, language: Language][] = [
  ['Cargo.toml', 'rust'],
  ['go.mod', 'go'],
  ['plugin.py', 'python'],
  ['plugin.c', 'c'],
];

/** Finds out what a folder or file holds. Throws PxError `not-found`, `plugin.invalid`. */
export async function openProject(given: string): Promise<Project> {
  const path = resolve(given);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new PxError('not-found', `There is no file or folder ${given}.`, { hint: 'px plugin new NAME' });
  if (found.isFile()) return scriptProject(path, undefined);
  const manifest = await manifestOf(path);
  const has = (file: string) => existsSync(join(path, file));
  const language = marks.find(([file]) => has(file))?.[1];
  if (language) {
    if (manifest?.name === undefined)
      throw new PxError('plugin.invalid', `${join(given, 'plugin.yaml')} is missing, or gives no name.`, {
        hint: 'It says what the plugin is and asks for: docs/plugins.md',
      });
    return { folder: path, script: undefined, language, name: manifest.name, manifest };
  }
  const script = manifest?.file ?? mainFile(path, 'script', manifest?.name);
  if (script !== undefined) return scriptProject(join(path, script), manifest);
  throw new PxError('not-found', `${given} holds no plugin px knows how to build.`, {
    hint: `Looked for a .ts or .js file, ${marks.map(([file]) => file).join(', ')}. To begin one: px plugin new NAME`,
  });
}

function scriptProject(path: string, manifest: PartialManifest | undefined): Project {
  const ending = /\.[cm]?([jt]s)$/i.exec(path)?.[1]?.toLowerCase();
  if (ending !== 'ts' && ending !== 'js')
    throw new PxError('plugin.invalid', `${path} is no .ts or .js file.`, { hint: 'Name the folder of the plugin.' });
  const folder = dirname(path);
  const plain = /^(plugin|index)\./.test(basename(path));
  const name = manifest?.name ?? nameFromFile(plain ? basename(folder) : basename(path));
  return { folder, script: path, language: ending, name, manifest };
}

async function manifestOf(folder: string): Promise<PartialManifest | undefined> {
  const path = join(folder, 'plugin.yaml');
  if (!existsSync(path)) return undefined;
  try {
    return readManifest(Bun.YAML.parse(readFileSync(path, 'utf8')) ?? {}, 'plugin.yaml');
  } catch (thrown) {
    if (thrown instanceof PxError) throw thrown;
    throw new PxError('plugin.invalid', `plugin.yaml is not YAML: ${thrown instanceof Error ? thrown.message : ''}`);
  }
}

/** The contract of a project: `wit/` with what it builds on in `wit/deps/`. */
export interface Contract {
  /** Its own package, as it is written. */
  own: string;
  /** With all packages it uses. */
  source: string;
  /** The world it is built for. */
  world: string;
}

/** Reads `wit/`; px's own contract is known also without a copy of it. Throws PxError `plugin.invalid`. */
export async function readContract(folder: string): Promise<Contract> {
  const wit = join(folder, 'wit');
  const filesIn = (path: string) =>
    existsSync(path) ? readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.wit')) : [];
  const own = filesIn(wit)
    .filter((file) => !file.startsWith('deps'))
    .sort()
    .map((file) => readFileSync(join(wit, file), 'utf8'))
    // Only the first file of a package needs to name it.
    .map((text, i) => (i === 0 ? text : text.replace(/^\s*package [^;]+;/m, '')))
    .join('\n');
  if (own === '')
    throw new PxError('plugin.invalid', `There is no contract in ${wit}.`, {
      hint: 'A .wit file there says what the plugin exports; px plugin new writes one.',
    });
  const deps = filesIn(join(wit, 'deps')).map((file) => readFileSync(join(wit, 'deps', file), 'utf8'));
  if (!deps.some((text) => /^package project-x:core\b/m.test(text))) deps.push(await authorText('core.wit'));
  const worlds = readWit(own).filter((item) => item.kind === 'world');
  const world = worlds.find(({ name }) => name === 'plugin') ?? (worlds.length === 1 ? worlds[0] : undefined);
  if (!world)
    throw new PxError('plugin.invalid', `${wit} has ${worlds.length} worlds and none is called plugin.`, {
      hint: 'The one to build is found by that name.',
    });
  return { own, source: witSource(own, ...deps), world: world.name };
}
