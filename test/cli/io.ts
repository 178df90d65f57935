import type { Io } from '../../src/cli/io.ts';

/** An Io that shows nothing, but for what a test gives. */
export function silentIo(own: Partial<Io> = {}): Io {
  const nothing = () => {};
  const same = (text: string) => text;
  return {
    tty: false,
    watched: false,
    columns: 80,
    line: nothing,
    stream: nothing,
    data: nothing,
    note: nothing,
    progress: nothing,
    dim: same,
    bold: same,
    flush: async () => {},
    ...own,
  };
}
