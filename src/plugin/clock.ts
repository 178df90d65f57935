import type { ConfigStore } from '../config/config.ts';
import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';

/** What the clock works with. */
interface ClockOptions {
  config: Pick<ConfigStore, 'current' | 'onChange'>;
  /** Whether a plugin is there and switched on. */
  ready(name: string): boolean;
  call(name: string, fn: string): Promise<unknown>;
  log: Log;
}

/** Longest sleep, in ms: the clock of the machine may be set meanwhile. */
const longestMs = 6 * 3_600_000;
/** Least time from one run of a function to the next, in ms. */
const leastMs = 55_000;

/**
 * Calls functions of plugins at the times px.yaml grants (`grants.schedule`). Where there is none, no timer runs and no calendar is
 * loaded. A run that px was off for is not made up for, and one that still works is not started beside itself.
 */
export function createClock(options: ClockOptions): { close(): void } {
  const { config, log } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  let since = Date.now();
  const working = new Set<string>();
  const begun = new Map<string, number>();

  const entries = () =>
    Object.entries(config.current.plugins).flatMap(([name, { grants }]) =>
      Object.entries(grants.schedule).map(([fn, time]) => ({ id: `${name} ${fn}`, name, fn, time })),
    );

  const run = async ({ id, name, fn }: { id: string; name: string; fn: string }, now: number) => {
    if (working.has(id) || now - (begun.get(id) ?? 0) < leastMs || !options.ready(name)) return;
    working.add(id);
    begun.set(id, now);
    try {
      await options.call(name, fn);
    } catch (thrown) {
      const { code, message } = toPxError(thrown);
      if (!closed) log.warn(`${name}: ${fn}, by the clock: ${message}`, { code });
    } finally {
      working.delete(id);
    }
  };

  const plan = async (due: boolean): Promise<void> => {
    clearTimeout(timer);
    const wanted = entries();
    if (wanted.length === 0 || closed) return;
    const { Cron } = await import('croner');
    const now = Date.now();
    let next = now + longestMs;
    for (const entry of wanted) {
      try {
        const calendar = new Cron(entry.time, { paused: true });
        const at = calendar.nextRun(new Date(since))?.getTime();
        if (due && at !== undefined && at <= now) void run(entry, now);
        next = Math.min(next, calendar.nextRun(new Date(now))?.getTime() ?? next);
      } catch (thrown) {
        log.warn(`plugins.${entry.name}.grants.schedule.${entry.fn}: ${toPxError(thrown).message}`);
      }
    }
    since = now;
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(() => void plan(true), Math.max(1, next - now));
    timer.unref();
  };

  const off = config.onChange((_, keys) => {
    if (keys.some((key) => key.startsWith('plugins'))) void plan(false);
  });
  void plan(false);
  return {
    close() {
      closed = true;
      off();
      clearTimeout(timer);
    },
  };
}
