import { libcName } from '../plugin/plugin.ts';

/** The kind of machine this px is built for, as releases are named: `linux-x64`, `linux-arm64-musl`, `darwin-arm64`. */
export const releaseTarget = (): string =>
  `${process.platform}-${process.arch}${libcName().includes('musl') ? '-musl' : ''}`;

/** Enough of a file to see what it is, in bytes. */
export const headBytes = 4096;

/** What kind of machine an executable is for, by its first bytes; undefined when it is none that px is built for. */
export function targetOf(head: Uint8Array): string | undefined {
  if (head.length < 64) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const machOArm64 = view.getUint32(0, true) === 0xfeedfacf && view.getUint32(4, true) === 0x0100000c;
  if (machOArm64) return 'darwin-arm64';
  const elf64 = view.getUint32(0, false) === 0x7f454c46 && head[4] === 2 && head[5] === 1;
  const arch = { 62: 'x64', 183: 'arm64' }[view.getUint16(18, true)];
  if (!elf64 || arch === undefined) return undefined;
  // The loader it asks for stands in its first page.
  return `linux-${arch}${Buffer.from(head).includes('/ld-musl-') ? '-musl' : ''}`;
}
