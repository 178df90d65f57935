import { dlopen, ptr } from 'bun:ffi';
import { seccompProgram } from './filter.ts';
import { libcName } from './libc.ts';
import { type Machine, machines } from './syscalls.ts';
import { closeFd, linkOf, openPath, textOf } from './system.ts';

/** What a process is locked with. */
export interface LockOptions {
  /** Processor time of the whole life of the process, in seconds: the kernel's backstop should the daemon die. */
  cpuSeconds: number;
  /** What the guest's memories may take together, in MiB; left out: there is no guest. */
  memoryMb?: number;
}

/** Which layers hold: `active`, or why not. */
export type Layers = Record<'seccomp' | 'no_new_privs' | 'rlimits' | 'descriptors', string>;

/** Kept so that the kernel never reads a program the collector freed. */
const kept: Uint8Array[] = [];

const limits = { cpu: 0, fsize: 1, data: 2, core: 4, nofile: 7 };
const enoughDescriptors = 32n;
/**
 * Writable memory a process may take beside its guest's, in KiB: heap, compiled code and the stacks of threads that compile. A backstop:
 * the daemon looks much closer. It is RLIMIT_DATA and not RLIMIT_AS because the runtime reserves gigabytes of addresses for each WebAssembly
 * memory without using them; without those every access would be checked in code.
 */
const besideKib = 1024 * 1024;

/**
 * Locks this process for good, before it sees one byte that a plugin's author wrote: no descriptor but its three pipes and
 * the runtime's own event loop, no new privileges, resource limits, and a system-call allow-list on all threads.
 * Never throws; what could not be done is said in the result, and the daemon decides.
 */
export function lockProcess(options: LockOptions): Layers {
  const layers: Layers = { seccomp: 'absent', no_new_privs: 'absent', rlimits: 'absent', descriptors: 'absent' };
  if (process.platform !== 'linux') {
    for (const layer of Object.keys(layers) as (keyof Layers)[]) layers[layer] = `not available on ${process.platform}`;
    return layers;
  }
  let libc: Libc;
  try {
    libc = openLibc();
  } catch (e) {
    layers.seccomp = `libc cannot be reached: ${String(e)}`;
    return layers;
  }
  layers.descriptors = closeDescriptors(libc);
  layers.rlimits = setLimits(libc, options);
  const setNoNewPrivs = 38;
  if (libc.prctl(setNoNewPrivs, 1n, 0n, 0n, 0n) !== 0) return layers;
  layers.no_new_privs = 'active';
  layers.seccomp = installFilter(libc);
  return layers;
}

type Libc = ReturnType<typeof openLibc>;

function openLibc() {
  return dlopen(libcName(), {
    prctl: { args: ['i32', 'u64', 'u64', 'u64', 'u64'], returns: 'i32' },
    setrlimit: { args: ['i32', 'ptr'], returns: 'i32' },
    syscall: { args: ['i64', 'i64', 'i64', 'i64'], returns: 'i64' },
  }).symbols;
}

/** Closes what the daemon's own parent may have left open; the event loop's anonymous descriptors stay. */
function closeDescriptors(libc: Libc): string {
  for (const fd of strangers(libc)) closeFd(fd);
  const left = strangers(libc);
  return left.length === 0 ? 'active' : `descriptors ${left.join(', ')} stay open`;
}

function strangers(libc: Libc): number[] {
  return descriptors(libc).filter((fd) => {
    const target = fd > 2 ? linkOf(`/proc/self/fd/${fd}`) : undefined;
    return target !== undefined && !target.startsWith('anon_inode:');
  });
}

/** Every open descriptor but that of the listing itself. Entries as in getdents64(2): inode, offset (8 bytes each), length (2), type (1), name. */
function descriptors(libc: Libc): number[] {
  const folder = openPath('/proc/self/fd');
  const found: number[] = [];
  const entries = new Uint8Array(4096);
  const view = new DataView(entries.buffer);
  const call = machines[process.arch as Machine]?.getdents64;
  for (let length = 1; call !== undefined && length > 0; ) {
    length = Number(libc.syscall(BigInt(call), BigInt(folder), BigInt(ptr(entries)), BigInt(entries.length)));
    for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
      const name = entries.subarray(at + 19, entries.indexOf(0, at + 19));
      const fd = Number(new TextDecoder().decode(name));
      if (Number.isInteger(fd) && fd !== folder) found.push(fd);
    }
  }
  closeFd(folder);
  return found;
}

function setLimits(libc: Libc, options: LockOptions): string {
  const cpu = BigInt(options.cpuSeconds);
  const now = Number(/^VmData:\s+(\d+) kB/m.exec(textOf('/proc/self/status'))?.[1]);
  if (!Number.isFinite(now)) return 'the system does not tell its memory';
  const data = BigInt((now + besideKib + (options.memoryMb ?? 0) * 1024) * 1024);
  const wanted: [name: string, resource: number, soft: bigint, hard: bigint][] = [
    ['core', limits.core, 0n, 0n],
    ['fsize', limits.fsize, 0n, 0n],
    ['nofile', limits.nofile, enoughDescriptors, enoughDescriptors],
    ['data', limits.data, data, data],
    ['cpu', limits.cpu, cpu, cpu + 1n],
  ];
  for (const [name, resource, soft, hard] of wanted)
    if (libc.setrlimit(resource, ptr(new BigUint64Array([soft, hard]))) !== 0) return `${name} was refused`;
  return 'active';
}

function installFilter(libc: Libc): string {
  if (!(process.arch in machines)) return `no filter for ${process.arch}`;
  const machine = process.arch as Machine;
  const program = seccompProgram(machine, process.pid);
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint16(0, program.length / 8, true);
  view.setBigUint64(8, BigInt(ptr(program)), true);
  kept.push(program, header);
  const setModeFilter = 1n;
  const allThreads = 1n;
  const answer = libc.syscall(BigInt(machines[machine].seccomp), setModeFilter, allThreads, BigInt(ptr(header)));
  return Number(answer) === 0 ? 'active' : `the kernel refused the filter (${answer})`;
}
