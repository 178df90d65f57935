import { engineFiles } from '../engine/engine.ts';
import { maxPicture } from '../picture-call.ts';
import type { LoadFrame } from '../protocol.ts';
import { type AskHost, outsideFor } from './host.ts';
import { applyPicture, copyOf, stateOf, takePicture } from './picture.ts';
import { readBlob } from './pipe.ts';
import { Script } from './quickjs.ts';

/** A plugin that was started. */
export interface Running {
  /** What has its functions. */
  root: unknown;
  /** A picture of it, in base64; null when there can be none. */
  picture(): string | null;
  /** Does what each of its calls does, but for the call. */
  rehearse?(): void;
}

/** The script engine in the making. */
export interface Engine {
  /** Starts a script, in the state of the picture that follows, when one is given. */
  run(load: LoadFrame, ask: AskHost, script: string): Promise<Running>;
}

/**
 * Reads the engine out of the executable and begins to compile it on another thread, its memory capped. It is px's own code, built with
 * px, so that this may happen before the lock; none of it runs before.
 */
export async function beginEngine(memoryMb: number): Promise<Engine> {
  const { wasm, picture, anchors } = await engineFiles(memoryMb);
  const module = WebAssembly.compile(wasm);
  module.catch(() => {});
  const begun = await picture();
  return {
    async run(load, ask, source) {
      /** Whether it asked for anything: then what it has become is not the same each time. */
      let spoke = false;
      const outside = outsideFor(load, ask, source, () => {
        spoke = true;
      });
      const given = load.picture === 'given' ? readBlob() : undefined;
      const script = new Script(await module, outside);
      script.resume(begun, anchors);
      const state = stateOf([script.instance]);
      if (given) applyPicture(state, given);
      const fresh = load.picture === 'wanted' ? copyOf(state) : undefined;
      return {
        root: { load: () => script.load(), invoke: (name: string, args: string) => script.invoke(name, args) },
        picture() {
          const taken = fresh && !spoke ? takePicture(state, fresh) : undefined;
          return taken && taken.length <= maxPicture ? taken.toBase64() : null;
        },
        rehearse: () => script.rehearse(),
      };
    },
  };
}
