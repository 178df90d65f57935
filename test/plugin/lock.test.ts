import { dlopen } from 'bun:ffi';
import { describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { libcName } from '../../src/plugin/child/libc.ts';
import { always, guarded } from '../../src/plugin/child/syscalls.ts';
import { readLayers } from '../../src/plugin/layers.ts';
import { childEnvironment } from '../../src/plugin/self.ts';
import { stopwatch } from '../stopwatch.ts';
import { forced, verb } from './forced.ts';
import { codeOf } from './home.ts';

const linux = process.platform === 'linux';
const folder = mkdtempSync(join(tmpdir(), 'px-lock-'));

/** Runs JavaScript inside a locked process; its result as JSON. */
async function inside(body: string): Promise<Record<string, unknown>> {
  const guest = await forced(`
    const attempt = (work) => { try { return String(work()); } catch (e) { return e.code ?? e.message; } };
    const fs = process.getBuiltinModule('fs');
    return JSON.stringify((() => { ${body} })());`);
  try {
    return JSON.parse(String(await guest.call('run', []))) as Record<string, unknown>;
  } finally {
    await guest.end();
  }
}

const EPERM = 1;

/** Makes system calls, each a number and its arguments, inside a locked process; what `errno` was after each, or `got N` when it did not fail. */
async function system(calls: number[][]): Promise<unknown[]> {
  const guest = await forced(`
    const { dlopen, read } = process.getBuiltinModule('bun:ffi') ?? Bun.FFI;
    const libc = dlopen('${libcName()}', {
      syscall: { args: ['i64', 'i64', 'i64', 'i64', 'i64'], returns: 'i64' },
      __errno_location: { args: [], returns: 'ptr' },
    }).symbols;
    return JSON.stringify(${JSON.stringify(calls)}.map(([number, a = 0, b = 0, c = 0, d = 0]) => {
      const result = Number(libc.syscall(number, a, b, c, d));
      return result === -1 ? read.i32(libc.__errno_location(), 0) : 'got ' + result;
    }));`);
  try {
    return JSON.parse(String(await guest.call('run', []))) as unknown[];
  } finally {
    await guest.end();
  }
}

describe.skipIf(!linux)('JavaScript that broke out into the locked process', () => {
  test('cannot read, write, list or look at a file', async () => {
    const target = join(folder, 'written');
    const seen = await inside(`return {
      read: attempt(() => fs.readFileSync('/etc/passwd')),
      write: attempt(() => fs.writeFileSync('${target}', 'x')),
      list: attempt(() => fs.readdirSync('/')),
      look: attempt(() => fs.statSync('/etc/passwd')),
      own: attempt(() => fs.readFileSync(process.execPath)),
      remove: attempt(() => fs.rmdirSync('/tmp')),
    };`);
    expect(new Set(Object.values(seen))).toEqual(new Set(['EPERM']));
    expect(existsSync(target)).toBe(false);
  });

  test('cannot start a process or signal one, not even itself', async () => {
    const seen = await inside(`return {
      spawn: attempt(() => Bun.spawnSync(['/bin/true']).exitCode),
      kill: attempt(() => process.kill(process.ppid, 0)),
      self: attempt(() => process.kill(process.pid, 9)),
    };`);
    expect(Object.values(seen)).not.toContain('0');
    expect(Object.values(seen)).not.toContain('true');
  });

  test('sees nothing of the environment, the arguments or the folder px was started in', async () => {
    const seen = await inside(`return { env: Object.keys(process.env), cwd: attempt(() => process.cwd()) };`);
    expect(seen['env']).toEqual(Object.keys(childEnvironment));
    expect(seen['cwd']).not.toContain('main');
  });

  test('gets no system call but those that are listed, of all numbers there are', async () => {
    const column = process.arch === 'x64' ? 0 : 1;
    const listed = new Set<unknown>(Object.values({ ...always, ...guarded }).map((numbers) => numbers[column]));
    // x32's socket and execve, two that only 32-bit arm has, and the last.
    const others = [0x40000000 + 41, 0x40000000 + 520, 0x0f0001, 0x0f0005, 0x7fffffff];
    // Newer kernels answer these two of x64 before any filter, for its own probes: made by anybody else they fail, or end the process.
    const [uretprobe, uprobe] = [335, 336];
    if (process.arch === 'x64') for (const number of [uretprobe, uprobe]) listed.add(number);
    const numbers = [...Array(1024).keys(), ...others].filter((number) => !listed.has(number));
    const answers = await system(numbers.map((number) => [number]));
    expect(numbers.filter((_, i) => answers[i] !== EPERM)).toEqual([]);
    expect(answers.length).toBe(numbers.length);
  });

  test('gets nothing but threads, its own signals and reading out of the calls that are listed in part', async () => {
    const column = process.arch === 'x64' ? 0 : 1;
    const [signal, thread] = [17, 0x3d0f00];
    const calls: [name: keyof typeof guarded, ...args: number[]][] = [
      ['clone', signal],
      ['clone', 0x10000000 | signal],
      ['clone', thread & ~0x10000],
      ['tgkill', 1, 1, 0],
      ['tgkill', process.pid, process.pid, 0],
      ['prctl', 4, 1],
      ['prctl', 22, 0],
      ['prctl', 38, 0],
      ['prlimit64', 0, 7, 4096],
      ['prlimit64', 1, 7, 0, 4096],
      ['fcntl', 1, 0, 10],
      ['fcntl', 1, 2, 0],
      ['fcntl', 1, 8, 1],
      ['madvise', 4096, 4096, 100],
    ];
    const answers = await system(calls.map(([name, ...args]) => [guarded[name][column], ...args]));
    expect(calls.filter((_, i) => answers[i] !== EPERM)).toEqual([]);
    const ENOSYS = 38;
    expect(await system([[guarded.clone3[column], 4096, 88]])).toEqual([ENOSYS]);
  });

  // On arm64 there is no such instruction: 32-bit code begins with an execve.
  test.skipIf(process.arch !== 'x64')(
    'is ended when it runs machine code that calls the kernel the 32-bit way',
    async () => {
      const run = (code: number[]) =>
        forced(`
        const { dlopen, CFunction, toBuffer } = process.getBuiltinModule('bun:ffi') ?? Bun.FFI;
        const { mmap } = dlopen('libc.so.6', {
          mmap: { args: ['u64', 'u64', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' },
        }).symbols;
        const page = mmap(0, 4096, 7, 0x22, -1, 0);
        toBuffer(page, 0, 4096).set(${JSON.stringify(code)});
        return String(CFunction({ ptr: page, args: [], returns: 'i32' })());`);
      // mov eax, 42; ret
      const harmless = await run([0xb8, 42, 0, 0, 0, 0xc3]);
      expect(await harmless.call('run', [])).toBe('42');
      await harmless.end();
      // mov eax, 20 (getpid of i386); int 0x80; ret
      const thirtyTwo = await run([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]);
      expect(await codeOf(thirtyTwo.call('run', []))).toBe('plugin.crashed');
      await thirtyTwo.end();
    },
  );

  test('cannot reach the network', async () => {
    let hits = 0;
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(String(++hits)) });
    const guest = await forced(
      `fetch('http://127.0.0.1:${server.port}/').catch(() => {});
       process.getBuiltinModule('net').connect(${server.port}, '127.0.0.1').on('error', () => {});
       Bun.sleepSync(200); return 'tried';`,
    );
    // The runtime cannot even make its network thread, and may give up over it.
    expect(await codeOf(guest.call('run', []))).toMatch(/^(ok|plugin\.crashed)$/);
    await guest.end();
    expect(hits).toBe(0);
    await server.stop(true);
  });

  test('has no descriptor but its pipes, also when the daemon has others open', async () => {
    const libc = dlopen('libc.so.6', { fcntl: { args: ['i32', 'i32', 'i32'], returns: 'i32' } });
    const leaked = openSync('/etc/hostname', 'r');
    const setDescriptorFlags = 2;
    libc.symbols.fcntl(leaked, setDescriptorFlags, 0);
    const seen = await inside(`
      const open = [];
      for (let fd = 3; fd < 64; fd++) { try { const s = fs.fstatSync(fd); open.push([fd, s.isFile(), s.isSocket(), s.isDirectory()]); } catch {} }
      return { open };`);
    expect((seen['open'] as unknown[][]).filter((fd) => fd.slice(1).includes(true))).toEqual([]);
  });

  test('cannot leave a thread of its own working behind its answer', async () => {
    const guest = await forced(
      `globalThis.w = new Worker(URL.createObjectURL(new Blob(['for(;;){}'], { type: 'text/javascript' })));
       for (let until = Date.now() + 100; Date.now() < until;); return 'answered';`,
    );
    await codeOf(guest.call('run', []));
    expect((await guest.gone).code).toMatch(/^plugin\.(cpu|crashed)$/);
  }, 10_000);

  test('that fills the memory of its own process is ended', async () => {
    const eat = `const kept = []; for (;;) kept.push(new Uint8Array(8e6).fill(1));`;
    const guest = await forced(eat, { cpuMs: 60_000, wallMs: 60_000 });
    expect(await codeOf(guest.call('run', []))).toBe('plugin.memory');
  });
});

test.skipIf(!linux)('the kernel itself bounds the memory of a process, should nobody look', async () => {
  const guest = await forced(`
    const { dlopen } = process.getBuiltinModule('bun:ffi') ?? Bun.FFI;
    const { mmap } = dlopen('libc.so.6', { mmap: { args: ['u64', 'u64', 'i32', 'i32', 'i32', 'i64'], returns: 'i64' } }).symbols;
    const writable = 3, privately = 0x22;
    const map = (mib) => Number(mmap(0, mib * 2 ** 20, writable, privately, -1, 0)) > 0;
    return JSON.stringify([map(100), map(3000), map(100)]);`);
  expect(JSON.parse(String(await guest.call('run', [])))).toEqual([true, false, true]);
  await guest.end();
});

describe.skipIf(!linux)('the layers of the sandbox', () => {
  test('are tried out one by one, and each holds here', async () => {
    const layers = await readLayers(verb('__plugin'));
    const names = ['broker', 'caps', 'deadlines', 'descriptors', 'no_new_privs', 'rlimits', 'seccomp', 'wasm'];
    expect(Object.entries(layers).sort()).toEqual(names.map((name) => [name, 'active']));
  });

  test('are unknown when the process cannot be started, which is said', async () => {
    expect((await readLayers(['/nonexistent/px', '__plugin']))['seccomp']).toStartWith('unknown: ');
  });
});

describe('a plugin process', () => {
  test('ends when its input ends, so that none outlives a daemon that died', async () => {
    const child = Bun.spawn([...verb('__plugin'), '5'], { stdin: 'pipe', stdout: 'pipe', stderr: 'ignore', env: {} });
    const reader = child.stdout.getReader();
    await reader.read();
    await child.stdin.end();
    expect(await child.exited).toBe(0);
  });

  test('that waits for the host uses none of its processor time, and is stopped at its wall limit', async () => {
    const ask = `imports['project-x:core/host-api'].log('info', 'x'); return 'late';`;
    const never = await forced(ask, { cpuMs: 50, wallMs: 400 }, () => new Promise(() => {}));
    const took = stopwatch();
    expect(await codeOf(never.call('run', []))).toBe('plugin.wall');
    expect(took()).toBeLessThan(600);
    const slow = await forced(ask, { cpuMs: 50, wallMs: 2000 }, async () => {
      await Bun.sleep(200);
      return { ok: null };
    });
    expect(await slow.call('run', [])).toBe('late');
    await slow.end();
  });
});

describe('frames', () => {
  const write = (bytes: string) => `process.getBuiltinModule('fs').writeSync(1, ${bytes});`;
  const frame = (json: string) =>
    write(
      `(() => { const j = Buffer.from(${JSON.stringify(json)}); const f = Buffer.alloc(4 + j.length); f.writeUInt32LE(j.length); j.copy(f, 4); return f; })()`,
    );
  const hostile: Record<string, string> = {
    'announce four gigabytes': write('Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])'),
    'are not JSON': frame('{"t":'),
    'are not UTF-8': write('Buffer.from([2, 0, 0, 0, 0xc3, 0x28])'),
    'are nested without end': frame('['.repeat(200_000)),
    'answer with a value that would exhaust a stack': frame(
      `{"t":"done","id":2,"ok":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    ),
    'are of an unknown form': frame('{"t":"shutdown"}'),
    'claim the lock again': frame('{"t":"locked","layers":{}}'),
    'say ready twice': frame('{"t":"ready"}'),
    'answer a call nobody made': frame('{"t":"done","id":999,"ok":1}'),
    'answer the same call twice': frame('{"t":"done","id":2,"ok":"a"}') + frame('{"t":"done","id":2,"ok":"b"}'),
    'are a flood': `for (;;) ${write('Buffer.alloc(1 << 20, 0x20)')}`,
  };
  for (const [what, body] of Object.entries(hostile))
    test(`that ${what} end the process that sent them`, async () => {
      const guest = await forced(`${body}; for (;;);`);
      await codeOf(guest.call('run', []));
      expect((await guest.gone).code).toBe('plugin.output');
    });

  test('of a call that asks the host without end are stopped', async () => {
    const guest = await forced(`for (;;) imports['project-x:core/host-api'].log('info', 'x');`, {
      wallMs: 60_000,
      cpuMs: 60_000,
    });
    await codeOf(guest.call('run', []));
    expect(await guest.gone).toMatchObject({ code: 'plugin.output', message: expect.stringContaining('1000 times') });
  }, 60_000);

  test('of a result over its limit are refused, and the process lives', async () => {
    const guest = await forced(`return 'x'.repeat(70000)`);
    expect(await codeOf(guest.call('run', []))).toBe('plugin.output');
    expect(guest.alive).toBe(true);
    await guest.end();
  });
});
