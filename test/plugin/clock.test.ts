import { afterEach, expect, jest, test } from 'bun:test';
import * as v from 'valibot';
import { type Config, ConfigSchema } from '../../src/config/config.ts';
import { createLog } from '../../src/log/log.ts';
import { createClock } from '../../src/plugin/clock.ts';

afterEach(() => jest.useRealTimers());

const withTimes = (schedule: Record<string, string>): Config =>
  v.parse(ConfigSchema, { plugins: { weather: { grants: { schedule } } } });
/** Lets what waits for nothing but promises and modules go on. */
async function settle() {
  for (let i = 0; i < 50; i++) await import('croner');
}

function clockOf(start: Config, call: (name: string, fn: string) => Promise<unknown>) {
  let current = start;
  let told: (config: Config, keys: string[]) => void = () => {};
  const config = {
    get current() {
      return current;
    },
    onChange(listener: typeof told) {
      told = listener;
      return () => {};
    },
  };
  const log = createLog({ sinks: [] });
  const clock = createClock({ config, ready: (name) => name === 'weather', call, log });
  return {
    ...clock,
    change(next: Config) {
      current = next;
      told(next, ['plugins.weather']);
    },
  };
}

test('calls what px.yaml grants at its times, once each, and not what was taken away', async () => {
  jest.useFakeTimers({ now: new Date('2026-05-04T08:00:30') });
  const called: string[] = [];
  const clock = clockOf(withTimes({ refresh: '*/10 * * * *' }), async (name, fn) => called.push(`${name} ${fn}`));
  await settle();
  for (let minute = 0; minute < 30; minute++) {
    jest.advanceTimersByTime(60_000);
    await settle();
  }
  expect(called).toEqual(['weather refresh', 'weather refresh', 'weather refresh']);
  clock.change(withTimes({}));
  await settle();
  jest.advanceTimersByTime(3_600_000);
  await settle();
  expect(called).toHaveLength(3);
  expect(jest.getTimerCount()).toBe(0);
  clock.change(withTimes({ refresh: '* * * * *' }));
  await settle();
  jest.advanceTimersByTime(60_000);
  await settle();
  expect(called).toHaveLength(4);
  clock.close();
  jest.advanceTimersByTime(600_000);
  await settle();
  expect(called).toHaveLength(4);
});

test('does not start beside itself what still works, and goes on after a failure', async () => {
  jest.useFakeTimers({ now: new Date('2026-05-04T08:00:30') });
  let begun = 0;
  let fail: (error: Error) => void = () => {};
  const clock = clockOf(withTimes({ slow: '* * * * *' }), () => {
    begun++;
    return new Promise((_, reject) => {
      fail = reject;
    });
  });
  await settle();
  for (let minute = 0; minute < 4; minute++) {
    jest.advanceTimersByTime(60_000);
    await settle();
  }
  expect(begun).toBe(1);
  fail(new Error('no'));
  await settle();
  jest.advanceTimersByTime(60_000);
  await settle();
  expect(begun).toBe(2);
  clock.close();
});

test('where nothing is granted no timer runs', async () => {
  jest.useFakeTimers({ now: new Date('2026-05-04T08:00:30') });
  const clock = clockOf(withTimes({}), async () => 0);
  await settle();
  expect(jest.getTimerCount()).toBe(0);
  clock.close();
});
