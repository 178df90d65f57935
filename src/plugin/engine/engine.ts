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
  return (await import('#engine')).id;
}

/** Where things stand in the memory of the engine once px's part of it is evaluated. */
export interface Anchors {
  /** Values: functions of px's part, and `undefined`. */
  load: number;
  call: number;
  invoke: number;
  settle: number;
  rehearse: number;
  undefined: number;
  /** Where texts that go in are put. */
  room: number;
  /** Where the arguments of a call are lined up. */
  line: number;
  /** Where the length of a text is told. */
  length: number;
}

/** The script engine as the build made it. */
export interface EngineFiles {
  /** QuickJS, its memory capped. */
  wasm: Uint8Array<ArrayBuffer>;
  /** The state of its memory once px's part of it was evaluated. */
  picture(): Promise<Uint8Array>;
  anchors: Anchors;
}

const pagesPerMib = 16;

/** Reads the engine out of the executable, for a script that may have so many MiB of memory. */
export async function engineFiles(memoryMb: number): Promise<EngineFiles> {
  const { default: wasm } = await import('../../../build/plugins/engine.wasm', { with: { type: 'file' } });
  const { default: picture } = await import('../../../build/plugins/engine.picture', { with: { type: 'file' } });
  const { anchors, maximumAt } = await import('#engine');
  const bytes = await Bun.file(wasm).bytes();
  const pages = memoryMb * pagesPerMib;
  // The build left a place of three bytes for this LEB128 number.
  bytes.set([0x80 | (pages & 127), 0x80 | ((pages >> 7) & 127), pages >> 14], maximumAt);
  return { wasm: bytes, picture: () => Bun.file(picture).bytes(), anchors };
}
