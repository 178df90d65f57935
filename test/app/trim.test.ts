import { afterEach, expect, jest, test } from 'bun:test';
import {
  cleanRanges,
  dropExecutablePages,
  findSection,
  readerOf,
  readMappings,
  unwrittenModules,
} from '../../src/app/pages.ts';
import { startIdleTrim } from '../../src/app/trim.ts';
import { createBus } from '../../src/wire/wire.ts';

afterEach(() => jest.useRealTimers());

const mapping = (range: string, rights: string, path: string, { rss = 8, anonymous = 0, dirty = 0, swap = 0 } = {}) =>
  [
    `${range} ${rights} 00000000 fe:00 1                     ${path}`,
    `Rss:                   ${rss} kB`,
    `Private_Dirty:         ${dirty} kB`,
    `Anonymous:             ${anonymous} kB`,
    `Swap:                  ${swap} kB`,
    'Locked:                0 kB',
  ].join('\n');

test('only clean, unwritable pages of the executable itself may be dropped', () => {
  const smaps = [
    mapping('1000-2000', 'r-xp', '/px', { rss: 4 }),
    mapping('2000-3000', 'r--p', '/px', { anonymous: 4 }),
    mapping('3000-4000', 'rw-p', '/px'),
    mapping('4000-5000', 'r-xp', '/lib/libc.so.6'),
    mapping('5000-6000', 'r--p', '/px', { swap: 4 }),
    mapping('6000-7000', 'r--p', '/px', { rss: 0 }),
    mapping('7000-9000', 'r--p', '/px', { dirty: 8 }),
  ].join('\n');
  expect(cleanRanges(readMappings(smaps, '/px'))).toEqual([
    { from: 0x1000n, length: 0x1000n, rss: 4096 },
    { from: 0x7000n, length: 0x2000n, rss: 8192 },
  ]);
});

test('the program inside the executable may be dropped as long as none of its pages was written', () => {
  const smaps = [
    '100000-104000 r-xp 00000000 fe:00 1 /px',
    '200000-206000 rw-p 00004000 fe:00 1 /px',
    'Rss: 24 kB',
    'KernelPageSize: 4 kB',
    'Anonymous: 4 kB',
  ].join('\n');
  // From the middle of the mapping's second page to the middle of its last one.
  const section = { offset: 0x5800, size: 0x4000 };
  const asked: number[][] = [];
  const told = (...states: number[]) =>
    unwrittenModules(readMappings(smaps, '/px'), section, (from, length) => {
      asked.push([from, length]);
      return Buffer.from(states.flatMap((state) => [0, 0, 0, 0, 0, 0, 0, state]));
    });
  const [here, absent, written, swapped] = [0xa0, 0x20, 0x80, 0x40];
  expect(told(here, absent, here)).toEqual([{ from: 0x202000n, length: 0x3000n, rss: 8192 }]);
  expect(asked).toEqual([[0x202 * 8, 24]]);
  for (const other of [written, swapped]) expect(told(here, other, here)).toEqual([]);
  expect(told(here, here)).toEqual([]);
});

test.skipIf(process.platform !== 'linux')('a section of an executable is found by its name', () => {
  const read = readerOf('/proc/self/exe');
  const text = findSection(read, '.text');
  expect(text?.size).toBeGreaterThan(1_000_000);
  expect(findSection(read, '.nothing')).toBeUndefined();
  expect(findSection(() => Buffer.from('#!/bin/sh'), '.text')).toBeUndefined();
});

test.skipIf(process.platform !== 'linux')('dropping them makes the process smaller and leaves it running', async () => {
  const before = process.memoryUsage.rss();
  expect(await dropExecutablePages()).toBeGreaterThan(1024 * 1024);
  expect(process.memoryUsage.rss()).toBeLessThan(before);
  expect(JSON.parse('{"still":"here"}')).toEqual({ still: 'here' });
});

/** What is given back, with a clock that the test moves. */
function idle() {
  jest.useFakeTimers();
  const bus = createBus();
  const given: string[] = [];
  const trim = startIdleTrim(bus, { all: () => given.push('all'), pages: () => given.push('pages') });
  return {
    ...{ bus, trim },
    /** What was given back in these seconds. */
    after(seconds: number) {
      jest.advanceTimersByTime(seconds * 1_000);
      return given.splice(0);
    },
  };
}

test('memory is given back after five quiet seconds, after what ends late, and then no timer runs', () => {
  const { bus, trim, after } = idle();
  for (let i = 0; i < 5; i++) {
    expect(after(4)).toEqual([]);
    bus.emit({ type: 'config.changed', keys: [] });
  }
  expect(after(5)).toEqual(['all']);
  bus.emit({ type: 'plugin.call', plugin: 'telegram', function: 'poll-events', ms: 1, ok: true });
  expect([after(4), after(1), after(9), after(1)]).toEqual([[], ['all'], [], ['all']]);
  // Conversations are kept for 30 s.
  expect([after(15), after(5)]).toEqual([[], ['all']]);
  expect(jest.getTimerCount()).toBe(0);
  trim.touch();
  expect(after(5)).toEqual(['all']);
  trim.touch();
  expect([after(4), after(1)]).toEqual([[], ['all']]);
  trim.close();
  expect(jest.getTimerCount()).toBe(0);
});

test('after an answer that brings nothing pages are given back, and now and then all; not where all is due anyway', () => {
  const { trim, after } = idle();
  trim.stirred();
  expect(after(40)).toEqual(['all', 'all', 'all', 'all']);
  trim.stirred();
  trim.stirred();
  expect(after(10)).toEqual(['pages']);
  trim.stirred();
  expect(after(30)).toEqual(['pages']);
  trim.stirred();
  expect([after(4), after(20)]).toEqual([[], ['all']]);
  trim.stirred();
  trim.touch();
  expect(after(5)).toEqual(['all']);
});
