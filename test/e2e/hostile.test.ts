import { describe, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { stopwatch } from '../stopwatch.ts';
import { notBuilt, Px, until } from './px.ts';

/** Calls `/healthz` without pause while `work` runs; the slowest answer in milliseconds of a stopwatch. */
async function slowestHealth(px: Px, work: Promise<unknown>): Promise<number> {
  let running = true;
  let slowest = 0;
  void work.finally(() => {
    running = false;
  });
  while (running) {
    const took = stopwatch(px.pid);
    await fetch(`${px.url}/healthz`);
    slowest = Math.max(slowest, took());
    await Bun.sleep(5);
  }
  return slowest;
}

async function serveWith(name: string, source: string | Uint8Array, limits: object = {}): Promise<Px> {
  const px = new Px({ config: { plugins: { [name]: { limits } } } });
  await px.serve();
  const file = join(px.home, `${name}.${typeof source === 'string' ? 'ts' : 'wasm'}`);
  writeFileSync(file, source);
  const added = await px.run('plugin', 'add', file);
  expect(added.stderr).toBe('');
  expect(added.code).toBe(0);
  return px;
}

describe.skipIf(notBuilt !== undefined)('a hostile plugin', () => {
  test('that loops is stopped at its limit, and px answers meanwhile', async () => {
    await using px = await serveWith(
      'spin',
      'export function spin(): void { for (;;) {} }\nexport function ok(): string { return "fine"; }',
      { cpu_ms: 500 },
    );
    const call = px.run('plugin', 'call', 'spin', 'spin', '[]', '--json');
    expect(await slowestHealth(px, call)).toBeLessThan(100);
    const { code, stdout, stderr } = await call;
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('plugin.cpu');
    expect((await px.run('plugin', 'call', 'spin', 'ok', '[]')).stdout).toContain('fine');
  });

  test('that traps is contained, and its next call starts afresh', async () => {
    const wat = `(component
      (core module $m (func (export "crash") unreachable) (func (export "fine") (result i32) i32.const 7))
      (core instance $i (instantiate $m))
      (func (export "crash") (canon lift (core func $i "crash")))
      (func (export "fine") (result u32) (canon lift (core func $i "fine"))))`;
    await using px = await serveWith('trap', await parse(wat));
    const { code, stderr } = await px.run('plugin', 'call', 'trap', 'crash', '[]');
    expect(code).toBe(1);
    expect(stderr).not.toContain('    at ');
    expect((await px.run('plugin', 'call', 'trap', 'fine', '[]')).stdout.trim()).toBe('7');

    // Again and again it is stopped, and the reason is wherever a person looks.
    const crash = () => px.fetch('/api/plugins/trap/call/crash', { method: 'POST', body: '{"args":[]}' });
    for (let i = 0; i < 4; i++) await crash();
    expect(await (await crash()).text()).toContain('plugin.quarantined');
    const why = 'stopped after 5 faults in 10 minutes; the last: it trapped';
    expect((await px.run('plugin', 'list')).stdout).toMatch(new RegExp(`trap .*quarantined +${why}`));
    expect((await px.run('status')).stdout).toContain(`quarantined: ${why}`);
    const portal = await (await px.fetch('/plugins')).text();
    expect(portal).toContain(why);
    expect((await px.run('plugin', 'resume', 'trap')).stdout).toBe('trap runs again.\n');
    expect((await px.run('plugin', 'call', 'trap', 'fine', '[]')).stdout.trim()).toBe('7');
  });

  test('that eats memory meets its cap, and px stays small', async () => {
    await using px = await serveWith(
      'eat',
      'export function eat(): void { const kept: Uint8Array[] = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1)); }',
      { memory_mb: 32, cpu_ms: 20_000 },
    );
    const call = px.run('plugin', 'call', 'eat', 'eat', '[]');
    expect(await slowestHealth(px, call)).toBeLessThan(100);
    expect((await call).code).toBe(1);
    expect(await (await fetch(`${px.url}/healthz`)).status).toBe(200);
  });

  test('that asks for a host it was not granted is denied, by name, and nothing is sent', async () => {
    let hits = 0;
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(`hit ${++hits}`) });
    const source = `import { httpRequest } from 'px';
      export function leak(url: string): string { return String(httpRequest({ method: 'GET', url, headers: [] }).status); }`;
    await using px = await serveWith('leak', source);
    const { code, stdout, stderr } = await px.run(
      'plugin',
      'call',
      'leak',
      'leak',
      JSON.stringify([`http://127.0.0.1:${server.port}/x`]),
    );
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/denied|grant/);
    expect(hits).toBe(0);
    await server.stop(true);
  });

  test('that plants code in a core name is refused before it runs', async () => {
    await using px = new Px();
    await px.serve();
    const planted = join(px.home, 'planted');
    const name = `f'];require('fs').writeFileSync('${planted}','x')//`;
    const wat = `(component (core module $m (func (export "${name}"))) (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "${name}"))) (export "run" (func $f)))`;
    const file = join(px.home, 'evil.wasm');
    writeFileSync(file, await parse(wat));
    const { code, stderr } = await px.run('plugin', 'add', file);
    expect(code).toBe(1);
    expect(stderr).toContain('name');
    expect(existsSync(planted)).toBe(false);
    expect((await px.run('plugin', 'list')).stdout).not.toContain('evil');
  });

  test('no process of a plugin is left when it is idle', async () => {
    await using px = await serveWith('brief', 'export function ok(): string { return "fine"; }', { idle_ms: 50 });
    expect((await px.run('plugin', 'call', 'brief', 'ok', '[]')).code).toBe(0);
    // A first start prepares the carried plugins in children of its own; when those are in, only a plugin's could be left.
    await px.installed();
    await until('px to be one process again', () => px.children().length === 0);
  });
});
