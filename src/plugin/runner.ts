import { PxError, toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Secrets } from '../secret/secret.ts';
import type { Bus, Json } from '../wire/wire.ts';
import type { SandboxMode } from './child-process.ts';
import { createFaults } from './faults.ts';
import { type AnswerHost, type Guest, type GuestLimits, type Image, lifetimeCalls, startGuest } from './guest.ts';
import { scrubError } from './scrub.ts';
import { isMain } from './wit/types.ts';

/** What a runner needs to start its plugin. Functions are asked anew at each start. */
export interface RunnerOptions {
  name: string;
  image(): Promise<Image>;
  /** Whether it is a script, which the engine runs. */
  engine(): boolean;
  settings(): [key: string, json: string][];
  /** Whether each call has a process of its own, and what goes wrong in it is the fault of what it was called with. */
  sealed(): boolean;
  /** What its clock begins with; the machine's time when left out. */
  clock?(): number | undefined;
  limits(): GuestLimits & { idleMs: number; bodyBytes: number };
  mode(): SandboxMode;
  command: string[];
  host: AnswerHost;
  log: Log;
  bus: Bus;
  /** Covers secrets in what the guest says of its failures. */
  scrub: Secrets['scrub'];
  /** Why it was stopped before px was started; undefined when it was not. */
  quarantined?: string | undefined;
  /** Told when it is stopped for its faults, with why, and when that ends. */
  onQuarantine?(reason: string | undefined): void;
  /** Told of each fault, and of each call that ended without one. */
  onFault?(fault: PxError): void;
  onAnswer?(): void;
}

/** Why a running plugin is ended on purpose. */
type StopReason = 'idle' | 'replaced' | 'removed' | 'closed';

/** How one call is made. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** The function's name for events, when it differs from what is called. */
  shown?: string;
  /** A model waits for this call alone: the daemon may stand still for a ms or two when it is likely to be quick. A burst of messages would rather be served side by side. */
  still?: boolean;
}

/** Runs one plugin: starts its process when called, ends it when idle, one call at a time, faults counted. */
export interface Runner {
  call(fn: string, args: Json[], options?: CallOptions): Promise<Json>;
  /** Ends the process now, and a call in it, for good: calls that wait or come later fail with `interrupted`. */
  stop(reason: StopReason): Promise<void>;
  /** A call is likely to come: the process is started or makes itself ready meanwhile. What goes wrong shows in the call. */
  soon(): void;
  /** Ends the process as soon as it is not needed: the next call starts a new one. */
  renew(): void;
  /** Ends the process now, as if its idle time were over; does nothing while a call is in it or waits for it. */
  rest(): void;
  state(): { state: 'idle' | 'working' | 'quarantined' | 'broken'; detail: string };
  resume(): void;
}

const maxWaiting = 64;
/** How often a process is asked for its processor time after a call, in ms. */
const lookEvery = 1000;
/** What a plugin is blamed for; anything else that ends a process is nobody's fault or px's. */
const isFault = ({ code }: PxError) => /^plugin\.(crashed|cpu|wall|memory|output)$/.test(code);

/** Makes the runner of one plugin. Starts nothing. */
export function createRunner(options: RunnerOptions): Runner {
  const { name, bus, log } = options;
  const faults = createFaults(Date.now, options.quarantined, options.onQuarantine);
  let guest: Guest | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let usedAt = 0;
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  /** Calls that wait or work. */
  let inLine = 0;
  const left = () => {
    inLine--;
  };
  let working = false;
  let outdated = false;
  /** Whether its process has run a program's `main`. */
  let spent = false;
  /** Why the process that was started for the call that comes next could not be. */
  let early: PxError | undefined;
  let lookedAt = 0;
  let reason: StopReason | undefined;
  /** Ends a start that is under way. */
  let starting: AbortController | undefined;
  /** Set by `stop`: nothing is started any more, for calls that still wait either. */
  let stopped = false;
  /** Why its file cannot be run, when the last start said so. */
  let broken = '';

  /** The process that runs, when a call may go to it. */
  const usable = (): Guest | undefined => (guest?.alive && !outdated ? guest : undefined);

  /** Starts a process, in the place of one that may not be used. */
  async function launch(signal: AbortSignal | undefined): Promise<Guest> {
    if (guest) await end('replaced');
    outdated = false;
    const why = faults.quarantine();
    if (why !== undefined)
      throw new PxError('plugin.quarantined', `${name} is ${why}`, {
        hint: `Try again with: px plugin resume ${name}`,
      });
    await Bun.sleep(faults.pause());
    if (stopped) throw new PxError('interrupted', `the plugin ${name} was stopped`);
    starting = new AbortController();
    const begun = performance.now();
    try {
      guest = await start(signal ? AbortSignal.any([signal, starting.signal]) : starting.signal);
    } finally {
      starting = undefined;
    }
    bus.emit({ type: 'plugin.started', plugin: name, pid: guest.pid, ms: performance.now() - begun });
    return guest;
  }

  async function start(signal: AbortSignal): Promise<Guest> {
    const { command, host } = options;
    const limits = options.limits();
    const image = options.image();
    // It is awaited only once the process is locked: until then its failure must not count as unhandled.
    image.catch(() => {});
    try {
      const made = await startGuest(
        {
          command,
          image,
          limits,
          host,
          mode: options.mode(),
          engine: options.engine(),
          settings: options.settings(),
          clock: options.clock?.(),
        },
        limits.bodyBytes,
        signal,
      );
      void made.gone.then((fault) => ended(made, fault));
      broken = '';
      return made;
    } catch (thrown) {
      const error = toPxError(thrown);
      if (error.code === 'plugin.invalid') broken = error.message;
      note(error);
      throw error;
    }
  }

  function ended(which: Guest, fault: PxError): void {
    if (guest === which) guest = undefined;
    clearTimeout(idle);
    idle = undefined;
    note(fault);
    bus.emit({
      type: 'plugin.stopped',
      plugin: name,
      reason: fault.code === 'interrupted' ? (reason ?? 'closed') : 'fault',
    });
    reason = undefined;
  }

  function note(fault: PxError): void {
    if (!isFault(fault)) return;
    if (options.sealed()) {
      log.info(`a call failed: ${fault.message}`, { code: fault.code });
      return;
    }
    faults.add(options.scrub(fault.message));
    log.warn(`fault: ${fault.message}`, { code: fault.code });
    if (faults.quarantine() !== undefined) log.error(`quarantined: ${faults.quarantine()}`);
    options.onFault?.(fault);
  }

  async function end(why: StopReason): Promise<void> {
    const old = guest;
    if (!old) return;
    reason ??= why;
    await old.end();
    await old.gone;
  }

  /** Starts the process in line, as a call would; a call that has come meanwhile fails with what went wrong. */
  async function startEarly(): Promise<void> {
    try {
      await launch(undefined);
      settle();
    } catch (thrown) {
      if (inLine > 1) early = toPxError(thrown);
    }
  }

  async function run(fn: string, args: Json[], { signal, shown = fn, still }: CallOptions): Promise<Json> {
    if (signal?.aborted) throw new PxError('interrupted', 'the call was stopped');
    working = true;
    const begun = performance.now();
    let error: PxError | undefined;
    try {
      if (early) throw early;
      // Without a wait where there is none: it is felt in every call.
      const process = usable() ?? (await launch(signal));
      try {
        spent ||= isMain(fn);
        const answer = await process.call(fn, args, signal, still);
        options.onAnswer?.();
        return answer;
      } finally {
        if (!process.alive) await process.gone;
      }
    } catch (thrown) {
      error = scrubError(toPxError(thrown), options.scrub);
      if (error.code === 'plugin.guest') options.onAnswer?.();
      throw error;
    } finally {
      working = false;
      early = undefined;
      settle();
      bus.emit({
        type: 'plugin.call',
        plugin: name,
        function: shown,
        ms: performance.now() - begun,
        ok: !error,
        ...(error ? { error: error.toJSON() } : {}),
      });
    }
  }

  /** After a call: a process that used much of its life's time is retired, any other may idle for a while. */
  function settle(): void {
    if (!guest?.alive) return;
    if (options.sealed() || spent) {
      spent = false;
      return void end('idle');
    }
    if (outdated || isOld(guest)) return void end('replaced');
    usedAt = performance.now();
    // A timer that runs already looks again when its time has come.
    idle ??= restIn(options.limits().idleMs);
  }

  function restIn(ms: number): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      idle = undefined;
      if (working || inLine > 0) return;
      const left = usedAt + options.limits().idleMs - performance.now();
      if (left > 0) idle = restIn(left);
      else void end('idle');
    }, ms);
    timer.unref();
    return timer;
  }

  /** Whether half of its life's processor time is used; looked at once a second, since calls are much shorter. */
  function isOld(which: Guest): boolean {
    const now = performance.now();
    if (now - lookedAt < lookEvery) return false;
    lookedAt = now;
    return (which.cpu() ?? 0) > (options.limits().cpuMs * lifetimeCalls) / 2;
  }

  return {
    async call(fn, args, how = {}) {
      if (waiting >= maxWaiting)
        throw new PxError('conflict', `${name} has ${waiting} calls waiting already`, { retryable: true });
      inLine++;
      waiting++;
      const go = () => {
        waiting--;
        return run(fn, args, how);
      };
      // Nobody before it: it goes now, not after a round of promises.
      const turn = inLine === 1 ? go() : tail.then(go);
      tail = turn.then(left, left);
      return turn;
    },
    soon() {
      if (inLine > 0 || stopped || options.sealed()) return;
      const process = usable();
      if (process) {
        usedAt = performance.now();
        return process.soon();
      }
      if (faults.pause() > 0 || faults.quarantine() !== undefined) return;
      inLine++;
      tail = startEarly().then(left, left);
    },
    async stop(why) {
      stopped = true;
      reason = why;
      starting?.abort();
      await end(why);
      await tail;
    },
    renew() {
      outdated = true;
      if (!working) void end('replaced');
    },
    state() {
      const why = faults.quarantine();
      if (why !== undefined) return { state: 'quarantined', detail: why };
      if (broken !== '') return { state: 'broken', detail: broken };
      return { state: working ? 'working' : 'idle', detail: '' };
    },
    rest() {
      if (!working && waiting === 0) void end('idle');
    },
    resume: faults.clear,
  };
}
