import type { Bus, PxEvent } from '../wire/wire.ts';
import { dropExecutablePages } from './pages.ts';

/** How long nothing must have happened before memory is given back, in ms. */
const idleMs = 5_000;
/**
 * Quiet times after which that is done once more, in ms: Bun collects by itself 3 and 10 s after the heap grew, which brings pages back, and
 * conversations are kept for 30 s.
 */
const againMs = [10_000, 20_000, 40_000];
/** After an empty answer all is given back only so long after the last time, in ms: done at every one it would be most of what px costs at rest. */
const sparingMs = 45_000;

/** Gives memory back when px has nothing to do. */
export interface IdleTrim {
  /** Something happens now. */
  touch(): void;
  /** Something small happened, of which little stays but pages of the executable: a platform answered that there is nothing. */
  stirred(): void;
  close(): void;
}

/** What gives memory back. */
export interface Ways {
  /** All that can be given back; takes about 25 ms. */
  all(): unknown;
  /** Only pages of the executable. */
  pages(): unknown;
}

/** Watches the bus; after five quiet seconds memory is given back, and a few times more, until something happens again. */
export function startIdleTrim(bus: Bus, trim: Ways): IdleTrim {
  let last = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let givenAt = Number.NEGATIVE_INFINITY;
  /** What the timer is for: the first time after work, once more, or after an empty answer. */
  let due: 'first' | 'again' | 'stirred' = 'first';
  const wait = (ms: number) => {
    timer = setTimeout(check, ms);
    timer.unref();
  };
  const all = () => {
    givenAt = performance.now();
    trim.all();
  };
  const check = () => {
    timer = undefined;
    if (due === 'stirred') {
      if (performance.now() - givenAt < sparingMs) trim.pages();
      else all();
      return;
    }
    const quiet = performance.now() - last;
    if (quiet < idleMs) return wait(idleMs - quiet);
    all();
    // Some things end later than that (kept conversations, connections), and bring pages back. In the end no timer runs.
    const next = againMs.find((ms) => ms > quiet);
    if (next === undefined) return;
    due = 'again';
    wait(next - quiet);
  };
  const touch = () => {
    last = performance.now();
    if (timer !== undefined && due === 'first') return;
    clearTimeout(timer);
    due = 'first';
    wait(idleMs);
  };
  const off = bus.on((event) => {
    if (isWork(event)) touch();
  });
  touch();
  return {
    touch,
    stirred() {
      if (timer !== undefined) return;
      due = 'stirred';
      wait(idleMs);
    },
    close() {
      off();
      clearTimeout(timer);
    },
  };
}

/** A connector that asks again and again while nothing comes is idle too; so is the log. */
function isWork(event: PxEvent): boolean {
  if (event.type === 'memory.indexed') return !event.path.startsWith('log/');
  return event.type !== 'log' && event.type !== 'plugin.call';
}

/** Gives back what px itself has in memory. `caches`: lets go of what can be read again. */
export function waysToGiveBack(caches: () => void): Ways {
  // Only a saving: a system that does not know how to do something of this runs on as it is.
  const tried = (work: () => Promise<unknown>) => () => work().catch(() => {});
  return {
    all: tried(async () => {
      caches();
      Bun.shrink();
      // That lets go of compiled code once nothing runs; the collection then gives back what it left, too.
      await new Promise((resolve) => setImmediate(resolve));
      Bun.gc(true);
      await dropExecutablePages();
    }),
    pages: tried(dropExecutablePages),
  };
}
