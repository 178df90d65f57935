import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { namePattern } from '../manifest.ts';
import { authorPack } from './pack.ts';

/** Languages there is a template for. */
export const languages = ['ts', 'js', 'rust', 'go', 'python', 'c'] as const;
/** A language of {@link languages}. */
export type Language = (typeof languages)[number];
/** What a new plugin is: tools for the agent, or a connector to a messaging platform. */
export const kinds = ['tool', 'messaging'] as const;
/** A kind of {@link kinds}. */
export type Kind = (typeof kinds)[number];

/** Of `LANGUAGE/KIND`: where each file goes, and which file of the pack it is. */
const Templates = v.record(v.string(), v.record(v.string(), v.string()));

/**
 * Writes a new plugin into a folder that is empty or not there: source, manifest, contract, and a test that passes. The files' paths below
 * the folder. Throws PxError `usage` for a bad name, `conflict` when something stands there.
 */
export async function newPlugin(folder: string, name: string, language: Language, kind: Kind): Promise<string[]> {
  // Each part between dashes is a word of WIT.
  if (!namePattern.test(name) || /-(-|$)/.test(name) || name === 'plugin' || name === 'index')
    throw new PxError('usage', `${JSON.stringify(name.slice(0, 80))} is no plugin name.`, {
      hint: 'Small letters, digits and dashes, a letter first: px plugin new my-plugin --lang ts',
    });
  if (existsSync(folder) && readdirSync(folder).some((file) => !file.startsWith('.')))
    throw new PxError('conflict', `${folder} is there already and not empty.`, {
      hint: 'Give another name, or another folder with --into.',
    });
  const pack = await authorPack();
  const text = async (file: string) => new TextDecoder().decode(await pack.read(file));
  const files = v.parse(Templates, JSON.parse(await text('templates.json')))[`${language}/${kind}`] ?? {};
  for (const [path, from] of Object.entries(files)) {
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, named(await text(from), name));
  }
  return Object.keys(files).sort();
}

/** Words WIT keeps to itself; as a name they begin with `%`. */
const witWords = new Set(
  'as async bool borrow char constructor enum error-context export f32 f64 flags from func future import include interface list map option own package record resource result s16 s32 s64 s8 static stream string tuple type u16 u32 u64 u8 use variant with world'.split(
    ' ',
  ),
);

/** A template's text with the plugin's name in the place of `my-plugin`, as WIT and YAML write it. */
function named(text: string, name: string): string {
  return text
    .replaceAll('me:my-plugin', `me:${witWords.has(name) ? '%' : ''}${name}`)
    .replaceAll('name: my-plugin', `name: ${Bun.YAML.parse(name) === name ? name : JSON.stringify(name)}`)
    .replaceAll('my-plugin', name)
    .replaceAll('my_plugin', name.replaceAll('-', '_'));
}

/** Writes what an editor needs for plain scripts: `px.d.ts`, and a `tsconfig.json` where there is none. The files written. */
export async function writeTypes(folder: string): Promise<string[]> {
  const pack = await authorPack();
  const written: string[] = [];
  for (const file of ['px.d.ts', 'tsconfig.json']) {
    const path = join(folder, file);
    if (file === 'tsconfig.json' && existsSync(path)) continue;
    writeFileSync(path, await pack.read(file));
    written.push(file);
  }
  return written;
}
