import { PxError } from '../../error/error.ts';
import type { Pack } from '../engine/pack.ts';

/**
 * What `scripts/build-plugins.ts` packed for authors: the files of the templates, `templates.json` (which of them make which project),
 * `core.wit`, `px.d.ts`, and `go-wasi.wasm`. Throws PxError `internal` when it is not built.
 */
export async function authorPack(): Promise<Pack> {
  try {
    const { openPack } = await import('../engine/pack.ts');
    const { default: path } = await import('../../../build/plugins/author.pack', { with: { type: 'file' } });
    return await openPack(path);
  } catch (cause) {
    throw new PxError('internal', 'what px carries for authors is not built', {
      hint: 'Run: bun scripts/build-plugins.ts',
      cause,
    });
  }
}

/** A file of the pack as text. */
export async function authorText(name: string): Promise<string> {
  return new TextDecoder().decode(await (await authorPack()).read(name));
}
