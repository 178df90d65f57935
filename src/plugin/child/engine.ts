import { engineTranspiled } from '../engine/engine.ts';
import { capModules } from './core.ts';

/** The script engine in the making. */
export interface Engine {
  /** Its generated JavaScript. */
  code: Uint8Array;
  /** Its core modules by name, once other threads have compiled them. */
  modules: Promise<[name: string, module: WebAssembly.Module][]>;
}

/**
 * Reads the engine out of the executable and begins to compile it, its memories capped. It is px's own code, built with px, so that this
 * may happen before the lock; none of it runs before.
 */
export async function beginEngine(memoryMb: number): Promise<Engine> {
  const files = capModules((await engineTranspiled()).files, memoryMb);
  const code = files.find(([name]) => name === 'plugin.js')?.[1];
  if (!code) throw new Error('the engine has no code');
  const modules = Promise.all(
    files
      .filter(([name]) => name.endsWith('.wasm'))
      .map(
        async ([name, bytes]): Promise<[string, WebAssembly.Module]> => [
          name,
          await WebAssembly.compile(new Uint8Array(bytes)),
        ],
      ),
  );
  modules.catch(() => {});
  return { code, modules };
}
