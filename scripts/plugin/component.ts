import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeComponent, withDocs, witSource } from '../../src/plugin/author/component.ts';

/** How {@link component} makes a component of a module that has no types in it. */
interface Typed {
  /** The WIT file; its documentation is put into the component. `project-x:core` is known without a copy. */
  wit: string;
  world: string;
  strings?: 'utf8' | 'utf16';
  adapters?: [name: string, module: Uint8Array][];
}

/** Makes a component of a core module's file, as `px plugin build` does. A module from wit-bindgen carries its own types. */
export async function component(root: string, core: string, typed?: Typed): Promise<Uint8Array> {
  const binary = new Uint8Array(readFileSync(core));
  if (!typed) return makeComponent(binary);
  const text = readFileSync(typed.wit, 'utf8');
  const source = witSource(text, readFileSync(join(root, 'wit/core.wit'), 'utf8'));
  const { world: name, strings = 'utf8', adapters = [] } = typed;
  return withDocs(await makeComponent(binary, { world: { source, name, strings }, adapters }), text);
}
