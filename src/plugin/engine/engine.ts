import { PxError } from '../../error/error.ts';
import type { Pack } from './pack.ts';

export { bundleScript } from './bundle.ts';

let opened: Promise<Pack> | undefined;

/** What `scripts/build-plugins.ts` packed for the executable to carry. */
export function carried(): Promise<Pack> {
  opened ??= open().catch((e: unknown) => {
    opened = undefined;
    throw new PxError('internal', 'the plugins px carries are not built', {
      hint: 'Run: bun scripts/build-plugins.ts',
      cause: e,
    });
  });
  return opened;
}

async function open(): Promise<Pack> {
  const { openPack } = await import('./pack.ts');
  const { default: path } = await import('../../../build/plugins/px.pack', { with: { type: 'file' } });
  return openPack(path);
}

/** Which engine this px carries: a picture of another one's memory is none of this one's. */
export async function engineId(): Promise<string> {
  return new TextDecoder().decode(await (await carried()).read('engine-id'));
}

/** The core modules of the QuickJS engine that runs plain scripts, as jco's transpiler wrote them at build time. */
export interface EngineModules {
  /** Those that define a memory or a table, not yet capped, in jco's order. */
  growing: [name: string, bytes: Uint8Array<ArrayBuffer>][];
  fixed: [name: string, bytes: Uint8Array<ArrayBuffer>][];
}

/** Reads the engine's modules out of the executable: so a small machine never transpiles them. The glue is `#engine`. */
export async function engineModules(): Promise<EngineModules> {
  const growing: EngineModules['growing'] = [];
  const fixed: EngineModules['fixed'] = [];
  for (const [name, bytes] of await (await carried()).readFolder('engine/')) {
    const file = name.slice(name.lastIndexOf('/') + 1);
    (name.startsWith('engine/growing/') ? growing : fixed).push([file, bytes]);
  }
  return { growing, fixed };
}
