import { constants, lstatSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is read of a database of OpenClaw, which since 2026.9 keeps what were files before. */
export interface ForeignDatabase extends AsyncDisposable {
  /** Its jobs as they stand there, parsed; undefined for one that is no JSON. Throws when there is no such table. */
  jobs(): unknown[];
  /** The ids of its conversations. */
  sessions(): string[];
  /** A conversation as lines, which are those of the older files; undefined for a line that is too long. */
  lines(session: string): AsyncGenerator<string | undefined>;
}

/** Largest database that is copied, and longest line, in bytes. */
const most = { database: 4 * 1024 ** 3, line: 4 * 1024 * 1024 };

/**
 * Opens a copy, so that a running OpenClaw is not disturbed and nothing is written beside its file. Undefined when there is none; a link is none. Throws when it is too
 * large or no database.
 */
export async function openForeign(path: string): Promise<ForeignDatabase | undefined> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) return undefined;
  if (found.size > most.database) throw new Error('larger than 4 GB');
  const folder = await mkdtemp(join(tmpdir(), 'px-import-'));
  try {
    const copy = join(folder, 'copy.sqlite');
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
    // What was written last stands in the log beside it.
    if (lstatSync(`${path}-wal`, { throwIfNoEntry: false })?.isFile()) await copyFile(`${path}-wal`, `${copy}-wal`);
    const { Database } = await import('bun:sqlite');
    const database = new Database(copy, { readwrite: true, create: false });
    return {
      jobs: () =>
        database
          .query<{ json: unknown }, []>('SELECT job_json AS json FROM cron_jobs ORDER BY sort_order, job_id')
          .all()
          .map(({ json }) => parsed(json)),
      sessions: () =>
        database
          .query<{ id: unknown }, []>('SELECT DISTINCT session_id AS id FROM transcript_events ORDER BY session_id')
          .all()
          .flatMap(({ id }) => (typeof id === 'string' ? [id] : [])),
      async *lines(session) {
        const rows = database.query<{ [column: string]: unknown }, [string]>(
          'SELECT * FROM transcript_events WHERE session_id = ? ORDER BY seq',
        );
        for (const row of rows.iterate(session)) yield lineOf(row);
      },
      async [Symbol.asyncDispose]() {
        database.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
}

/** A row's line; later versions keep long ones as a zstd frame. */
function lineOf({ event_json: json, event_zstd: frame }: { [column: string]: unknown }): string | undefined {
  if (typeof json === 'string' && json !== '') return json.length > most.line ? undefined : json;
  if (!(frame instanceof Uint8Array) || !fits(frame)) return undefined;
  try {
    return Buffer.from(Bun.zstdDecompressSync(new Uint8Array(frame))).toString('utf8');
  } catch {
    return undefined;
  }
}

/** Whether a zstd frame says that it unpacks to no more than a line may be: a small one may unpack to the whole memory. */
function fits(frame: Uint8Array): boolean {
  const [flags = 0] = frame.subarray(4);
  const single = (flags & 0x20) !== 0;
  const width = [single ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  const from = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][flags & 3] ?? 0);
  if (width === 0 || frame.length < from + width) return false;
  let size = 0;
  for (let i = width - 1; i >= 0; i--) size = size * 256 + (frame[from + i] ?? 0);
  return size + (width === 2 ? 256 : 0) <= most.line;
}

function parsed(json: unknown): unknown {
  try {
    return typeof json === 'string' ? JSON.parse(json) : undefined;
  } catch {
    return undefined;
  }
}
