import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { componentEmbed, componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';
import { packageDocs } from './wit.ts';

/**
 * Makes a component of a core module. With a WIT file its world is embedded first (a module from wit-bindgen carries its own), and the
 * documentation in the WIT is put into the component, from where px shows it to models. `project-x:core` is known without a copy.
 */
export async function component(
  root: string,
  core: string,
  wit?: string,
  world?: string,
  encoding: 'utf8' | 'utf16' = 'utf8',
) {
  const binary = new Uint8Array(readFileSync(core));
  if (!wit || !world) return componentNew(binary, []);
  const text = readFileSync(wit, 'utf8');
  const witSource = `${text}\n${nested(readFileSync(join(root, 'wit/core.wit'), 'utf8'))}`;
  const embedded = await componentEmbed({ binary, witSource, world, stringEncoding: encoding });
  return withDocs(await componentNew(embedded, []), text);
}

/** A WIT package as a nested one: `package a:b@1; …` → `package a:b@1 { … }`. */
function nested(wit: string): string {
  return `${wit.replace(/^((?:\s*\/\/.*\n)*)\s*package ([^;]+);/, '$1package $2 {')}\n}`;
}

/** A component with the documentation of its WIT appended as a `px-docs` section, in the JSON of wit-component's `package-docs`
 * (a section of that name itself would have to fit the package that tools read out of a component, whose world is called `root`). */
export function withDocs(bytes: Uint8Array, wit: string): Uint8Array {
  const text = new TextEncoder();
  const name = text.encode('px-docs');
  const body = [...leb(name.length), ...name, 0, ...text.encode(JSON.stringify(packageDocs(wit)))];
  return Uint8Array.from([...bytes, 0, ...leb(body.length), ...body]);
}

function leb(n: number): number[] {
  return n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...leb(n >>> 7)];
}
