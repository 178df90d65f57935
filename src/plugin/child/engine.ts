import { engineModules } from '../engine/engine.ts';
import { capModules } from './core.ts';

type Glue = typeof import('#engine');

/** The script engine in the making. */
export interface Engine {
  instantiate: Glue['instantiate'];
  /** Its core modules by name, once other threads have compiled them. */
  modules: Promise<[name: string, module: WebAssembly.Module][]>;
}

/**
 * Reads the engine out of the executable and begins to compile it, its memories capped. It is px's own code, built with px, so that this
 * may happen before the lock; none of it runs before.
 */
export async function beginEngine(memoryMb: number): Promise<Engine> {
  const { fixed, growing } = await engineModules();
  // The largest first: all others are compiled while it is.
  const compiling = fixed.toSorted(([, a], [, b]) => b.length - a.length).map(compiled);
  const modules = Promise.all([...compiling, ...capModules(growing, memoryMb).map(compiled)]);
  modules.catch(() => {});
  const { instantiate } = await import('#engine');
  return { instantiate, modules };
}

async function compiled([name, bytes]: [string, Uint8Array]): Promise<[name: string, module: WebAssembly.Module]> {
  return [name, await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>)];
}
