import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { libcName } from '../plugin/plugin.ts';

/** `MADV_DONTNEED`. */
const DONT_NEED = 4;

/** Part of a process's memory: its address, its length and what is resident of it, in bytes. */
export interface Range {
  from: bigint;
  length: bigint;
  rss: number;
}

/**
 * Lets go of pages of the executable that are as they are in its file: clean file pages, which the system has cached anyway. Returns how many
 * bytes were resident in them; 0 where the system is not Linux.
 */
export async function dropExecutablePages(): Promise<number> {
  const mappings = executableMappings();
  const ranges = [...cleanRanges(mappings), ...ownModules(mappings)];
  if (ranges.length === 0) return 0;
  const libc = await openLibc();
  let dropped = 0;
  for (const range of ranges) if (libc.symbols.madvise(range.from, range.length, DONT_NEED) === 0) dropped += range.rss;
  libc.close();
  return dropped;
}

/** What does so with the pages that can never be written, again and again, at the cost of a few system calls, as long as this process lives. */
export async function executablePageDropper(): Promise<() => void> {
  const ranges = cleanRanges(executableMappings());
  if (ranges.length === 0) return () => {};
  const { symbols } = await openLibc();
  return () => {
    for (const { from, length } of ranges) symbols.madvise(from, length, DONT_NEED);
  };
}

const executableMappings = (): Mapping[] =>
  process.platform === 'linux' ? readMappings(readFileSync('/proc/self/smaps', 'utf8'), process.execPath) : [];

/** A mapping of one file, as `smaps` tells it. */
export interface Mapping extends Range {
  rights: string;
  /** Where in the file it begins, in bytes. */
  offset: number;
  /** It has pages of its own, which are not in the file: relocated, written, or swapped out. */
  own: boolean;
  /** How large its pages are, in bytes. */
  page: number;
}

/** The mappings of one file in a `smaps` text. Made without much garbage, which would bring a collection and its pages back. */
export function readMappings(smaps: string, file: string): Mapping[] {
  const found: Mapping[] = [];
  for (const one of smaps.split(/^(?=[0-9a-f]+-)/m)) {
    const [, start = '0', end = '0', rights = '', offset = '0', path] =
      /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \S+\s*(.*)$/m.exec(one) ?? [];
    if (path !== file) continue;
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(one)?.[1] ?? 0) * 1024;
    const from = BigInt(`0x${start}`);
    found.push({
      ...{ from, length: BigInt(`0x${end}`) - from, rss: bytes('Rss'), rights, offset: Number.parseInt(offset, 16) },
      ...{ own: bytes('Anonymous') + bytes('Swap') > 0, page: bytes('KernelPageSize') || 4096 },
    });
  }
  return found;
}

/**
 * The mappings that may be dropped without loss: never writable, and with no page of its own (relocated data is read-only by now, and lost for
 * ever when dropped). `Private_Dirty` says nothing here: it counts pages of a file that was only just written to disk, too.
 */
export function cleanRanges(mappings: Mapping[]): Range[] {
  return mappings
    .filter(({ rights, own, rss }) => (rights === 'r-xp' || rights === 'r--p') && !own && rss > 0)
    .map(({ from, length, rss }) => ({ from, length, rss }));
}

function ownModules(mappings: Mapping[]): Range[] {
  try {
    const section = findSection(readerOf('/proc/self/exe'), '.bun');
    return section ? unwrittenModules(mappings, section, readerOf('/proc/self/pagemap')) : [];
  } catch {
    // A system that does not tell which pages were written: they stay.
    return [];
  }
}

/**
 * The program that is packed into the executable (its section `.bun`), in whole pages. It lies in a mapping that may be written, but nobody does:
 * nothing where one of its pages ever was.
 */
export function unwrittenModules(mappings: Mapping[], section: Section, pagemap: ReadAt): Range[] {
  const end = section.offset + section.size;
  const inside = mappings.find((one) => one.offset <= section.offset && one.offset + Number(one.length) >= end);
  if (!inside) return [];
  const { from, offset, page } = inside;
  const skipped = Math.ceil((section.offset - offset) / page);
  const count = Math.floor((end - offset) / page) - skipped;
  if (count <= 0) return [];
  const first = Number(from) / page + skipped;
  const states = pagemap(first * 8, count * 8);
  if (states.length < count * 8) return [];
  let resident = 0;
  for (let at = 7; at < states.length; at += 8) {
    const bits = states[at] ?? 0;
    const [here, swapped, asInFile] = [bits & 0x80, bits & 0x40, bits & 0x20];
    if (swapped || (here && !asInFile)) return [];
    if (here) resident += 1;
  }
  if (resident === 0) return [];
  return [{ from: BigInt(first * page), length: BigInt(count * page), rss: resident * page }];
}

/** Part of a file, in bytes. */
interface Section {
  offset: number;
  size: number;
}

/** Reads so many bytes of a file from there on; fewer at its end. */
type ReadAt = (from: number, length: number) => Buffer;

/** A section of a 64-bit ELF file by its name. */
export function findSection(read: ReadAt, name: string): Section | undefined {
  const head = read(0, 64);
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2) return undefined;
  const [width, count, names] = [head.readUInt16LE(58), head.readUInt16LE(60), head.readUInt16LE(62)];
  const table = read(Number(head.readBigUInt64LE(40)), width * count);
  const at = (n: number): Section => ({
    offset: Number(table.readBigUInt64LE(n * width + 24)),
    size: Number(table.readBigUInt64LE(n * width + 32)),
  });
  const { offset, size } = at(names);
  const words = read(offset, size).toString('latin1');
  for (let n = 0; n < count; n++) if (words.startsWith(`${name}\0`, table.readUInt32LE(n * width))) return at(n);
  return undefined;
}

/** Reads a file piece by piece; opened for each, as is right for files of `/proc`. */
export function readerOf(path: string): ReadAt {
  return (from, length) => {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, from));
    } finally {
      closeSync(file);
    }
  };
}

async function openLibc() {
  const { dlopen } = await import('bun:ffi');
  return dlopen(libcName(), { madvise: { args: ['u64', 'u64', 'i32'], returns: 'i32' } } as const);
}
