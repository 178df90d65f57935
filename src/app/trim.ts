import { readFileSync } from 'node:fs';
import { libcName } from '../plugin/plugin.ts';
import type { Bus, PxEvent } from '../wire/wire.ts';

/** How long nothing must have happened before memory is given back, in ms. */
const IDLE_MS = 5_000;
/** After so many times that, it is done once more. */
const AGAIN = 4;
/** `MADV_DONTNEED`. */
const DONT_NEED = 4;

/** Gives memory back when px has nothing to do. */
export interface IdleTrim {
  /** Something happens now. */
  touch(): void;
  /** Something small happened, of which nothing stays but pages of the executable: a platform answered that there is nothing. */
  stirred(): void;
  close(): void;
}

/** What gives memory back. */
interface Ways {
  /** All that can be given back; takes about 20 ms. */
  all(): unknown;
  /** Only pages of the executable. */
  pages(): unknown;
}

/** Watches the bus; after five quiet seconds memory is given back, once, until something happens again. */
export function startIdleTrim(
  bus: Bus,
  idleMs = IDLE_MS,
  trim: Ways = { all: giveBack, pages: givePagesBack },
): IdleTrim {
  let last = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** What the timer is for: the first time after work, once more, or the pages alone. */
  let due: 'first' | 'again' | 'pages' = 'first';
  const wait = (ms: number) => {
    timer = setTimeout(check, ms);
    timer.unref();
  };
  const check = () => {
    timer = undefined;
    if (due === 'pages') {
      trim.pages();
      return;
    }
    const quiet = performance.now() - last;
    if (quiet < idleMs) return wait(idleMs - quiet);
    trim.all();
    // Some things end later than that (kept conversations, connections), and bring pages back: once more, and then no timer runs.
    if (quiet >= idleMs * AGAIN) return;
    due = 'again';
    wait(idleMs * AGAIN - quiet);
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
      due = 'pages';
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

/** Collects garbage, lets go of compiled code, and drops the pages of our own executable: clean file pages, which the system has cached anyway. */
async function giveBack(): Promise<void> {
  Bun.gc(true);
  Bun.shrink();
  await givePagesBack();
}

async function givePagesBack(): Promise<void> {
  try {
    await dropExecutablePages();
  } catch {
    // Only a saving: a system that does not know how to do this runs on as it is.
  }
}

/** Lets go of the clean, file-backed pages of the executable. Returns how many bytes were resident in them. */
export async function dropExecutablePages(): Promise<number> {
  const ranges = executableRanges();
  if (ranges.length === 0) return 0;
  const libc = await openLibc();
  let dropped = 0;
  for (const range of ranges) if (libc.symbols.madvise(range.from, range.length, DONT_NEED) === 0) dropped += range.rss;
  libc.close();
  return dropped;
}

/** What does the same again and again, at the cost of a few system calls, as long as this process lives. */
export async function executablePageDropper(): Promise<() => void> {
  const ranges = executableRanges();
  if (ranges.length === 0) return () => {};
  const { symbols } = await openLibc();
  return () => {
    for (const { from, length } of ranges) symbols.madvise(from, length, DONT_NEED);
  };
}

const executableRanges = (): CleanRange[] =>
  process.platform === 'linux' ? cleanRanges(readFileSync('/proc/self/smaps', 'utf8'), process.execPath) : [];

/** A mapping that may be dropped: its address, its length and what is resident of it, in bytes. */
export interface CleanRange {
  from: bigint;
  length: bigint;
  rss: number;
}

/**
 * The mappings of one file in a `smaps` text that may be dropped without loss: never writable, and with no page of its own
 * (relocated data is read-only by now, and lost for ever when dropped: it says `Anonymous` or `Swap` above 0). `Private_Dirty` says
 * nothing here: it counts pages of a file that was only just written to disk, too.
 */
export function cleanRanges(smaps: string, file: string): CleanRange[] {
  const found: CleanRange[] = [];
  let open: CleanRange | undefined;
  for (const line of smaps.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (head) {
      const [, from = '0', to = '0', rights = '', path] = head;
      const ours = path === file && (rights === 'r-xp' || rights === 'r--p');
      const start = BigInt(`0x${from}`);
      open = ours ? { from: start, length: BigInt(`0x${to}`) - start, rss: 0 } : undefined;
      continue;
    }
    const [, name, kb] = /^(Rss|Anonymous|Swap|Locked):\s+(\d+) kB/.exec(line) ?? [];
    if (!open || name === undefined) continue;
    if (name === 'Rss') open.rss = Number(kb) * 1024;
    else if (Number(kb) > 0) open = undefined;
    else if (name === 'Locked') {
      if (open.rss > 0) found.push(open);
      open = undefined;
    }
  }
  return found;
}

async function openLibc() {
  const { dlopen } = await import('bun:ffi');
  return dlopen(libcName(), { madvise: { args: ['u64', 'u64', 'i32'], returns: 'i32' } } as const);
}
