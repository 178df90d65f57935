/** Set by the build: whether this px is made for musl. Run from source it is not known. */
declare const PX_MUSL: boolean | undefined;

/** The C library of this process, by the name `dlopen` knows it. */
export function libcName(): string {
  if (process.platform === 'darwin') return 'libSystem.B.dylib';
  // A musl build must not load glibc, which gcompat puts beside it under the usual name.
  const musl = typeof PX_MUSL === 'boolean' ? PX_MUSL : mapsMusl();
  return musl ? `libc.musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1` : 'libc.so.6';
}

function mapsMusl(): boolean {
  return process.getBuiltinModule('node:fs').readFileSync('/proc/self/maps', 'utf8').includes('/ld-musl-');
}
