import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Px } from './px.ts';

const binary = resolve(import.meta.dir, '../../dist/px-linux-arm64');
const wrapper = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'];
const missing = !existsSync(binary)
  ? 'dist/px-linux-arm64 is not built: run scripts/build --target linux-arm64'
  : Bun.which('qemu-aarch64-static') === null
    ? 'qemu-user-static is not installed'
    : undefined;

// qemu-user has no seccomp, and without binfmt_misc a process cannot start itself: both are said to px here, as a person would.
const arm = () =>
  new Px({
    command: [...wrapper, binary],
    env: { PX_EXEC_PREFIX: wrapper.join(' ') },
    config: { sandbox: { mode: 'best-effort' }, model: { default: 'offline/px' } },
  });

describe.skipIf(missing !== undefined)('the linux-arm64 executable, emulated', () => {
  test('says its version', async () => {
    await using px = arm();
    expect((await px.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('px doctor runs and names the missing layer', async () => {
    await using px = arm();
    const doctor = await px.run('doctor');
    expect(doctor.stdout).toContain('seccomp');
  }, 60_000);

  test('runs a whole turn with a tool plugin', async () => {
    await using px = arm();
    await px.serve();
    await px.installed(90_000);
    const chat = await px.run('chat', 'what time is it?');
    expect(chat.stdout).toContain(String(new Date().getUTCFullYear()));
    expect(px.journal()).toContain('clock_now');
  }, 180_000);
});
