import { expect, test } from 'bun:test';
import type { Backend } from '../../src/cli/backend.ts';
import { withDownload } from '../../src/cli/download.ts';
import { createClient } from '../../src/client/client.ts';
import { createBus } from '../../src/wire/wire.ts';
import { silentIo } from './io.ts';

test('a download is shown with its host, how much has come and how much there is', async () => {
  const bus = createBus();
  const client = createClient({ url: 'http://127.0.0.1:9', token: '' });
  const backend: Backend = { client, running: true, watch: bus.on, [Symbol.asyncDispose]: async () => {} };
  const { promise, resolve } = Promise.withResolvers<string>();
  const lines: string[] = [];
  const io = silentIo({
    watched: true,
    progress: (line) => {
      lines.push(line);
      if (line.startsWith('looking'))
        bus.emit({ type: 'plugin.download', host: 'a.example', done: 51200, total: 102400 });
      if (line.startsWith('from')) resolve('installed');
    },
  });
  expect(await withDownload(io, backend, () => promise)).toBe('installed');
  expect(lines.find((line) => line.startsWith('from a.example'))).toMatch(/ 50% {2}50 of 100 KiB$/);
  expect(lines.at(-1)).toBe('');
});
