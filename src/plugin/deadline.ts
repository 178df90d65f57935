/** Which bound was passed. */
type Over = 'cpu' | 'wall';

/** What one call may take. */
export interface DeadlineOptions {
  /** Guest time in ms: the clock stands still while the guest waits for the host. */
  cpuMs: number;
  /** Everything together, in ms. */
  wallMs: number;
  /** Processor time of the process so far, in ms; undefined where the system does not say. */
  cpu(): number | undefined;
  onOver(which: Over): void;
}

/** The two clocks of one call. */
export interface Deadline {
  /** The guest asked the host: its own clock stops. */
  pause(): void;
  /** The host answered. */
  resume(): void;
  stop(): void;
}

/** The kernel counts processor time in steps of 10 ms, so that the sum may lag by one. */
const cpuGrain = 20;

/** After this much guest time the kernel's count is read for the first time, in ms: most calls end before and pay nothing. */
const firstLook = 20;

/**
 * Starts both clocks. Guest time is measured as time that passes while the guest is not waiting for the host; when that runs out the
 * kernel's own count decides, so that a guest on a busy machine is not blamed for time that others used. The time up to
 * the first look at that count is taken as used whole.
 */
export function startDeadline(options: DeadlineOptions): Deadline {
  let before: number | undefined;
  let looked = false;
  let used = 0;
  let since = performance.now();
  let cpuTimer: Timer | undefined;
  const wallTimer = setTimeout(() => options.onOver('wall'), options.wallMs);
  const first = () => {
    looked = true;
    const now = options.cpu();
    const guest = used + performance.now() - since;
    // More than that has passed when the daemon was busy; whose time it was then, nobody knows.
    before = now === undefined ? undefined : now - Math.min(guest, firstLook);
    cpuTimer = setTimeout(check, Math.max(1, options.cpuMs - guest));
  };
  const check = () => {
    const now = options.cpu();
    const spent = before === undefined || now === undefined ? Number.POSITIVE_INFINITY : now - before;
    if (spent + cpuGrain >= options.cpuMs) return options.onOver('cpu');
    cpuTimer = setTimeout(check, Math.max(5, options.cpuMs - spent));
  };
  const run = () => {
    since = performance.now();
    if (looked) cpuTimer = setTimeout(check, Math.max(1, options.cpuMs - used));
    else cpuTimer = setTimeout(first, Math.max(1, Math.min(firstLook, options.cpuMs) - used));
  };
  const pause = () => {
    if (cpuTimer === undefined) return;
    clearTimeout(cpuTimer);
    cpuTimer = undefined;
    used += performance.now() - since;
  };
  run();
  return {
    pause,
    resume: run,
    stop() {
      pause();
      clearTimeout(wallTimer);
    },
  };
}

type Timer = ReturnType<typeof setTimeout>;
