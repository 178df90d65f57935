import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNotify } from '../../src/app/app.ts';
import { until } from '../e2e/px.ts';
import { listen } from './datagram.ts';

const envOf = (values: Record<string, string>) => ({
  home: undefined,
  userHome: '/',
  get: (name: string) => values[name],
});

test('no sign of life while px is not well', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'px-notify-'));
  try {
    const path = join(folder, 'notify');
    using socket = listen(path);
    const notify = await openNotify(envOf({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '20000' }));
    let well = true;
    const failures: unknown[] = [];
    notify?.watch(
      () => {
        if (!well) throw new Error('disk gone');
      },
      (thrown) => failures.push(thrown),
    );
    await until('a sign of life', () => socket.read().includes('WATCHDOG=1'));
    well = false;
    await until('two looks that fail', () => failures.length >= 2);
    const before = socket.read().length;
    await until('two more', () => failures.length >= 4);
    expect(socket.read().length).toBe(before);
    well = true;
    await until('a sign of life', () => socket.read().length > before);
    notify?.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('nobody is told anything where nobody asked', async () => {
  for (const address of [undefined, '', 'vsock:2:1', '/'])
    expect(await openNotify(envOf(address === undefined ? {} : { NOTIFY_SOCKET: address }))).toBeUndefined();
});
