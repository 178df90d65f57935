import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { type Config, ConfigSchema, homeAt } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { createLog } from '../../src/log/log.ts';
import { createTools, type Mcp, openMcp, type Tools } from '../../src/tool/tool.ts';
import { stopwatch } from '../stopwatch.ts';
import { fakeMemory } from './fakes.ts';

const program = resolve(import.meta.dir, 'mcp-server.ts');
const everything = resolve(import.meta.dir, '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js');
const roots: string[] = [];
const open: Mcp[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

interface World {
  mcp: Mcp;
  tools: Tools;
  lines: string[];
  edit(servers: object): void;
  run(name: string, args?: Record<string, string>, signal?: AbortSignal): Promise<{ text: string; isError: boolean }>;
}

/** MCP servers of a home, behind a real registry. */
function world(servers: object, options: { root?: string; deny?: string[] } = {}): World {
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'px-mcp-'));
  roots.push(root);
  const yaml = (to: object) =>
    v.parse(ConfigSchema, { mcp: { servers: to }, agent: { tools: { deny: options.deny ?? [] } } });
  let current = yaml(servers);
  const listeners = new Set<(config: Config, changed: string[]) => void>();
  const config = {
    get current() {
      return current;
    },
    home: homeAt(root),
    env: {
      home: undefined,
      userHome: root,
      get: (name: string) => (name === 'PATH' ? process.env['PATH'] : undefined),
    },
    onChange: (listener: (config: Config, changed: string[]) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const secrets = {
    resolve: (value: string) => {
      if (value === 'secret:MISSING') throw new PxError('secret.missing', 'the secret MISSING is not set');
      return value.replace(/^secret:TOKEN$|\$\{TOKEN\}/g, 'hunter2-hunter2');
    },
    scrub: (text: string) => text.replaceAll('hunter2-hunter2', '[redacted:TOKEN]'),
  };
  const lines: string[] = [];
  const log = createLog({ level: 'debug', sinks: [(entry) => lines.push(`${entry.scope} ${entry.message}`)] });
  const mcp = openMcp({ config, secrets, log, version: '1.2.3' });
  open.push(mcp);
  const tools = createTools({ memory: fakeMemory(), plugins: { tools: () => [] }, mcp, config, secrets, log });
  return {
    mcp,
    tools,
    lines,
    edit(to) {
      current = yaml(to);
      for (const listener of listeners) listener(current, ['mcp.servers']);
    },
    async run(name, args = {}, signal = new AbortController().signal) {
      const call = { type: 'tool-call' as const, id: 'c1', name, args };
      const { result } = await tools.run(call, { conversation: 'cli/x', turn: 't1', signal });
      return {
        text: result.content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
        isError: result.isError,
      };
    },
  };
}

const never = () => new AbortController().signal;
const bun = process.execPath;
const small = (mode?: string, more: object = {}) => ({
  command: bun,
  args: [program, ...(mode ? [mode] : [])],
  ...more,
});
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const gone = async (pid: number) => {
  for (let i = 0; i < 3_000 && alive(pid); i++) await Bun.sleep(10);
  return !alive(pid);
};

describe('an MCP server over stdio', () => {
  test('is off until asked; its tools are kept, so that the next px needs no running server for its prompt', async () => {
    const { mcp, tools, run } = world({ small: small() });
    expect(tools.specs().map((tool) => tool.name)).not.toContain('small_say');
    expect(mcp.servers()[0]).toMatchObject({ state: 'off', pid: null, listedAt: null });
    await mcp.prepare();
    expect(tools.specs().map((tool) => tool.name)).toContain('small_say');
    expect(tools.specs().map((tool) => tool.name)).toContain('small_weird_name_');
    expect(await run('small_say', { a: 'b' })).toEqual({ text: 'said {"a":"b"}', isError: false });
    const root = roots.at(-1) ?? '';
    expect(statSync(join(root, 'state/mcp/small.json')).mode & 0o777).toBe(0o600);
    await mcp.close();
    const next = world({ small: small() }, { root });
    expect(next.tools.specs().map((tool) => tool.name)).toContain('small_say');
    await next.mcp.prepare();
    expect(next.mcp.servers()[0]?.state).toBe('off');
    expect(await next.run('small_weird_name_')).toMatchObject({ text: 'said {}' });
  });

  test('gets a clean environment: PATH, what px.yaml says, and nothing of px', async () => {
    process.env['PX_TEST_LEAK'] = 'leaked';
    const { mcp, run } = world({ small: small(undefined, { env: { API_TOKEN: 'secret:TOKEN', MODE: 'x' } }) });
    await mcp.prepare();
    const { text } = await run('small_env');
    delete process.env['PX_TEST_LEAK'];
    const seen: Record<string, string> = JSON.parse(text);
    // Bun itself adds nothing else; the value of the secret reached the server and was scrubbed on its way back.
    expect(Object.keys(seen).toSorted()).toEqual(['API_TOKEN', 'MODE', 'PATH']);
    expect(seen['API_TOKEN']).toBe('[redacted:TOKEN]');
  });

  test('is under the same deny list as every tool', async () => {
    const { mcp, tools, run } = world({ small: small() }, { deny: ['small_*'] });
    await mcp.prepare();
    expect(tools.specs().map((tool) => tool.name)).not.toContain('small_say');
    expect(await run('small_say')).toMatchObject({ isError: true, text: expect.stringContaining('policy.denied') });
  });

  test('that crashes is told apart, and starts again after a while', async () => {
    const { mcp, run } = world({ small: small() });
    await mcp.prepare();
    const first = await run('small_pid');
    expect(await run('small_crash')).toMatchObject({ isError: true, text: expect.stringContaining('mcp.unavailable') });
    expect(await gone(Number(first.text))).toBe(true);
    for (let i = 0; i < 3_000 && mcp.servers()[0]?.state !== 'failing'; i++) await Bun.sleep(10);
    expect(mcp.servers()[0]).toMatchObject({ state: 'failing', detail: expect.stringContaining('exit code 7') });
    expect(await run('small_say')).toMatchObject({
      isError: true,
      text: expect.stringContaining('tried again in 1 s'),
    });
    await Bun.sleep(1_050);
    expect(await run('small_say')).toMatchObject({ isError: false });
    expect(mcp.servers()[0]?.state).toBe('running');
  });

  test('that cannot start says why, with its last words, and does not hold a turn up again and again', async () => {
    const { mcp } = world({ dies: small('dies'), nothing: { command: '/nowhere/px-no-such' } });
    await mcp.prepare();
    expect(mcp.servers()).toMatchObject([
      { name: 'dies', state: 'failing', detail: expect.stringContaining('no licence found') },
      { name: 'nothing', state: 'failing' },
    ]);
    const took = stopwatch();
    await mcp.prepare();
    expect(took()).toBeLessThan(50);
    expect(mcp.test('dies', never())).rejects.toMatchObject({ code: 'mcp.unavailable', retryable: true });
    expect(mcp.test('dyes', never())).rejects.toMatchObject({
      code: 'mcp.unknown',
      hint: expect.stringContaining('dies'),
    });
  });

  test('that never answers is given up, and its process ends', async () => {
    const { mcp } = world({ silent: small('silent', { timeout_seconds: 1 }) });
    expect(mcp.test('silent', never())).rejects.toMatchObject({ code: 'mcp.unavailable' });
    await mcp.test('silent', never()).catch(() => {});
    expect(mcp.servers()[0]).toMatchObject({ state: 'failing', pid: null });
  });

  test('cannot flood the prompt, the conversation or the memory of px', async () => {
    const { mcp, run, tools } = world({ floods: small('floods'), small: small() });
    await mcp.prepare();
    const specs = tools.specs().filter((tool) => tool.name.startsWith('floods_'));
    expect(specs.length).toBe(128);
    expect(Math.max(...specs.map((tool) => JSON.stringify(tool).length))).toBeLessThan(1_000);
    expect(await run('small_huge')).toMatchObject({ isError: true });
    expect(mcp.servers().find((one) => one.name === 'small')?.state).toBe('failing');
  });

  test('that fails at a tool says so to the model; a stopped turn stops the call', async () => {
    const { mcp, run } = world({ small: small() });
    await mcp.prepare();
    expect(await run('small_fail')).toEqual({ isError: true, text: 'Error tool.failed: it did not work' });
    const stop = new AbortController();
    const running = run('small_slow', {}, stop.signal);
    stop.abort();
    expect(await running).toMatchObject({ isError: true, text: expect.stringContaining('interrupted') });
    expect(await run('small_say')).toMatchObject({ isError: false });
  });

  test('that gets a new tool is listed anew', async () => {
    const { mcp, run, tools } = world({ small: small() });
    await mcp.prepare();
    await run('small_grow');
    for (let i = 0; i < 3_000 && !tools.specs().some((tool) => tool.name === 'small_later'); i++) await Bun.sleep(10);
    expect(tools.specs().map((tool) => tool.name)).toContain('small_later');
  });

  test('ends with px, when it is taken out of px.yaml, and when it was idle', async () => {
    const { mcp, run, edit, tools } = world({ small: small() });
    await mcp.prepare();
    const first = Number((await run('small_pid')).text);
    edit({});
    expect(await gone(first)).toBe(true);
    expect(tools.list().map((tool) => tool.name)).not.toContain('small_pid');
    edit({ small: small(undefined, { idle_seconds: 1 }) });
    await mcp.prepare();
    const second = Number((await run('small_pid')).text);
    expect(await gone(second)).toBe(true);
    expect(mcp.servers()[0]).toMatchObject({ state: 'off' });
    const third = Number((await run('small_pid')).text);
    await mcp.close();
    expect(await gone(third)).toBe(true);
    expect(await run('small_pid')).toMatchObject({ isError: true });
  });

  test('is not started without its secret, and not when it is switched off', async () => {
    const { mcp, tools } = world({
      small: small(undefined, { env: { A_KEY: 'secret:MISSING' } }),
      off: small(undefined, { enabled: false }),
    });
    expect(mcp.test('small', never())).rejects.toMatchObject({ code: 'secret.missing' });
    expect(mcp.test('off', never())).rejects.toMatchObject({ code: 'mcp.unavailable' });
    await mcp.prepare();
    expect(mcp.servers().map((one) => one.pid)).toEqual([null, null]);
    expect(tools.list().length).toBe(3);
  });

  test('a kept list that was tampered with is not read', async () => {
    const { mcp } = world({ small: small() });
    await mcp.prepare();
    await mcp.close();
    const root = roots.at(-1) ?? '';
    const file = join(root, 'state/mcp/small.json');
    const other = world({ small: small(undefined, { env: { MODE: 'other' } }) }, { root });
    expect(other.tools.list().length).toBe(3);
    await Bun.write(file, readFileSync(file, 'utf8').replace('"tools":[', '"tools":[7,'));
    expect(world({ small: small() }, { root }).tools.list().length).toBe(3);
  });
});

describe.skipIf(!existsSync(everything))('the reference server of the protocol', () => {
  test('works over stdio', async () => {
    const { mcp, run, tools } = world({ every: { command: bun, args: [everything, 'stdio'] } });
    const info = await mcp.test('every', never());
    expect(info).toMatchObject({ state: 'running', transport: 'stdio' });
    expect(tools.specs().map((tool) => tool.name)).toContain('every_echo');
    expect(await run('every_echo', { message: 'hello' })).toEqual({ text: 'Echo: hello', isError: false });
    const picture = await tools.run(
      { type: 'tool-call', id: 'p', name: 'every_get-tiny-image', args: {} },
      { conversation: 'cli/x', turn: 't', signal: never() },
    );
    expect(picture.result.content).toContainEqual({ type: 'image', mime: 'image/png', data: expect.any(String) });
    expect(await run('every_echo')).toMatchObject({ isError: true, text: expect.stringContaining('tool.arguments') });
  }, 20_000);
});
