import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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
   * A journal that ended at `before` now ends at `after`. Called once the entries are on disk, and not synced itself: it may lag behind the journal, never be ahead of
   * it. A head that cannot be written costs the audit something, not the conversation.
   */
  moved(name: string, before: Head, after: Head): void {
    const known = this.read(name);
    const last = known.at(-1);
    const kept = last && last.seq === before.seq && last.hash === before.hash ? known.slice(0, -1) : known;
    const text = [...kept, after].slice(-most).map((head) => `${head.seq} ${head.hash}\n`);
    const path = join(this.#folder, name);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.tmp`, text.join(''), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
    } catch {
      // The next append writes it.
    }
  }
}
