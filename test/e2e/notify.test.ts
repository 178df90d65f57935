import { describe, expect, test } from 'bun:test';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen } from '../app/datagram.ts';
import { binary, notBuilt, until } from './px.ts';

/** `px serve` as a service manager starts it. */
function start(home: string, env: Record<string, string>, stderr: 'ignore' | number = 'ignore') {
  const child = Bun.spawn([binary, '--home', home, 'serve', '--port', '0'], {
    env: { HOME: home, PATH: process.env['PATH'] ?? '', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr,
  });
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await child.exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const newHome = () => mkdtempSync(join(tmpdir(), 'px-notify-'));
const beats = (said: string[]) => said.filter((text) => text === 'WATCHDOG=1').length;

describe.skipIf(notBuilt !== undefined || process.platform !== 'linux')('px under a service manager', () => {
  test('says that it is ready, that it lives while it does, and that it stops', async () => {
    const home = newHome();
    using socket = listen(join(home, 'notify'));
    await using px = start(home, { NOTIFY_SOCKET: join(home, 'notify'), WATCHDOG_USEC: '200000' });
    await until('READY=1', () => socket.read()[0]?.startsWith('READY=1\nSTATUS=px '));
    await until('three signs of life', () => beats(socket.read()) >= 3);

    px.child.kill('SIGSTOP');
    await until('the stop', () => readFileSync(`/proc/${px.child.pid}/stat`, 'utf8').includes(') T '));
    const hung = beats(socket.read());
    await Bun.sleep(500);
    expect(beats(socket.read())).toBe(hung);
    px.child.kill('SIGCONT');
    await until('signs of life again', () => beats(socket.read()) > hung);

    px.child.kill('SIGTERM');
    expect(await px.child.exited).toBe(0);
    expect(socket.read().at(-1)).toMatch(/^STOPPING=1\n[\s\S]*EXTEND_TIMEOUT_USEC=\d+$/);
  });

  test('finds a socket that is in no folder, and is not watched when another process is meant', async () => {
    const name = `@px-test-${process.pid}`;
    using socket = listen(name);
    await using px = start(newHome(), { NOTIFY_SOCKET: name, WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' });
    await until('READY=1', () => socket.read().length > 0);
    await Bun.sleep(300);
    expect(beats(socket.read())).toBe(0);
    px.child.kill('SIGTERM');
    const out = await new Response(px.child.stdout).text();
    expect(out).toContain('px is ready at http://127.0.0.1:');
    // What a service prints is kept for others to read.
    expect(out).not.toContain('/#');
  });

  test('a socket that is not there costs nothing but the word', async () => {
    await using px = start(newHome(), { NOTIFY_SOCKET: '/nowhere/notify' });
    for await (const chunk of px.child.stdout) if (new TextDecoder().decode(chunk).includes('px is ready')) break;
    px.child.kill('SIGTERM');
    expect(await px.child.exited).toBe(0);
  });

  test('writes a log for the journal: a priority on every line, no time and no colours', async () => {
    const home = newHome();
    const path = join(home, 'journal');
    const file = openSync(path, 'w');
    const { dev, ino } = statSync(path);
    await using px = start(home, { JOURNAL_STREAM: `${dev}:${ino}` }, file);
    await until('the log', () => readFileSync(path, 'utf8').includes('<6>gateway: listening'));
    px.child.kill('SIGTERM');
    await px.child.exited;
    closeSync(file);
    for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) expect(line).toMatch(/^<[3-7]>\S/);
  });
});
