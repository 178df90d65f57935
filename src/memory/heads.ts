import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
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
/** How long an end waits to be written, in ms: several follow each other, and none may hold a conversation up. */
const writeAfterMs = 50;

/**
 * Where each conversation's journal last ended, kept apart from it (`state/heads/<folder>`), so that entries cut off from its end, or a journal written
 * anew with hashes that fit, are noticed. A line is `<number> <hash>`, the last one the latest; earlier ones are ends that were not there when px went on.
 */
export class Heads {
  readonly #folder: string;
  /** Ends that are not written yet, by conversation. */
  readonly #waiting = new Map<string, Head[]>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The ends remembered of a conversation's folder, oldest first. */
  read(name: string): Head[] {
    let text: string;
    try {
      text = readFileSync(join(this.#folder, name), 'utf8');
    } catch {
      return [];
    }
    return text.split('\n').flatMap((line) => {
      const [, seq, hash = ''] = /^(\d{1,15}) ([0-9a-f]{32})$/.exec(line) ?? [];
      return seq === undefined ? [] : [{ seq: Number(seq), hash }];
    });
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
   * A journal that ended at `before` now ends at `after`. Called once the entries are on disk, written a moment later and not synced: it may lag behind the journal,
   * never be ahead of it. A head that cannot be written costs the audit something, not the conversation.
   */
  moved(name: string, before: Head, after: Head): void {
    const known = this.#waiting.get(name) ?? this.read(name);
    const last = known.at(-1);
    const kept = last && last.seq === before.seq && last.hash === before.hash ? known.slice(0, -1) : known;
    this.#waiting.set(name, [...kept, after].slice(-most));
    this.#timer ??= setTimeout(() => void this.flush(), writeAfterMs);
    this.#timer.unref();
  }

  /** Writes what waits; resolves when it is written. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const ends = [...this.#waiting];
    for (const [name, heads] of ends) {
      const path = join(this.#folder, name);
      const text = heads.map((head) => `${head.seq} ${head.hash}\n`).join('');
      try {
        await mkdir(this.#folder, { recursive: true, mode: 0o700 });
        await writeFile(`${path}.tmp`, text, { mode: 0o600 });
        await rename(`${path}.tmp`, path);
      } catch {
        // The next append writes it.
      }
      // Unless it has moved on meanwhile, the file is as good as what was kept here.
      if (this.#waiting.get(name) === heads) this.#waiting.delete(name);
    }
  }
}
