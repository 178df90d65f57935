import { open, readdir } from 'node:fs/promises';
import type { ConversationId } from '../wire/wire.ts';
import { isDayFile } from './journal-folder.ts';
import { type KeepMedia, writeEntry } from './journal-format.ts';
import { type Closer, closers } from './journal-parse.ts';
import { commentJson, oneLine } from './journal-text.ts';
import type { JournalEntry } from './memory.ts';

/** How a day's file ends: all that an append must know. */
export interface Tail {
  /** File size in bytes. */
  size: number;
  /** The last closing line of all, and the last that completes an append. */
  last: Closer | undefined;
  committed: Closer | undefined;
  /** True when bytes stand after the last completed append: a write was cut off. */
  torn: boolean;
  /** True when the file does not end in a line break. */
  unfinishedLine: boolean;
}

/** How many bytes are read from the end at first; doubled until enough is seen. */
const glance = 16_384;

/** The days of a conversation that have a file, oldest first. */
export async function daysIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter(isDayFile).sort();
}

/** Bytes from the end of a file: at least `wanted` when it has them. `partial` when the beginning was left out. */
export async function readEnd(
  path: string,
  wanted: number,
): Promise<{ bytes: Buffer; partial: boolean; size: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - wanted);
    const bytes = Buffer.alloc(size - start);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return { bytes: bytes.subarray(0, done), partial: start > 0, size };
  } finally {
    await file.close();
  }
}

/** Reads the end of a day's file as far back as needed to know how it ends. */
export async function readTail(path: string): Promise<Tail> {
  for (let wanted = glance; ; wanted *= 4) {
    const { bytes, partial, size } = await readEnd(path, wanted);
    let last: Closer | undefined;
    let committed: Closer | undefined;
    for (const closer of closers(bytes)) {
      last = closer;
      if (!closer.more) committed = closer;
    }
    if (committed === undefined && partial) continue;
    const rest = bytes.subarray(committed?.end ?? 0);
    const torn = committed === undefined ? size > 0 : !/^\r?\n?$/.test(rest.toString('latin1', 0, 3));
    return { size, last, committed, torn, unfinishedLine: bytes.at(-1) !== 10 };
  }
}

/** How long a journal that ends in the middle of an append is given to complete it, in ms. */
const settleMs = 100;

/** How many bytes of a day's file are complete: all of it, unless an append is under way right now; one that was cut off long ago counts as it is. */
export async function settledLength(path: string): Promise<number> {
  const before = await readTail(path);
  if (!before.torn) return before.size;
  await Bun.sleep(settleMs);
  const now = await readTail(path);
  return !now.torn || now.size === before.size ? now.size : (now.committed?.end ?? 0);
}

/** The header of a new day's file. `previous` is the hash of the conversation's last entry, empty for its first file. */
export function headerOf(conversation: ConversationId, day: string, previous: string): string {
  const chain = previous === '' ? '' : `previous: ${previous}\n`;
  return `---\nconversation: ${commentJson(conversation)}\ndate: ${day}\n${chain}---\n\n# ${oneLine(conversation)} · ${day}\n`;
}

/** The Markdown of one append. `lead` is what stands between the last closing line and it (a header, or the line break). */
export function renderAppend(
  entries: JournalEntry[],
  from: { hash: string; seq: number; lead: string },
  keep: KeepMedia,
): { text: string; hash: string; seq: number } {
  let { hash, seq, lead } = from;
  let text = '';
  entries.forEach((entry, index) => {
    const { body, json } = writeEntry(entry, keep);
    const more = index < entries.length - 1 ? '+' : '';
    const segment = `${lead}\n${body}\n\n<!-- px${more} ${entry.kind} #${++seq} ${json} `;
    hash = chain(hash, segment);
    text += `${index === 0 ? segment.slice(lead.length) : segment.slice(1)}${hash} -->\n`;
    lead = '\n';
  });
  return { text, hash, seq };
}

/** The closing line that turns a torn end into a visible note, and its hash. `torn` is everything after the last closing line. */
export function renderRecovery(
  torn: Buffer,
  from: { hash: string; seq: number },
  at: number,
): { text: string; hash: string } {
  const head = `${torn.at(-1) === 10 ? '' : '\n'}\n<!-- px recovered #${from.seq + 1} ${commentJson({ at })} `;
  const hash = chain(from.hash, Buffer.concat([torn, Buffer.from(head)]));
  return { text: `${head}${hash} -->\n`, hash };
}

/** The hash of an entry: SHA-256 over the hash before it and the entry's bytes up to the hash, the first 32 hex digits. */
export function chain(previous: string, segment: string | Uint8Array): string {
  return new Bun.CryptoHasher('sha256').update(previous).update(segment).digest('hex').slice(0, 32);
}
