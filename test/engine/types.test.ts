import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { witReference } from '../../scripts/docs-wit.ts';

test('plugins and the engine fit the types that authors are given', () => {
  const root = join(import.meta.dir, '../..');
  const { stdout, exitCode } = Bun.spawnSync([join(root, 'node_modules/.bin/tsc'), '--noEmit', '-p', 'plugins'], {
    cwd: root,
  });
  expect(stdout.toString()).toBe('');
  expect(exitCode).toBe(0);
});

test('the contract page names every function of host-api with its words', async () => {
  const page = await witReference();
  for (const name of ['kv-set', 'http-request', 'emit-message', 'secret-exists'])
    expect(page).toContain(`### \`${name}\``);
  expect(page).toContain('| `denied(string)` | No grant allows it; the text says which rule is missing. |');
  expect(page).toContain('## world `live-messaging-plugin`');
});
