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

/**
 * The QuickJS engine that runs plain scripts, as jco's transpiler wrote it at build time (sync instantiation, name `plugin`): `plugin.js` and the core modules, in jco's
 * order and not yet capped. So a small machine never transpiles it.
 */
export async function engineTranspiled(): Promise<{ files: [name: string, bytes: Uint8Array][] }> {
  const pack = await carried();
  const names = pack.names.filter((n) => n.startsWith('engine/'));
  return {
    files: await Promise.all(names.map(async (n): Promise<[string, Uint8Array]> => [n.slice(7), await pack.read(n)])),
  };
}
