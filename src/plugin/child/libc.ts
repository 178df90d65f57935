import { readFileSync } from 'node:fs';

/** The C library of this process, by the name `dlopen` knows it. */
export function libcName(): string {
  if (process.platform === 'darwin') return 'libSystem.B.dylib';
  // A musl build must not load glibc, which gcompat puts beside it under the usual name.
  const musl = readFileSync('/proc/self/maps', 'utf8').includes('/ld-musl-');
  return musl ? `libc.musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1` : 'libc.so.6';
}
