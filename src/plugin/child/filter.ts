import { always, guarded, type Machine, machines } from './syscalls.ts';

/** One instruction of classic BPF: code, jump if true, jump if false, operand. */
type Instruction = [code: number, jt: number, jf: number, k: number];

const load = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const jumpIfAnyBit = 0x45;
const ret = 0x06;
const allow = 0x7fff0000;
const killProcess = 0x80000000;
const errno = (n: number) => 0x00050000 | n;
const EPERM = 1;
const ENOSYS = 38;

/** Offset of the low (or high) half of an argument in `struct seccomp_data`, little endian. */
const argument = (index: number, half: 'low' | 'high' = 'low') => 16 + index * 8 + (half === 'high' ? 4 : 0);

/** A test on one argument: passes when the low half equals one of the values. */
const oneOf = (index: number, values: number[]): Instruction[] => [
  [load, 0, 0, argument(index)],
  ...values.map((v, i): Instruction => [jumpIfEqual, values.length - i, 0, v]),
  [ret, 0, 0, errno(EPERM)],
  [ret, 0, 0, allow],
];

/**
 * The allow-list of a locked process as a program for `seccomp(SECCOMP_SET_MODE_FILTER)`. What is not on it fails with EPERM;
 * a call in another architecture's convention (32-bit, x32) ends the process.
 */
export function seccompProgram(machine: Machine, pid: number): Uint8Array {
  const column = machine === 'x64' ? 0 : 1;
  const program: Instruction[] = [
    [load, 0, 0, 4],
    [jumpIfEqual, 1, 0, machines[machine].audit],
    [ret, 0, 0, killProcess],
    [load, 0, 0, 0],
  ];
  const guard = (number: number, body: Instruction[]) => {
    program.push([jumpIfEqual, 0, body.length, number], ...body);
  };
  const threadFlag = 0x10000;
  guard(guarded.clone[column], [
    [load, 0, 0, argument(0)],
    [jumpIfAnyBit, 1, 0, threadFlag],
    [ret, 0, 0, errno(EPERM)],
    [ret, 0, 0, allow],
  ]);
  guard(guarded.clone3[column], [[ret, 0, 0, errno(ENOSYS)]]);
  guard(guarded.tgkill[column], oneOf(0, [pid]));
  const setName = 15;
  const setVma = 0x53564d41;
  guard(guarded.prctl[column], oneOf(0, [setName, setVma]));
  // prlimit64(0, resource, NULL, old): reading only.
  guard(guarded.prlimit64[column], [
    [load, 0, 0, argument(2)],
    [jumpIfEqual, 0, 4, 0],
    [load, 0, 0, argument(2, 'high')],
    [jumpIfEqual, 0, 2, 0],
    [load, 0, 0, argument(0)],
    [jumpIfEqual, 1, 0, 0],
    [ret, 0, 0, errno(EPERM)],
    [ret, 0, 0, allow],
  ]);
  const getDescriptorFlags = 1;
  const getFlags = 3;
  const setFlags = 4;
  guard(guarded.fcntl[column], oneOf(1, [getDescriptorFlags, getFlags, setFlags]));
  const hwPoison = 100;
  guard(guarded.madvise[column], [
    [load, 0, 0, argument(2)],
    [jumpIfAtLeast, 0, 1, hwPoison],
    [ret, 0, 0, errno(EPERM)],
    [ret, 0, 0, allow],
  ]);
  for (const numbers of Object.values(always)) {
    const number = numbers[column];
    if (number !== undefined) program.push([jumpIfEqual, 0, 1, number], [ret, 0, 0, allow]);
  }
  program.push([ret, 0, 0, errno(EPERM)]);

  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, [code, jt, jf, k]] of program.entries()) {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k >>> 0, true);
  }
  return bytes;
}
