import { px } from './px.ts';

interface Timer {
  id: number;
  /** Milliseconds since the epoch. */
  due: number;
  every: number | undefined;
  run: () => void;
}

let timers: Timer[] = [];
let lastId = 0;

/** As browsers have it; an id is a number. The callback runs only while a call waits for a promise. */
export function setTimer(run: unknown, delay: unknown, args: unknown[], repeat: boolean): number {
  if (typeof run !== 'function') throw new TypeError('a timer needs a function');
  const wait = Math.min(Math.max(Number(delay) || 0, repeat ? 1 : 0), 2 ** 31 - 1);
  const id = ++lastId;
  timers.push({ id, due: px.now() + wait, every: repeat ? wait : undefined, run: () => run(...args) });
  return id;
}

export function clearTimer(id: unknown): void {
  timers = timers.filter((timer) => timer.id !== Number(id));
}

/** A call is over: what it left to do later is not done. */
export function forgetTimers(): void {
  timers = [];
}

/** When the last of the timers is due, in ms since the epoch. */
export function lastTimer(): number | undefined {
  return timers.length > 0 ? Math.max(...timers.map((timer) => timer.due)) : undefined;
}

/** Runs the timer that is due first and gives 0, or tells in how many ms one is due; nothing when there is none. */
export function runTimer(): number | undefined {
  const [first, ...others] = timers;
  if (!first) return undefined;
  const next = others.reduce((best, timer) => (timer.due < best.due ? timer : best), first);
  const now = px.now();
  if (next.due > now) return next.due - now;
  if (next.every === undefined) clearTimer(next.id);
  else next.due = now + next.every;
  next.run();
  return 0;
}
