import { type ErrorCode, PxError, toPxError } from '../error/error.ts';
import type { Json } from '../wire/wire.ts';
import { type Child, checkLayers, type SandboxMode, startChild } from './child-process.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { encodeFrame, FrameError, parseFrame } from './frame.ts';
import { outcomeOf } from './outcome.ts';
import { pictureCall } from './picture-call.ts';
import {
  type AnswerFrame,
  type CallFrame,
  type FromChild,
  type LoadFrame,
  readFromChild,
  type SoonFrame,
} from './protocol.ts';
import type { WitFunction } from './wit/types.ts';

/** A plugin ready to be run: what a preparing process made of it. */
export interface Image {
  /** The generated JavaScript: the body of a function that gives `instantiate`. It is code: only a locked child evaluates it. */
  code: Uint8Array;
  /** Core modules, already capped. */
  modules: [name: string, bytes: Uint8Array][];
  functions: WitFunction[];
  imports: string[];
  /** The script the engine runs, whose code and modules the process brings itself; absent when the plugin is a component of its own. */
  script?: string;
  /** The state of the script's engine once the script is evaluated; without one it is evaluated at the first call. */
  picture?: Uint8Array;
}

/** The answer to a host call: its value or the error arm of its result. */
export type HostAnswer = { ok: Json } | { err: Json };
/** Does one host call, at once where it can. Must not throw; the signal, which is made when it is asked for, ends with the call that asked. */
export type AnswerHost = (fn: string, args: Json[], signal: () => AbortSignal) => HostAnswer | Promise<HostAnswer>;

export interface GuestLimits {
  memoryMb: number;
  cpuMs: number;
  wallMs: number;
  outputBytes: number;
  /** Calls of the host that one call may make. */
  hostCalls: number;
}

export interface GuestOptions {
  /** The command of the hidden verb `__plugin`, without its argument. */
  command: string[];
  mode: SandboxMode;
  /** Runs a script: the process takes the engine out of the executable while it starts. */
  engine: boolean;
  /** A picture of the script will be asked for. */
  pictureWanted?: boolean;
  /** May still be in the making: the process is started and locked meanwhile. */
  image: Image | Promise<Image>;
  limits: GuestLimits;
  /** What `config-get` gives, each as JSON. */
  settings: [key: string, json: string][];
  /** What its clock begins with, in ms since 1970; the machine's time when left out. */
  clock?: number | undefined;
  host: AnswerHost;
}

/** One running instance of a plugin in its locked process. Calls must not overlap. */
export interface Guest {
  readonly pid: number;
  /** Which layers of the lock hold: `active`, or why not. */
  readonly layers: Record<string, string>;
  /** False from the moment it is to end. */
  readonly alive: boolean;
  /**
   * Calls an exported function. With `still` a call that is likely to be quick is waited for standing still. Throws PxError; after any but
   * `plugin.guest`, `plugin.function` and `plugin.output` the guest is gone.
   */
  call(fn: string, args: Json[], signal?: AbortSignal, still?: boolean): Promise<Json>;
  /**
   * A call is likely to come within a moment: the process goes over what each call does but the call itself. After some milliseconds of rest most
   * of a short call's time is memory that the processor has to fetch again.
   */
  soon(): void;
  /** The state of a script that was started with `pictureWanted`; undefined when it must not be kept: the script has spoken to the host. */
  picture(): Promise<Uint8Array | undefined>;
  /** Ends it now. Resolves when the process is gone. */
  end(): Promise<void>;
  /** Processor time used, in ms; undefined where the system does not say. */
  cpu(): number | undefined;
  /** Resolves when the process is gone, with why: `interrupted` when it was stopped on purpose. */
  readonly gone: Promise<PxError>;
}

/** Beside the guest's memories a process may grow by this much (glue, buffers, compiled code), in bytes. */
const slackBytes = 96 * 1024 * 1024;
/** What a process may have before it says that it is ready, without the guest's memories. */
const startBytes = 320 * 1024 * 1024;
/** Time a process may take from start to ready, in ms. Under emulation a start takes a second. */
const startMs = 15_000;
const watchMs = { working: 25, idle: 500 };
/** Part of a core an idle process may use between two looks. */
const idleShare = 0.5;
/** Processor seconds a whole process may live for each second one call may use; the runner retires it before. */
export const lifetimeCalls = 8;

/** Largest frame a child may send: a result or the arguments of a host call, with room for base64. */
const maxFrame = (limits: GuestLimits, bodyBytes: number) =>
  Math.ceil(Math.max(limits.outputBytes, bodyBytes) * 1.4) + 65_536;

type Outcome = { ok: Json } | { error: PxError };

/** A start or a call that is under way. */
interface Work {
  id: number;
  /** Its clocks; not wound for a call until it takes longer than most. */
  deadline: Deadline | undefined;
  /** Ends host calls; made with the first one. */
  abort: AbortController | undefined;
  hostCalls: number;
  /** How it ended. */
  outcome: Outcome | undefined;
  /** Told of the end, by whoever has to wait for it. */
  settle: ((outcome: Outcome) => void) | undefined;
}

/** A call that takes less than this can be waited for standing still, once the call before it took less; in ms. */
const quickMs = 2;

/**
 * Starts a plugin's process: lock first, then its code, then ready. Throws PxError `sandbox.unavailable` or one of the faults
 * `plugin.crashed`, `plugin.cpu`, `plugin.wall`, `plugin.memory`, `plugin.output`.
 */
export async function startGuest(options: GuestOptions, bodyBytes: number, signal?: AbortSignal): Promise<Guest> {
  const { limits } = options;
  let state: 'locking' | 'loading' | 'idle' | 'working' = 'locking';
  let fault: PxError | undefined;
  let work: Work | undefined;
  let nextId = 0;
  let allowedRss = startBytes + limits.memoryMb * 1_048_576;

  const cpuSeconds = Math.ceil((limits.cpuMs * lifetimeCalls) / 1000) + 5;
  const child: Child = startChild({
    command: [...options.command, String(cpuSeconds), String(limits.memoryMb), ...(options.engine ? ['engine'] : [])],
    maxFrame: maxFrame(limits, bodyBytes),
    onFrame: (payload) => handle(readFromChild(parseFrame(payload))),
    onBroken: (error) => blame('plugin.output', `it broke the rules of its pipe: ${error.message}`),
  });
  // A host call may be under way for a process that is gone: it ends too.
  void child.died.then(() => work?.abort?.abort());
  const gone = child.exited.then((how) => {
    clearInterval(watch);
    clearTimeout(looking);
    fault ??= new PxError('plugin.crashed', `its process died: ${how}`);
    finish({ error: fault });
    return fault;
  });

  function blame(code: ErrorCode, message: string, hint?: string): void {
    stop(new PxError(code, message, hint === undefined ? {} : { hint }));
  }

  function stop(why: PxError): void {
    fault ??= why;
    child.kill();
  }

  function finish(outcome: Outcome): void {
    const done = work;
    if (!done) return;
    work = undefined;
    done.outcome = outcome;
    done.deadline?.stop();
    done.abort?.abort();
    done.settle?.(outcome);
  }

  const lookAtMemory = () => {
    const rss = child.rss();
    if (rss !== undefined && rss > allowedRss)
      blame(
        'plugin.memory',
        `its process grew to ${Math.round(rss / 1_048_576)} MiB`,
        'See limits.memory_mb in px.yaml.',
      );
  };
  /** While it works its memory is looked at often: from the first 25 ms on, which most calls do not last. */
  let looking: ReturnType<typeof setTimeout> | undefined;
  const lookOn = () => {
    looking = setTimeout(() => {
      lookAtMemory();
      lookOn();
    }, watchMs.working);
    looking.unref();
  };
  /** One watch for the whole life: memory, and processor time in spans without a call. */
  let quietSince: number | undefined;
  const watch = setInterval(() => {
    if (state !== 'idle') return;
    lookAtMemory();
    const cpu = child.cpu();
    if (cpu !== undefined && quietSince !== undefined && cpu - quietSince > watchMs.idle * idleShare)
      blame('plugin.cpu', 'it works while nobody called it');
    quietSince = cpu;
  }, watchMs.idle);
  watch.unref();

  function handle(frame: FromChild | undefined): void | Promise<void> {
    if (fault) return;
    if (!frame) throw new FrameError('a frame of an unknown form');
    if (frame.t === 'trap') return blame('plugin.crashed', `it trapped: ${frame.message}`);
    if (frame.t === 'host' && work && state !== 'locking') return answer(work, frame.n, frame.fn, frame.args);
    if (frame.t === 'locked' && state === 'locking') return load(frame.layers);
    if (frame.t === 'ready' && state === 'loading') return finish({ ok: null });
    if (
      (frame.t === 'done' || frame.t === 'failed' || frame.t === 'refused') &&
      state === 'working' &&
      frame.id === work?.id
    )
      return finish(outcomeOf(frame));
    throw new FrameError(`a frame nobody waits for: ${frame.t}`);
  }

  const startCpuMs = Math.max(limits.cpuMs, startMs / 3);
  let layers: Record<string, string> = {};
  async function load(told: Record<string, string>): Promise<void> {
    layers = told;
    const starting = work;
    let image: Image | undefined;
    try {
      checkLayers(layers, options.mode);
      // Whoever makes it has limits of its own, and it is not this process that takes the time.
      starting?.deadline?.stop();
      image = await Promise.race([options.image, child.died.then(() => undefined)]);
    } catch (e) {
      stop(toPxError(e));
      return;
    }
    if (!image || !starting || work !== starting) return;
    starting.deadline = deadlineOf(startCpuMs, startMs);
    state = 'loading';
    const { functions, imports, modules } = image;
    const names = modules.map(([name]) => name);
    const { settings, clock } = options;
    const frame: LoadFrame = {
      t: 'load',
      modules: names,
      functions,
      imports,
      settings,
      ...(clock === undefined ? {} : { clock }),
      outputBytes: limits.outputBytes,
      picture: options.pictureWanted ? 'wanted' : image.picture ? 'given' : 'none',
    };
    const script = new TextEncoder().encode(image.script ?? '');
    const picture = frame.picture === 'given' && image.picture ? [image.picture] : [];
    child.send(encodeFrame(frame, [...modules.map(([, bytes]) => bytes), image.code, script, ...picture]));
  }

  function answer(asker: Work, n: number, fn: string, args: Json[]): void | Promise<void> {
    if (++asker.hostCalls > limits.hostCalls)
      return blame(
        'plugin.output',
        `it called the host more than ${limits.hostCalls} times in one call`,
        'See limits.host_calls in px.yaml.',
      );
    const signal = () => {
      asker.abort ??= new AbortController();
      return asker.abort.signal;
    };
    const reply = (result: HostAnswer) => child.send(encodeFrame({ t: 'answer', n, ...result } satisfies AnswerFrame));
    const result = options.host(fn, args, signal);
    return result instanceof Promise ? later(asker, result, signal(), reply) : reply(result);
  }

  /** An answer that takes time: the guest's clock stands still meanwhile. */
  async function later(
    asker: Work,
    coming: Promise<HostAnswer>,
    signal: AbortSignal,
    reply: (result: HostAnswer) => void,
  ): Promise<void> {
    wind(asker).pause();
    const result = await Promise.race([coming, aborted(signal)]);
    // The call may have ended meanwhile, and with it the process.
    if (!result || work !== asker) return;
    asker.deadline?.resume();
    reply(result);
  }

  function begin(): Work {
    work = { id: ++nextId, deadline: undefined, abort: undefined, hostCalls: 0, outcome: undefined, settle: undefined };
    return work;
  }

  /** How it ended, once it has. */
  async function end(which: Work, signal: AbortSignal | undefined): Promise<Outcome> {
    const onAbort = () => stop(new PxError('interrupted', 'the call was stopped'));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      if (which.outcome) return which.outcome;
      return await new Promise((resolve) => {
        which.settle = resolve;
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Begins to count what a call may take. */
  function wind(which: Work): Deadline {
    which.deadline ??= deadlineOf(limits.cpuMs, limits.wallMs);
    return which.deadline;
  }

  const deadlineOf = (cpuMs: number, wallMs: number) =>
    startDeadline({ cpuMs, wallMs, cpu: child.cpu, onOver: (which) => over(which, cpuMs, wallMs) });

  function over(which: 'cpu' | 'wall', cpuMs: number, wallMs: number): void {
    if (which === 'cpu')
      blame('plugin.cpu', `it used more than ${cpuMs} ms of processor time`, 'See limits.cpu_ms in px.yaml.');
    else blame('plugin.wall', `it took longer than ${wallMs} ms`, 'See limits.wall_ms in px.yaml.');
  }

  lookOn();
  const starting = begin();
  starting.deadline = deadlineOf(startCpuMs, startMs);
  give(await end(starting, signal));
  allowedRss = (child.rss() ?? startBytes) + limits.memoryMb * 1_048_576 + slackBytes;
  rest();

  function rest(): void {
    state = 'idle';
    clearTimeout(looking);
  }

  /** The last call was over before the event loop would have told so. */
  let quick = false;

  async function call(fn: string, args: Json[], signal?: AbortSignal, still = false): Promise<Json> {
    if (fault) throw fault;
    const begun = performance.now();
    state = 'working';
    quietSince = undefined;
    const mine = begin();
    child.send(encodeFrame({ t: 'call', id: mine.id, fn, args } satisfies CallFrame));
    if (still && quick) child.hear(() => mine.outcome !== undefined, quickMs);
    let { outcome } = mine;
    if (!outcome) {
      wind(mine);
      lookOn();
      outcome = await end(mine, signal);
    }
    quick = performance.now() - begun < quickMs;
    if (!fault) rest();
    return give(outcome);
  }

  return {
    soon() {
      if (state === 'idle' && !fault) child.send(encodeFrame({ t: 'soon' } satisfies SoonFrame));
    },
    pid: child.pid,
    layers,
    get alive() {
      return fault === undefined;
    },
    gone,
    cpu: child.cpu,
    call,
    async picture() {
      const taken = await call(pictureCall, []);
      return typeof taken === 'string' ? Uint8Array.fromBase64(taken) : undefined;
    },
    async end() {
      stop(new PxError('interrupted', 'the plugin was stopped'));
      await child.exited;
    },
  };
}

function give(outcome: Outcome): Json {
  if ('error' in outcome) throw outcome.error;
  return outcome.ok;
}

const aborted = (signal: AbortSignal) =>
  new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
