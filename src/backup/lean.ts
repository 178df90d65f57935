const mega = 1024 * 1024;
/** How much work is done between two times that memory is given back, in bytes. By itself the engine waits for tens of MB of garbage. */
const every = { pages: mega / 2, garbage: 2 * mega };
/** A file counts as so many bytes more: its name, handle and times are garbage, too. */
const perFile = 8192;

/** Keeps a process small that goes through a whole home, on a machine where px runs beside it. */
export interface Lean {
  /** A file was begun. */
  file(): void;
  /** So many bytes were worked on. */
  worked(bytes: number): void;
  /** Something large comes, or is over. */
  rest(): void;
}

/** Gives back garbage, and the pages of the executable that are not needed at the moment, now and then. */
export async function stayLean(): Promise<Lean> {
  const { executablePageDropper } = await import('../app/app.ts');
  // Only a saving: a system that does not know how to do this takes the backup as well.
  const dropPages = await executablePageDropper().catch(() => () => {});
  dropPages();
  let pages = 0;
  let garbage = 0;
  const worked = (bytes: number) => {
    pages += bytes;
    garbage += bytes;
    if (garbage >= every.garbage) rest();
    else if (pages >= every.pages) drop();
  };
  const drop = () => {
    pages = 0;
    dropPages();
  };
  const rest = () => {
    garbage = 0;
    Bun.gc(true);
    drop();
  };
  return { file: () => worked(perFile), worked, rest };
}
