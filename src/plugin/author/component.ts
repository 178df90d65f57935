import { PxError } from '../../error/error.ts';
import { isComponent, withSection } from '../embedded.ts';
import { packageDocs } from './wit-docs.ts';

/** A world of a WIT source that has all packages it uses. */
export interface World {
  source: string;
  name: string;
  strings?: 'utf8' | 'utf16';
}

/** How a core module becomes a component. */
export interface ComponentOptions {
  /** Left out for a module that has its types in it, as wit-bindgen makes them. */
  world?: World;
  /** Modules that answer imports of other names: `wasi_snapshot_preview1`. */
  adapters?: [name: string, module: Uint8Array][];
}

async function wasmTools() {
  const { $init, tools } = await import('#wasm-tools');
  await $init;
  return tools;
}

/**
 * Makes a component of a core module; one that is a component already stays as it is. Throws PxError `plugin.build` when the module does
 * not export what the world says.
 */
export async function makeComponent(binary: Uint8Array, options: ComponentOptions = {}): Promise<Uint8Array> {
  if (isComponent(binary)) return binary;
  const { world, adapters = [] } = options;
  try {
    return (await wasmTools()).componentNew(world ? await embedWorld(binary, world) : binary, adapters);
  } catch (thrown) {
    throw new PxError('plugin.build', `it does not become a component: ${saidBy(thrown)}`, {
      hint: 'Its exports and imports have to be those that wit/ says.',
      cause: thrown,
    });
  }
}

/** A core module with the types of a world in it. Throws what wasm-tools throws. */
export async function embedWorld(binary: Uint8Array, { source, name, strings = 'utf8' }: World): Promise<Uint8Array> {
  const tools = await wasmTools();
  return tools.componentEmbed({ binary, witSource: source, world: name, stringEncoding: strings });
}

/** A module of WebAssembly's text format. */
export async function parseWat(text: string): Promise<Uint8Array> {
  return (await wasmTools()).parse(text);
}

function saidBy(thrown: unknown): string {
  const payload = typeof thrown === 'object' && thrown !== null && 'payload' in thrown ? thrown.payload : undefined;
  return String(payload ?? (thrown instanceof Error ? thrown.message : thrown)).slice(0, 2000);
}

/** WIT packages as one source: the first as it stands, the others nested in it. */
export function witSource(main: string, ...others: string[]): string {
  return [main, ...others.map(nested)].join('\n');
}

/** A WIT package as a nested one: `package a:b@1; …` → `package a:b@1 { … }`. */
function nested(wit: string): string {
  return `${wit.replace(/^((?:\s*\/\/.*\n)*)\s*package ([^;]+);/, '$1package $2 {')}\n}`;
}

/**
 * A component with the documentation of its WIT in a section `px-docs`, in the JSON of wit-component's `package-docs`: toolchains drop the
 * comments, and models need them. (A section of that name itself would have to fit the package that tools read out of a component, whose
 * world is called `root`.)
 */
export function withDocs(component: Uint8Array, wit: string): Uint8Array {
  const version = '\0';
  return withSection(component, 'px-docs', new TextEncoder().encode(`${version}${JSON.stringify(packageDocs(wit))}`));
}
