/** The two processors px is built for, with the numbers of `seccomp(2)` and `getdents64(2)`, and of the audit architecture. */
export const machines = {
  x64: { audit: 0xc000003e, seccomp: 317, getdents64: 217 },
  arm64: { audit: 0xc00000b7, seccomp: 277, getdents64: 61 },
} as const;
export type Machine = keyof typeof machines;

/**
 * Calls a locked process may make whatever their arguments: memory, threads' own waiting, time, and reading and writing
 * what it already holds. Nothing here opens, creates, connects, starts, signals or changes a limit. `[x64, arm64]`;
 * a missing number means that the machine does not have the call.
 */
export const always: Record<string, [x64: number | undefined, arm64: number | undefined]> = {
  read: [0, 63],
  write: [1, 64],
  readv: [19, 65],
  writev: [20, 66],
  close: [3, 57],
  fstat: [5, 80],
  lseek: [8, 62],
  poll: [7, undefined],
  ppoll: [271, 73],
  epoll_wait: [232, undefined],
  epoll_pwait: [281, 22],
  epoll_pwait2: [441, 441],
  epoll_ctl: [233, 21],
  mmap: [9, 222],
  mprotect: [10, 226],
  munmap: [11, 215],
  mremap: [25, 216],
  brk: [12, 214],
  mincore: [27, 232],
  futex: [202, 98],
  sched_yield: [24, 124],
  sched_getaffinity: [204, 123],
  membarrier: [324, 283],
  rseq: [334, 293],
  set_robust_list: [273, 99],
  set_tid_address: [218, 96],
  sigaltstack: [131, 132],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  nanosleep: [35, 101],
  clock_nanosleep: [230, 115],
  clock_gettime: [228, 113],
  clock_getres: [229, 114],
  gettimeofday: [96, 169],
  getrandom: [318, 278],
  getpid: [39, 172],
  gettid: [186, 178],
  getcpu: [309, 168],
  getrusage: [98, 165],
  exit: [60, 93],
  exit_group: [231, 94],
};

/** Numbers of the calls that are allowed only with certain arguments (see `filter.ts`). */
export const guarded = {
  /** New threads only, never a process. */
  clone: [56, 220],
  /** Answered with ENOSYS: its flags stand in memory a filter cannot read, and libc falls back to clone. */
  clone3: [435, 435],
  /** Signals to the process's own threads only (the garbage collector stops them this way). */
  tgkill: [234, 131],
  /** Thread names and names of memory areas. */
  prctl: [157, 167],
  /** Reading its own limits. */
  prlimit64: [302, 261],
  /** Reading flags, and switching its pipes between blocking and not. */
  fcntl: [72, 25],
  /** Advice below MADV_HWPOISON, which as root damages the machine's memory. */
  madvise: [28, 233],
} as const satisfies Record<string, readonly [x64: number, arm64: number]>;
