import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { embedWorld, parseWat, witSource } from '../../src/plugin/author/component.ts';
import { kinds, type Language, languages } from '../../src/plugin/author/template.ts';
import { writePack } from '../../src/plugin/engine/pack.ts';
import type { Output } from './build.ts';

/** Where the files of a template go, and which file below plugins/template (or of px itself) each is. */
function filesOf(root: string, language: Language, kind: (typeof kinds)[number]): Record<string, string> {
  const files: Record<string, string> = { 'plugin.test.yaml': `shared/${kind}.test.yaml` };
  if (language === 'ts' || language === 'js')
    Object.assign(files, {
      'README.md': `shared/README-${language}.md`,
      'px.d.ts': 'px.d.ts',
      'tsconfig.json': 'tsconfig.json',
    });
  else
    Object.assign(files, {
      'README.md': 'shared/README-component.md',
      '.gitignore': 'shared/gitignore',
      'plugin.yaml': `shared/${kind}.yaml`,
      'wit/world.wit': `shared/${kind}.wit`,
      'wit/deps/core/core.wit': 'core.wit',
    });
  const template = join(root, 'plugins/template');
  for (const part of ['common', kind])
    for (const file of list(join(template, language, part)))
      files[file === 'world.wit' ? 'wit/world.wit' : file] = `${language}/${part}/${file}`;
  return files;
}

function list(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(join(folder, file)).isFile(),
  );
  return found.sort();
}

/** What `px plugin new`, `build` and `types` work with, in one file for the executable to carry: nothing of it is read by anything else. */
export async function buildAuthorPack(root: string): Promise<Output> {
  const read = (path: string) => new Uint8Array(readFileSync(join(root, path)));
  const projects = languages.flatMap((language) =>
    kinds.map((kind): [string, Record<string, string>] => [`${language}/${kind}`, filesOf(root, language, kind)]),
  );
  const own = new Map([
    ['px.d.ts', read('plugins/px.d.ts')],
    ['tsconfig.json', read('plugins/template/shared/tsconfig.json')],
    ['core.wit', read('wit/core.wit')],
    ['go-wasi.wasm', await goWasi(root)],
    ['templates.json', new TextEncoder().encode(JSON.stringify(Object.fromEntries(projects)))],
    ...(['ts', 'js'] as const).map((language): [string, Uint8Array] => {
      const text = readFileSync(join(root, 'plugins/template/shared/README-script.md'), 'utf8');
      return [`shared/README-${language}.md`, new TextEncoder().encode(text.replace('LANG', language))];
    }),
  ]);
  for (const file of projects.flatMap(([, files]) => Object.values(files)))
    if (!own.has(file)) own.set(file, read(`plugins/template/${file}`));
  return { file: 'author.pack', bytes: writePack([...own]) };
}

/** The module that answers what Go's runtime asks of WASI, with the types of what it asks of px. */
async function goWasi(root: string): Promise<Uint8Array> {
  const module = await parseWat(readFileSync(join(root, 'plugins/template/go/wasi.wat'), 'utf8'));
  const world = 'package px:adapter;\nworld adapter { import project-x:core/host-api@0.1.0; }';
  const source = witSource(world, readFileSync(join(root, 'wit/core.wit'), 'utf8'));
  return embedWorld(module, { source, name: 'adapter' });
}
