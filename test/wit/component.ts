import { componentEmbed, componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';

/** A real component of a world, made by wit-component, with functions that only trap. */
export async function dummyComponent(witSource: string, world: string): Promise<Uint8Array> {
  return componentNew(await componentEmbed({ dummy: true, witSource, world }), []);
}
