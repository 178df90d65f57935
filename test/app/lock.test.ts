import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockHome } from '../../src/app/lock.ts';
import { PxError } from '../../src/error/error.ts';

function home() {
  const root = mkdtempSync(join(tmpdir(), 'px-lock-'));
  const at = (name: string) => join(root, name);
  return { root, config: at('px.yaml'), memory: at('memory'), plugins: at('plugins'), state: at('state') };
}

/** Another process that holds the lock and says so. */
async function holder(at: ReturnType<typeof home>) {
  const script = `import { lockHome } from ${JSON.stringify(join(import.meta.dir, '../../src/app/lock.ts'))};
    lockHome(${JSON.stringify(at)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' });
  await child.stdout.getReader().read();
  return child;
}

function refusal(at: ReturnType<typeof home>): PxError | undefined {
  try {
    lockHome(at).release();
    return undefined;
  } catch (error) {
    if (error instanceof PxError) return error;
    throw error;
  }
}

test('one px a home: the second is told who has it and what to do', async () => {
  const at = home();
  const child = await holder(at);
  const error = refusal(at);
  child.kill('SIGKILL');
  await child.exited;
  expect(error?.code).toBe('store.locked');
  expect(error?.message).toContain(`process ${child.pid}`);
  expect(error?.hint).toContain('--home');
});

test('a px that was killed with -9 leaves the home free', async () => {
  const at = home();
  const child = await holder(at);
  child.kill('SIGKILL');
  await child.exited;
  const lock = lockHome(at);
  lock.release();
  lock.release();
  expect(refusal(at)).toBeUndefined();
});

test('two of one process count too', () => {
  const at = home();
  const lock = lockHome(at);
  expect(refusal(at)?.code).toBe('store.locked');
  lock.release();
  expect(refusal(at)).toBeUndefined();
});

test('what the lock leaves in state/ can be read by its owner only, whatever the umask', () => {
  const at = home();
  const before = process.umask(0);
  const lock = lockHome(at);
  process.umask(before);
  const open = readdirSync(at.state).filter((name) => statSync(join(at.state, name)).mode & 0o077);
  lock.release();
  expect(open).toEqual([]);
});
