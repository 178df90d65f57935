import { resolve } from 'node:path';
import type { Environment } from '../config/config.ts';

/**
 * The command that starts this program again with a hidden verb. `PX_EXEC_PREFIX` (words separated by spaces) is put before
 * it, for systems that cannot execute the file by itself: `qemu-aarch64-static -L /usr/aarch64-linux-gnu`.
 */
export function selfCommand(env: Environment, verb: '__plugin' | '__prepare', args: string[]): string[] {
  const prefix = (env.get('PX_EXEC_PREFIX') ?? '').split(' ').filter((word) => word !== '');
  const compiled = import.meta.path.startsWith('/$bunfs/') || import.meta.path.includes('~BUN');
  // Run from source (`bun run`, `bun test`) the executable is Bun itself and must be told the program.
  const program = compiled ? [] : [resolve(import.meta.dir, '../main.ts')];
  return [...prefix, process.execPath, ...program, verb, ...args];
}

/**
 * The whole environment of a child: how its engine compiles. A plugin is called a few times and ends, so that what takes long to compile
 * (the top tier of WebAssembly, JavaScript at all) never pays, and what is compiled quickly is compiled early.
 * Nothing of the daemon's own environment is passed on.
 */
export const childEnvironment: Record<string, string> = {
  BUN_JSC_useOMGJIT: '0',
  // Quick memories are reservations of 4 GiB, which the limits of a locked process forbid: each would be tried twice, with a collection between.
  BUN_JSC_useWasmFastMemory: '0',
  BUN_JSC_numberOfWasmCompilerThreads: '2',
  BUN_JSC_useBaselineJIT: '0',
  BUN_JSC_useDFGJIT: '0',
  BUN_JSC_thresholdForBBQOptimizeAfterWarmUp: '20',
  BUN_JSC_thresholdForBBQOptimizeSoon: '10',
};
