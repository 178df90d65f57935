import { statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PxError } from '../error/error.ts';
import type { ConversationId } from '../wire/wire.ts';
import { appendFile, Lanes, makeFolder, replaceFile } from './durable.ts';
import type { Heads } from './heads.ts';
import { daysIn, headerOf, readEnd, readTail, renderAppend, renderRecovery } from './journal-file.ts';
import { conversationOf, dayOf, folderOf } from './journal-folder.ts';
import { keepMedia, loadMedia } from './journal-media.ts';
import { parseHeader, parseJournal, timeOf } from './journal-parse.ts';
import type { Journal, JournalEntry } from './memory.ts';

/** Where a conversation's next entry goes, and what it chains to. */
interface End {
  day: string;
  /** Size of the day's file, in bytes; another size means somebody else wrote and the end is read again. */
  size: number;
  hash: string;
  seq: number;
  /** True when the file's last line has no line break. */
  unfinishedLine: boolean;
}

/** How many conversations' ends are remembered. */
const remembered = 64;

/** The journal below `<memory>/journal`. `wrote` is told each file an append changed, so that it is indexed at once; `heads` remembers where it ends. */
export function openJournal(
  memory: string,
  wrote: (path: string) => void = () => {},
  heads?: Heads,
): Journal & { idle(): Promise<void> } {
  const root = join(memory, 'journal');
  const lanes = new Lanes();
  const ends = new Map<ConversationId, End>();

  const append = async (conversation: ConversationId, given: JournalEntry[]) => {
    if (given.length === 0) return;
    const folder = checkedFolder(root, conversation);
    const entries = given.map((entry) => (entry.at === 0 ? { ...entry, at: Date.now() } : entry));
    const end = await endOf(conversation, folder);
    ends.delete(conversation);
    const day = [end?.day ?? '', dayOf(entries[0]?.at ?? 0)].sort()[1] ?? '';
    const fresh = end === undefined || end.day !== day || end.size === 0;
    if (end === undefined) await makeFolder(folder);
    const lead = fresh ? headerOf(conversation, day, end?.hash ?? '') : '\n';
    const next = renderAppend(entries, { hash: end?.hash ?? '', seq: end?.seq ?? 0, lead }, (part) =>
      keepMedia(folder, part),
    );
    const path = join(folder, `${day}.md`);
    const bytes = Buffer.from((fresh ? lead : end.unfinishedLine ? '\n' : '') + next.text);
    await appendFile(path, bytes);
    const size = (fresh ? 0 : end.size) + bytes.length;
    heads?.moved(basename(folder), { seq: end?.seq ?? 0, hash: end?.hash ?? '' }, next);
    ends.set(conversation, { day, size, hash: next.hash, seq: next.seq, unfinishedLine: false });
    for (const oldest of ends.keys()) {
      if (ends.size <= remembered) break;
      ends.delete(oldest);
    }
    wrote(path);
  };

  /** The end of a conversation's latest file, repaired when a write was cut off there; undefined when it has no file. */
  const endOf = async (conversation: ConversationId, folder: string): Promise<End | undefined> => {
    const known = ends.get(conversation);
    if (known) {
      const found = statSync(join(folder, `${known.day}.md`), { throwIfNoEntry: false });
      if (found?.size === known.size) return known;
    }
    const days = await daysIn(folder);
    const latest = days.at(-1);
    if (latest === undefined) return undefined;
    const day = latest.slice(0, -3);
    const path = join(folder, latest);
    const tail = await readTail(path);
    const head = parseHeader((await readFirst(path)) ?? Buffer.alloc(0));
    if (head && head.conversation !== conversation) {
      throw new PxError('conflict', `The journal folder of ${conversation} belongs to ${head.conversation}.`, {
        hint: 'The file system may not tell upper from lower case: move one of the two folders away.',
      });
    }
    let before = { hash: tail.last?.hash ?? '', seq: tail.committed?.seq ?? 0 };
    if (tail.committed === undefined) {
      const previous = await lastBefore(folder, days.slice(0, -1));
      before = { hash: tail.last?.hash ?? head?.previous ?? previous.hash, seq: previous.seq };
    }
    if (!tail.torn) return { day, size: tail.size, ...before, unfinishedLine: tail.unfinishedLine };
    const bytes = await readFile(path);
    const torn = bytes.subarray(tail.last?.end ?? 0);
    const broken = tail.last === undefined && head === undefined;
    const all = broken ? Buffer.concat([Buffer.from(`${headerOf(conversation, day, before.hash)}\n`), torn]) : torn;
    const repair = renderRecovery(all, before, Date.now());
    if (broken) await replaceFile(path, Buffer.concat([all, Buffer.from(repair.text)]));
    else await appendFile(path, Buffer.from(repair.text));
    const size = (broken ? all.length : bytes.length) + Buffer.byteLength(repair.text);
    return { day, size, hash: repair.hash, seq: before.seq + 1, unfinishedLine: false };
  };

  return {
    append: (conversation, entries) => lanes.run(conversation, () => append(conversation, entries)),
    read: (conversation, limit) => readBack(checkedFolder(root, conversation), limit),
    conversations: () => listConversations(root),
    idle: () => lanes.idle(),
  };
}

async function readBack(folder: string, limit: number): Promise<JournalEntry[]> {
  let found: JournalEntry[] = [];
  for (const day of (await daysIn(folder)).reverse()) {
    const missing = limit - found.length;
    if (missing <= 0) break;
    for (let wanted = 262_144; ; wanted *= 4) {
      const { bytes, partial } = await readEnd(join(folder, day), wanted);
      const entries = parseJournal(bytes, (name) => loadMedia(folder, name), partial);
      if (partial && entries.length < missing) continue;
      found = [...entries.slice(-missing).map((placed) => placed.entry), ...found];
      break;
    }
  }
  return found;
}

async function listConversations(root: string): ReturnType<Journal['conversations']> {
  const found: Awaited<ReturnType<Journal['conversations']>> = [];
  for (const name of await readdir(root).catch(() => [])) {
    const folder = join(root, name);
    const latest = (await daysIn(folder)).at(-1);
    if (latest === undefined) continue;
    const path = join(folder, latest);
    const { committed } = await readTail(path);
    const id = parseHeader((await readFirst(path)) ?? Buffer.alloc(0))?.conversation ?? conversationOf(name);
    const slash = id?.indexOf('/') ?? -1;
    if (id === undefined || slash < 0) continue;
    const conversation: ConversationId = `${id.slice(0, slash)}/${id.slice(slash + 1)}`;
    if (committed) found.push({ conversation, lastAt: timeOf(committed), entries: committed.seq });
  }
  return found.sort((a, b) => b.lastAt - a.lastAt);
}

/** Hash and number of the last entry in the files before the latest one. */
async function lastBefore(folder: string, days: string[]): Promise<{ hash: string; seq: number }> {
  for (const day of days.reverse()) {
    const { last, committed } = await readTail(join(folder, day));
    if (committed) return { hash: last?.hash ?? '', seq: committed.seq };
  }
  return { hash: '', seq: 0 };
}

const readFirst = async (path: string): Promise<Buffer | undefined> => {
  const head = Bun.file(path).slice(0, 8192);
  return Buffer.from(await head.arrayBuffer());
};

function checkedFolder(root: string, conversation: ConversationId): string {
  if (!conversation.includes('/')) {
    throw new PxError('usage', `“${conversation}” is not a conversation.`, { hint: 'Write it as channel/chat.' });
  }
  return join(root, folderOf(conversation));
}
