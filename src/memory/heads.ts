import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Where a journal ended: number and hash of its last entry. */
export interface Head {
  seq: number;
  hash: string;
}

/** Where a home keeps them. */
export const headsPath = (state: string): string => join(state, 'heads');

/** Most ends remembered of one conversation. */
const most = 50;

/**
 * Where each conversation's journal last ended, kept apart from it (`state/heads/<folder>`), so that entries cut off from its end, or a journal written
 * anew with hashes that fit, are noticed. A line is `<number> <hash>`, the last one the latest; earlier ones are ends that were not there when px went on.
 */
export class Heads {
  readonly #folder: string;
  /** The folder was made. */
  #made = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The ends remembered of a conversation's folder, oldest first. */
  read(name: string): Head[] {
    return parse(this.#text(name));
  }

  /** Conversations' folders that have one. */
  names(): string[] {
    try {
      return readdirSync(this.#folder)
        .filter((name) => !name.endsWith('.tmp'))
        .sort();
    } catch {
      return [];
    }
  }

  /**
   * A journal that ended at `before` now ends at `after`. Called once the entries are on disk, and not synced: it may lag behind the journal, by one append when
   * px is killed just then, never be ahead of it. A head that cannot be written costs the audit something, not the conversation.
   */
  moved(name: string, before: Head, after: Head): void {
    const text = this.#text(name);
    const known = parse(text);
    const last = known.at(-1);
    const kept = last && last.seq === before.seq && last.hash === before.hash ? known.slice(0, -1) : known;
    const lines = [...kept, after].slice(-most).map((head) => `${head.seq} ${head.hash}\n`);
    try {
      if (!this.#made) mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#made = true;
      writeOver(join(this.#folder, name), lines.join('').padEnd(text.length, '\n'));
    } catch {
      // The next append writes it.
      this.#made = false;
    }
  }

  #text(name: string): string {
    try {
      return readFileSync(join(this.#folder, name), 'utf8');
    } catch {
      return '';
    }
  }
}

function parse(text: string): Head[] {
  return text.split('\n').flatMap((line) => {
    const [, seq, hash = ''] = /^(\d{1,15}) ([0-9a-f]{32})$/.exec(line) ?? [];
    return seq === undefined ? [] : [{ seq: Number(seq), hash }];
  });
}

/**
 * Writes over all that a file has, in one call: what is read is the old text or the new one. To put another file in its place would have the file system
 * bring it to the disk first.
 */
function writeOver(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    writeSync(file, text, 0);
  } finally {
    closeSync(file);
  }
}
