import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { appendFile, makeFolder, replaceFile } from './durable.ts';
import { dayOf } from './journal-folder.ts';
import { commentJson, oneLine } from './journal-text.ts';

/** How much of the past is kept: the oldest changes are dropped, a fifth at a time, when one is passed. */
export interface HistoryLimits {
  changes: number;
  /** Compressed, in bytes. */
  bytes: number;
}

const hash = v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)));
const record = v.object({
  /** Counts up and is never used again. */
  n: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Milliseconds since the epoch. */
  at: v.number(),
  path: v.string(),
  kind: v.picklist(['append', 'replace', 'undo']),
  /** SHA-256 of the note before and after; null when there was no such note. */
  before: hash,
  after: hash,
  /** Lines that came and went. */
  added: v.number(),
  removed: v.number(),
  /** The turn that did it; left out when a person did, through the portal or the API. */
  by: v.exactOptional(v.object({ conversation: v.string(), turn: v.string() })),
  /** The change an undo took back. */
  undoes: v.exactOptional(v.number()),
});

/** One change as it stands in the list. */
export type ChangeRecord = v.InferOutput<typeof record>;

const head = `# Changes px made to notes

One line a change, latest last. \`px memory log\`, \`diff\` and \`undo\` work with it; what a note was before and after is in \`blobs/\`, named by SHA-256 (\`zcat\` shows it).

`;

/** The list of changes and the contents they speak of, below `memory/.history/`: Markdown and gzip, no database. */
export class HistoryFile {
  readonly #folder: string;
  readonly #list: string;
  readonly #limits: HistoryLimits;
  /** Number of the last change, how many are listed, and bytes of all blobs; undefined until first needed. */
  #state: { last: number; count: number; bytes: number } | undefined;

  constructor(folder: string, limits: HistoryLimits) {
    this.#folder = folder;
    this.#list = join(folder, 'changes.md');
    this.#limits = limits;
  }

  /** Every change that is kept, or those of one note, oldest first. A line that is not whole or was edited is left out. */
  async changes(path?: string): Promise<ChangeRecord[]> {
    const text = await readFile(this.#list, 'utf8').catch(() => '');
    const named = path === undefined ? '' : `"path":${commentJson(path)}`;
    return text.split('\n').flatMap((line) => {
      if (!line.includes(named)) return [];
      const data = /^- .* <!-- (\{.*\}) -->$/.exec(line)?.[1];
      const parsed = v.safeParse(record, data === undefined ? undefined : parseJson(data));
      return parsed.success ? [parsed.output] : [];
    });
  }

  /** Adds a change, durably, with the contents; returns it and a way to take the line back when the change could not be made. */
  async add(
    change: Omit<ChangeRecord, 'n' | 'before' | 'after'>,
    contents: { before: Uint8Array | undefined; after: Uint8Array | undefined },
  ): Promise<{ change: ChangeRecord; takeBack: () => Promise<void> }> {
    await makeFolder(this.#folder);
    const state = await this.#load();
    const before = await this.#keep(contents.before);
    const after = await this.#keep(contents.after);
    const whole: ChangeRecord = { n: state.last + 1, ...change, before, after };
    const size = statSync(this.#list, { throwIfNoEntry: false })?.size ?? 0;
    const cut = size > 0 && (await endsInLine(this.#list, size)) ? '' : '\n';
    await appendFile(this.#list, Buffer.from(`${size === 0 ? head : cut}${lineOf(whole)}`));
    state.last++;
    state.count++;
    return { change: whole, takeBack: () => truncate(this.#list, size) };
  }

  /** A content by its hash; undefined when it is no longer kept or is not what its name says. */
  async content(name: string | null): Promise<Buffer | undefined> {
    if (name === null) return Buffer.alloc(0);
    try {
      const bytes = Buffer.from(Bun.gunzipSync(await readFile(this.#blob(name))));
      return sha256(bytes) === name ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** Drops the oldest changes when there are too many, and contents nothing speaks of any more. */
  async prune(): Promise<void> {
    const state = await this.#load();
    if (state.count <= this.#limits.changes && state.bytes <= this.#limits.bytes) return;
    let kept = (await this.changes()).slice(-Math.floor(this.#limits.changes * 0.8));
    const size = (name: string | null) =>
      name === null ? 0 : (statSync(this.#blob(name), { throwIfNoEntry: false })?.size ?? 0);
    const used = new Set<string>();
    let bytes = 0;
    for (let at = kept.length - 1; at >= 0; at--) {
      for (const name of [kept[at]?.before ?? null, kept[at]?.after ?? null])
        if (name !== null && !used.has(name)) bytes += size(name);
      if (bytes > this.#limits.bytes * 0.8 && at < kept.length - 1) {
        kept = kept.slice(at + 1);
        break;
      }
      for (const name of [kept[at]?.before, kept[at]?.after]) if (name) used.add(name);
    }
    await replaceFile(this.#list, `${head}${kept.map(lineOf).join('')}`);
    for (const { folder, name } of this.#blobs())
      if (!used.has(name.replace(/\.gz$/, ''))) rmSync(join(folder, name), { force: true });
    this.#state = { last: state.last, count: kept.length, bytes: this.#bytes() };
  }

  async #load() {
    if (!this.#state) {
      const changes = await this.changes();
      this.#state = { last: changes.at(-1)?.n ?? 0, count: changes.length, bytes: this.#bytes() };
    }
    return this.#state;
  }

  async #keep(content: Uint8Array | undefined): Promise<string | null> {
    if (content === undefined) return null;
    const name = sha256(content);
    const path = this.#blob(name);
    if (existsSync(path)) return name;
    await makeFolder(join(path, '..'));
    const packed = Bun.gzipSync(new Uint8Array(content));
    await replaceFile(path, packed);
    if (this.#state) this.#state.bytes += packed.length;
    return name;
  }

  #blob(name: string): string {
    return join(this.#folder, 'blobs', name.slice(0, 2), `${name}.gz`);
  }

  *#blobs() {
    const root = join(this.#folder, 'blobs');
    for (const two of existsSync(root) ? readdirSync(root) : [])
      for (const name of readdirSync(join(root, two))) yield { folder: join(root, two), name };
  }

  #bytes(): number {
    let bytes = 0;
    for (const { folder, name } of this.#blobs()) bytes += statSync(join(folder, name)).size;
    return bytes;
  }
}

/** SHA-256 as hex. */
export const sha256 = (bytes: Uint8Array): string => new Bun.CryptoHasher('sha256').update(bytes).digest('hex');

/** `- #3 2025-11-22 14:03 append MEMORY.md +2 −0, telegram/4711 <!-- {…} -->` */
function lineOf(change: ChangeRecord): string {
  const { n, at, kind, path, added, removed, by, undoes } = change;
  const time = new Date(at).toTimeString().slice(0, 5);
  const what = undoes === undefined ? kind : `undo of #${undoes}`;
  const who = by ? oneLine(by.conversation) : 'a person';
  return `- #${n} ${dayOf(at)} ${time} ${what} \`${oneLine(path, 200)}\` +${added} −${removed}, ${who} <!-- ${commentJson(change)} -->\n`;
}

async function endsInLine(path: string, size: number): Promise<boolean> {
  return (
    (await Bun.file(path)
      .slice(size - 1)
      .text()) === '\n'
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
