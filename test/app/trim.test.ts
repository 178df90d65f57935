import { expect, test } from 'bun:test';
import { cleanRanges, dropExecutablePages, startIdleTrim } from '../../src/app/trim.ts';
import { createBus } from '../../src/wire/wire.ts';

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
  expect(cleanRanges(smaps, '/px')).toEqual([
    { from: 0x1000n, length: 0x1000n, rss: 4096 },
    { from: 0x7000n, length: 0x2000n, rss: 8192 },
  ]);
});

test.skipIf(process.platform !== 'linux')('dropping them makes the process smaller and leaves it running', async () => {
  const before = process.memoryUsage.rss();
  expect(await dropExecutablePages()).toBeGreaterThan(1024 * 1024);
  expect(process.memoryUsage.rss()).toBeLessThan(before);
  expect(JSON.parse('{"still":"here"}')).toEqual({ still: 'here' });
});

test('memory is given back once an idle time, and not while there is work', async () => {
  const bus = createBus();
  let trims = 0;
  let told = () => {};
  const next = () =>
    new Promise<void>((resolve) => {
      told = resolve;
    });
  const all = () => {
    trims++;
    told();
  };
  const idle = startIdleTrim(bus, 40, { all, pages: () => {} });
  const first = next();
  const begun = performance.now();
  for (let i = 0; i < 5; i++) {
    await Bun.sleep(10);
    bus.emit({ type: 'config.changed', keys: [] });
  }
  await first;
  expect(performance.now() - begun).toBeGreaterThan(80);
  bus.emit({ type: 'plugin.call', plugin: 'telegram', function: 'poll-events', ms: 1, ok: true });
  await Bun.sleep(80);
  expect(trims).toBe(1);
  const second = next();
  idle.touch();
  await second;
  expect(trims).toBe(2);
  idle.close();
});

test('after an answer that brings nothing only pages are given back, and not where all is due anyway', async () => {
  const given: string[] = [];
  const idle = startIdleTrim(createBus(), 5, { all: () => given.push('all'), pages: () => given.push('pages') });
  while (!given.includes('pages')) {
    idle.stirred();
    await Bun.sleep(1);
  }
  idle.close();
  expect(given.slice(0, -1)).toEqual(given.slice(0, -1).map(() => 'all'));
  expect(given.length).toBeGreaterThan(1);
});
