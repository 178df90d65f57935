import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calendarFindings, diskFinding } from '../../src/cli/doctor/home.ts';
import { indexFinding } from '../../src/cli/doctor/memory.ts';
import { judgeClock } from '../../src/cli/doctor/network.ts';
import type { Client } from '../../src/client/client.ts';
import { homeAt } from '../../src/config/config.ts';

describe('px doctor judges', () => {
  const disk = { bavail: 1_000_000, bsize: 4096, files: 1000, ffree: 500 };

  test.each([
    [disk, 'ok', '4.1 GB are free'],
    [{ ...disk, bavail: 60_000 }, 'warn', 'only 246 MB are free'],
    [{ ...disk, bavail: 1_000 }, 'fail', 'only 4 MB are free'],
    [{ ...disk, ffree: 3 }, 'fail', 'no more files can be made'],
    [{ ...disk, files: 0, ffree: 0 }, 'ok', '4.1 GB are free'],
  ] as const)('a disk with %j', (given, state, words) => {
    expect(diskFinding('/home/px', given)).toMatchObject({ state, text: expect.stringContaining(words) });
  });

  test('a clock by what was written before', () => {
    const root = mkdtempSync(join(tmpdir(), 'px-clock-'));
    const home = homeAt(root);
    writeFileSync(home.config, '');
    const now = Date.now();
    expect(calendarFindings(home, now)).toEqual([]);
    const back = calendarFindings(home, now - 3_600_000);
    expect(back).toMatchObject([{ state: 'warn', text: expect.stringContaining('px.yaml was written at') }]);
    const unset = calendarFindings(home, 0);
    expect(unset).toMatchObject([{ state: 'fail', text: 'it says 1970-01-01T00:00:00.000Z, which is past' }]);
    rmSync(root, { recursive: true });
  });

  test.each([
    [900, 'ok', 'it agrees with api.test'],
    [-59_000, 'ok', 'it agrees with api.test'],
    [90_000, 'fail', '90 seconds ahead of that of api.test'],
    [-7_200_000, 'fail', '7200 seconds behind that of api.test'],
  ] as const)('a clock that is %d ms off', (off, state, words) => {
    expect(judgeClock(off, 'api.test')).toMatchObject({ state, text: expect.stringContaining(words) });
  });

  test.each([
    [{ stale: 0, gone: 0, large: [] }, 'ok', '3 files, 7 passages, as fresh as they are'],
    [{ stale: 0, gone: 0, large: ['a/big.md'] }, 'warn', 'too large to be searched: memory/a/big.md'],
    [
      { stale: 1, gone: 2, large: ['big.md'] },
      'warn',
      'it holds 1 of 3 files as they were before, or not at all, and 2',
    ],
  ])('an index with %j', async (given, state, words) => {
    const client = {
      compareMemory: async () => ({ files: 3, ...given }),
      status: async () => ({ memory: { notes: 3, chunks: 7 } }),
    } as unknown as Client;
    expect(await indexFinding(client, true)).toMatchObject({ state, text: expect.stringContaining(words) });
  });
});
