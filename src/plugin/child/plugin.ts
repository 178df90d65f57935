import { PxError } from '../../error/error.ts';
import type { Json } from '../../wire/wire.ts';
import { encodeJson } from '../frame.ts';
import { pictureCall } from '../picture-call.ts';
import type { AnswerFrame, CallFrame, FromChild, LoadFrame, SoonFrame } from '../protocol.ts';
import { fromWit, toWit } from '../wit/json.ts';
import { isMain, type WitFunction } from '../wit/types.ts';
import type { Engine, Running } from './engine.ts';
import { importsFor } from './host.ts';
import { lockProcess } from './lock.ts';
import { readBlob, readFrame, writeFrame, writeJson } from './pipe.ts';
import { endLines, exitOf } from './wasi.ts';

/** What jco's generated code exports. */
type Instantiate = (getModule: (name: string) => WebAssembly.Module, imports: Record<string, unknown>) => unknown;

/**
 * The hidden verb `__plugin CPU-SECONDS MEMORY-MB [engine]`: locks itself, says so, takes a plugin over its pipe and answers calls one at
 * a time until its input ends. With `engine` it runs a script, in the engine that px carries with its memories capped at MEMORY-MB. A
 * trap ends it: an instance that trapped is never used again.
 */
export async function pluginChild(args: string[]): Promise<never> {
  const [cpuSeconds = '60', memoryMb = '64', kind] = args;
  // A component's process has no use for it, and every module costs its start.
  const engine = kind === 'engine' ? await (await import('./engine.ts')).beginEngine(Number(memoryMb)) : undefined;
  writeFrame({ t: 'locked', layers: lockProcess({ cpuSeconds: Number(cpuSeconds), memoryMb: Number(memoryMb) }) });
  try {
    await serve(readFrame<LoadFrame>(), engine);
  } catch (thrown) {
    writeFrame({ t: 'trap', message: describe(thrown) });
  }
  process.exit(70);
}

async function serve(load: LoadFrame, engine: Engine | undefined): Promise<never> {
  // The modules are compiled on other threads while this one reads the rest and parses the code.
  const compiling = load.modules.map(
    async (name): Promise<[string, WebAssembly.Module]> => [name, await WebAssembly.compile(readBlob())],
  );
  const code = text(readBlob());
  const script = text(readBlob());
  let asked = 0;
  const ask = (fn: string, ...args: Json[]): Json => {
    const n = ++asked;
    writeFrame({ t: 'host', n, fn, args });
    const answer = readFrame<AnswerFrame>();
    if ('err' in answer) throw { payload: answer.err };
    return answer.ok ?? null;
  };
  const { root, picture, rehearse } = engine
    ? await engine.run(load, ask, script)
    : await component(evaluate(code), compiling, importsFor(load, ask));
  const functions = new Map(load.functions.map((f) => [f.name, f]));
  writeFrame({ t: 'ready' });
  let fresh = true;
  for (;;) {
    const call = readFrame<CallFrame | SoonFrame>();
    if (call.t === 'soon') {
      rehearse?.();
      rehearseFrame();
      continue;
    }
    if (call.fn === pictureCall) {
      writeFrame({ t: 'done', id: call.id, ok: picture() } satisfies FromChild);
      continue;
    }
    const fn = functions.get(call.fn);
    if (!fn) throw new Error(`no function ${call.fn}`);
    const answer = outcome(call, fn, find(root, fn.jsPath), load.outputBytes);
    endLines();
    writeJson(answer);
    // What a start leaves behind is much for the engine's glue and modules, and nobody waits now.
    if (engine && fresh) Bun.gc(true);
    fresh = false;
  }
}

/** A component, with no picture to take. It is never the result of a promise itself: one that exports `then` would be taken for another. */
async function component(
  instantiate: Instantiate,
  compiling: Promise<[string, WebAssembly.Module]>[],
  imports: Record<string, unknown>,
): Promise<Running> {
  const modules = new Map(await Promise.all(compiling));
  const getModule = (name: string) => {
    const found = modules.get(name);
    if (!found) throw new Error(`no core module ${name}`);
    return found;
  };
  return { root: instantiate(getModule, imports), picture: () => null };
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** jco prepares each export for calls that wait in the middle, which a synchronous instance never makes. */
Object.assign(WebAssembly, { promising: <T>(fn: T) => fn });

/** The generated code is a function's body: Bun's loader is not needed, and no file or URL is opened. */
function evaluate(code: string): Instantiate {
  return new Function(`'use strict';${code}`)() as Instantiate;
}

function find(root: unknown, path: string[]): (...args: unknown[]) => unknown {
  let at = root;
  for (const key of path) at = (at as Record<string, unknown> | undefined)?.[key];
  if (typeof at !== 'function') throw new Error(`the component does not export ${path.join('.')}`);
  return at as (...args: unknown[]) => unknown;
}

/** What comes before and after each call in this process. */
const rehearseFrame = () =>
  encodeJson(outcome({ t: 'call', id: 0, fn: '', args: ['', 0] }, nothing, (text) => text, Number.POSITIVE_INFINITY));
const nothing: WitFunction = {
  name: '',
  jsPath: [],
  params: [
    { name: 'text', type: { kind: 'string' } },
    { name: 'count', type: { kind: 'u32' } },
  ],
  result: { kind: 'string' },
  docs: '',
  notCallable: '',
};

type Failure = Extract<FromChild, { t: 'refused' | 'failed' }>;

/** Runs one call; gives the frame that answers it, as JSON. Throws for a trap. */
function outcome(call: CallFrame, fn: WitFunction, run: (...args: unknown[]) => unknown, outputBytes: number): string {
  const { id } = call;
  const refuse = (why: 'arguments' | 'value' | 'output', thrown: unknown) =>
    JSON.stringify({ t: 'refused', id, why, message: describe(thrown) } satisfies Failure);
  let args: unknown[];
  try {
    args = fn.params.map((p, i) => toWit(p.type, call.args[i], p.name));
  } catch (thrown) {
    return refuse('arguments', thrown);
  }
  let result: unknown;
  try {
    result = run(...args);
  } catch (thrown) {
    // A program may end itself instead of returning from its main: nothing of it runs after that.
    const exit = isMain(fn.name) ? exitOf(thrown) : undefined;
    if (exit === 'good') return JSON.stringify({ t: 'done', id, ok: null } satisfies FromChild);
    if (exit === 'bad') return JSON.stringify({ t: 'failed', id, err: null } satisfies Failure);
    if (fn.error === undefined || !isGuestError(thrown)) throw thrown;
    return JSON.stringify({ t: 'failed', id, err: fromWit(fn.error, thrown.payload) } satisfies Failure);
  }
  let ok: string;
  try {
    ok = JSON.stringify(fromWit(fn.result, result));
  } catch (thrown) {
    return refuse('value', thrown);
  }
  const size = Buffer.byteLength(ok);
  if (size <= outputBytes) return `{"t":"done","id":${id},"ok":${ok}}`;
  return refuse('output', new Error(`a result of ${size} bytes, ${outputBytes} are allowed`));
}

/** The error arm of a result, as jco throws it or a script's; anything else is a trap. */
function isGuestError(thrown: unknown): thrown is { payload: unknown } {
  return thrown instanceof Error && /^(?:Component|Script)Error$/.test(thrown.constructor.name) && 'payload' in thrown;
}

/** What went wrong in at most a few lines, without the glue's JavaScript that the engine quotes; PxError speaks for itself. */
function describe(thrown: unknown): string {
  if (thrown instanceof PxError) return thrown.message.slice(0, 2000);
  const said =
    thrown instanceof Error
      ? `${thrown.name}: ${thrown.message.replace(/ \(evaluating '[\s\S]*$/, '')}`
      : (JSON.stringify(thrown) ?? String(thrown));
  return said.slice(0, 2000);
}
