import * as v from 'valibot';
import { PxError, toPxError } from '../error/error.ts';
import { checkLayers, type SandboxMode, startChild } from './child-process.ts';
import { encodeFrame, FrameError, parseFrame } from './frame.ts';
import { FromPrepare, type PrepareFrame } from './protocol.ts';
import type { WitFunction } from './wit/types.ts';

/** What a preparing process made of a component. */
export interface Prepared {
  imports: string[];
  functions: WitFunction[];
  /** `plugin.js` and the capped core modules. */
  files: [name: string, bytes: Uint8Array][];
}

export interface PrepareOptions {
  /** The command of the hidden verb `__prepare`, without its argument. */
  command: string[];
  mode: SandboxMode;
}

/** Largest file that can be installed, in bytes. */
export const maxFileBytes = 64 * 1024 * 1024;
/** Whole time of a preparation, in ms; the largest known guest takes 0.8 s, ten times that under emulation. */
const wallMs = 60_000;
/** Resident bytes; a 12 MB guest takes 150 MB. */
const maxRss = 1024 * 1024 * 1024;
const watchMs = 50;
/** Bytes of one frame from the process, and of all files together. */
const maxFrame = 96 * 1024 * 1024;

/**
 * Checks, reads and transpiles a component in a locked throw-away process. Throws PxError `plugin.invalid`, `plugin.imports`,
 * `plugin.unsafe`, `plugin.memory` or `sandbox.unavailable`.
 */
export async function prepareComponent(
  options: PrepareOptions,
  component: Uint8Array,
  memoryMb: number,
): Promise<Prepared> {
  const { first, blobs } = await run(options, 'component', component, { t: 'prepare', memoryMb, filename: '' });
  if (first.t !== 'prepared') throw new PxError('internal', `an unexpected answer: ${first.t}`);
  return {
    imports: first.imports,
    // What the locked process read of the component: it is shown and sent back to a locked process, and decides nothing.
    functions: first.functions as unknown as WitFunction[],
    files: first.files.map((name, i) => [name, blobs[i] ?? new Uint8Array()]),
  };
}

/** A script as the JavaScript the engine runs, made in a locked throw-away process. Throws PxError `plugin.invalid`. */
export async function prepareScript(options: PrepareOptions, source: Uint8Array, filename: string): Promise<string> {
  const { first } = await run(options, 'script', source, { t: 'prepare', memoryMb: 0, filename });
  if (first.t !== 'bundled') throw new PxError('internal', `an unexpected answer: ${first.t}`);
  return first.code;
}

interface Answer {
  first: Exclude<FromPrepare, { t: 'locked' | 'refused' }>;
  blobs: Uint8Array[];
}

async function run(
  options: PrepareOptions,
  kind: 'component' | 'script',
  bytes: Uint8Array,
  job: PrepareFrame,
): Promise<Answer> {
  let fault: PxError | undefined;
  let first: Answer['first'] | undefined;
  let locked = false;
  let received = 0;
  const blobs: Uint8Array[] = [];
  const stop = (error: PxError) => {
    fault ??= error;
    child.kill();
  };
  const child = startChild({
    command: [...options.command, kind],
    maxFrame,
    onBroken: (e) => stop(new PxError('plugin.invalid', `the preparing process broke the rules: ${e.message}`)),
    onFrame(payload) {
      if (first) {
        received += payload.length;
        if (first.t !== 'prepared' || blobs.length >= first.files.length || received > maxFrame)
          throw new FrameError('more than was announced or may be');
        blobs.push(payload.slice());
        return;
      }
      const parsed = v.safeParse(FromPrepare, parseFrame(payload));
      if (!parsed.success) throw new FrameError('a frame of an unknown form');
      const frame = parsed.output;
      if (frame.t === 'refused') {
        stop(new PxError(frame.code, frame.message, frame.hint === undefined ? {} : { hint: frame.hint }));
        return;
      }
      if ((frame.t === 'locked') === locked) throw new FrameError(`a frame nobody waits for: ${frame.t}`);
      if (frame.t !== 'locked') {
        first = frame;
        return;
      }
      locked = true;
      try {
        checkLayers(frame.layers, options.mode);
      } catch (e) {
        stop(toPxError(e));
        return;
      }
      child.send(encodeFrame(job, [bytes]));
    },
  });
  const wall = setTimeout(() => stop(new PxError('plugin.invalid', 'preparing it takes too long')), wallMs);
  const watch = setInterval(() => {
    if ((child.rss() ?? 0) > maxRss) stop(new PxError('plugin.invalid', 'preparing it takes too much memory'));
  }, watchMs);
  const how = await child.exited;
  clearTimeout(wall);
  clearInterval(watch);
  if (fault) throw fault;
  if (!first || (first.t === 'prepared' && blobs.length !== first.files.length))
    throw new PxError('plugin.invalid', `preparing it failed (${how})`, {
      hint: 'The file is damaged, or made to break the tool that reads it.',
    });
  return { first, blobs };
}
