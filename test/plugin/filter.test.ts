import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { seccompProgram } from '../../src/plugin/child/filter.ts';
import { always, guarded, type Machine, machines } from '../../src/plugin/child/syscalls.ts';

/*
 * The filter of both processors, run as the kernel runs it: real arm64 is not at hand in CI, and an emulated process has no seccomp.
 * scripts/arm-room has a whole machine with an arm64 kernel, and takes minutes.
 */

const allow = 0x7fff0000;
const killProcess = 0x80000000;
const refused = 0x00050000;
const EPERM = refused | 1;
const ENOSYS = refused | 38;
const pid = 4711;

/** What the kernel does with one system call: classic BPF over `struct seccomp_data`. */
function decide(program: Uint8Array, call: { nr: number; arch: number; args?: bigint[] }): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.nr, true);
  data.setUint32(4, call.arch, true);
  for (const [i, arg] of (call.args ?? []).entries()) data.setBigUint64(16 + 8 * i, BigInt.asUintN(64, arg), true);
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const op = code.getUint16(at * 8, true);
    const [jt, jf] = [code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3)];
    const k = code.getUint32(at * 8 + 4, true);
    const jump = (taken: boolean) => {
      at += taken ? jt : jf;
    };
    if (op === 0x20) accumulator = data.getUint32(k, true);
    else if (op === 0x15) jump(accumulator === k);
    else if (op === 0x35) jump(accumulator >= k);
    else if (op === 0x45) jump((accumulator & k) !== 0);
    else if (op === 0x06) return k;
    else throw new Error(`instruction ${op.toString(16)} at ${at}`);
  }
  throw new Error('it ran off its end');
}

/** Names and numbers from the kernel's own headers, where they are installed (linux-libc-dev). */
const headers: Record<Machine, string> = {
  x64: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
  arm64: '/usr/include/asm-generic/unistd.h',
};
const audits: Record<Machine, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

function numbersOf(machine: Machine): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, name = '', value = ''] of readFileSync(headers[machine], 'utf8').matchAll(
    /^#define __NR(?:3264)?_(\w+)\s+(\d+)/gm,
  ))
    if (!found.has(name)) found.set(name, Number(value));
  return found;
}

for (const machine of ['x64', 'arm64'] as const)
  describe(`the filter for ${machine}`, () => {
    const program = seccompProgram(machine, pid);
    const column = machine === 'x64' ? 0 : 1;
    const arch = audits[machine];
    const call = (nr: number, ...args: bigint[]) => decide(program, { nr, arch, args });
    const free = new Set(Object.values(always).flatMap((numbers) => numbers[column] ?? []));
    const conditional = new Set<number>(Object.values(guarded).map((numbers) => numbers[column]));

    test('is one the kernel takes: short enough, every jump inside, every path with an end', () => {
      expect<number>(machines[machine].audit).toBe(arch);
      expect(program.length / 8).toBeLessThanOrEqual(4096);
      const last = program.length / 8 - 1;
      for (let at = 0; at <= last; at++) {
        const isJump = (program[at * 8] ?? 0) % 8 === 5;
        if (isJump)
          expect(at + 1 + Math.max(program[at * 8 + 2] ?? 0, program[at * 8 + 3] ?? 0)).toBeLessThanOrEqual(last);
      }
      expect(program[last * 8]).toBe(0x06);
    });

    test('lets through what is listed and nothing else, of all numbers there are', () => {
      const wide = [0x7fffffff, 0x80000000, 0xffffffff, 0x40000000, 0x40000000 + 41, 0x40000000 + 520];
      for (const nr of [...Array(2048).keys(), ...wide]) {
        if (conditional.has(nr)) continue;
        expect<unknown>([nr, call(nr)]).toEqual([nr, free.has(nr) ? allow : EPERM]);
      }
    });

    test('ends a process that calls in another convention', () => {
      for (const other of [0x40000003, 0x40000028, 0xc000003e, 0xc00000b7, 0])
        if (other !== arch) expect(decide(program, { nr: 0, arch: other })).toBe(killProcess);
    });

    test('looks at the arguments of the calls that are let through in part', () => {
      const at = (name: keyof typeof guarded) => guarded[name][column];
      const thread = 0x3d0f00n;
      expect(call(at('clone'), thread)).toBe(allow);
      const [process, namespace] = [17n, 0x10000000n | 17n];
      for (const flags of [process, namespace, 0n]) expect(call(at('clone'), flags)).toBe(EPERM);
      expect(call(at('clone3'), 4096n)).toBe(ENOSYS);
      expect(call(at('tgkill'), BigInt(pid), 1n, 9n)).toBe(allow);
      expect(call(at('tgkill'), 1n, 1n, 9n)).toBe(EPERM);
      for (const option of [15n, 0x53564d41n]) expect(call(at('prctl'), option)).toBe(allow);
      for (const option of [1n, 4n, 22n, 38n, 59n]) expect(call(at('prctl'), option)).toBe(EPERM);
      expect(call(at('prlimit64'), 0n, 7n, 0n, 4096n)).toBe(allow);
      for (const args of [
        [0n, 7n, 4096n, 0n],
        [0n, 7n, 1n << 32n, 0n],
        [1n, 7n, 0n, 4096n],
      ])
        expect(call(at('prlimit64'), ...args)).toBe(EPERM);
      for (const command of [1n, 3n, 4n]) expect(call(at('fcntl'), 0n, command)).toBe(allow);
      for (const command of [0n, 2n, 6n, 8n, 10n, 1030n]) expect(call(at('fcntl'), 0n, command)).toBe(EPERM);
      for (const advice of [4n, 8n, 14n]) expect(call(at('madvise'), 0n, 4096n, advice)).toBe(allow);
      for (const advice of [100n, 101n]) expect(call(at('madvise'), 0n, 4096n, advice)).toBe(EPERM);
    });

    test.skipIf(!existsSync(headers[machine]))(
      'numbers each call as the kernel does, and refuses these by name',
      () => {
        const numbers = numbersOf(machine);
        for (const [name, pair] of Object.entries({ ...always, ...guarded }))
          if (pair[column] !== undefined) expect<unknown>([name, pair[column]]).toEqual([name, numbers.get(name)]);
        expect(numbers.get('seccomp')).toBe(machines[machine].seccomp);
        const never =
          'openat openat2 open_by_handle_at execve execveat socket socketpair connect bind accept accept4 sendto sendmsg recvmsg sendmmsg recvmmsg ' +
          'kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal pidfd_getfd ptrace process_vm_readv process_vm_writev ' +
          'setrlimit setns unshare mount umount2 pivot_root chroot chdir fchdir mkdirat mknodat unlinkat renameat2 linkat symlinkat readlinkat ' +
          'faccessat fchmodat fchownat truncate ftruncate statx io_uring_setup io_uring_enter io_uring_register bpf perf_event_open ' +
          'userfaultfd memfd_create memfd_secret keyctl add_key request_key init_module finit_module kexec_load reboot setuid setgid setresuid ' +
          'setgroups capset sethostname settimeofday clock_settime adjtimex swapon dup dup3 pipe2 eventfd2 timerfd_create signalfd4 ' +
          'inotify_init1 fanotify_init shmget shmat msgget semget mq_open sendfile splice tee vmsplice copy_file_range ioctl ' +
          'sched_setaffinity sched_setscheduler setpriority personality syslog quotactl nfsservctl landlock_create_ruleset process_madvise seccomp';
        const seen = never.split(' ').flatMap((name) => {
          const nr = numbers.get(name);
          return nr === undefined || call(nr) === EPERM ? [] : [name];
        });
        expect(seen).toEqual([]);
      },
    );
  });
