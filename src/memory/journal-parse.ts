import * as v from 'valibot';
import type { Attachment, Json, JsonObject, ToolResultPart } from '../wire/wire.ts';
import { callArguments, entryData } from './journal-entry.ts';
import { decodeText, type TextMarks } from './journal-text.ts';
import type { JournalEntry } from './memory.ts';

/** Reads a picture or document kept beside the journal, as base64; undefined when it is gone. */
export type LoadMedia = (file: string) => string | undefined;

/** One closing line, found in the bytes of a journal. Offsets count from the start of those bytes. */
export interface Closer {
  /** More entries of the same append follow: this one counts only when the last one is there. */
  more: boolean;
  kind: string;
  /** Number of the entry in its conversation, from 1. */
  seq: number;
  json: string;
  hash: string;
  /** Where the entry starts: right after the closing line before it. */
  start: number;
  /** Where the closing line starts, where its hash starts, and where it ends (before its line break). */
  line: number;
  hashAt: number;
  end: number;
}

/** An entry with its place. */
export interface Placed {
  entry: JournalEntry;
  closer: Closer;
}

const closerLine = /^<!-- px(\+?) ([a-z-]+) #(\d{1,15}) (\{.*\}) ([0-9a-f]{32}) -->\r?$/;
const opening = Buffer.from('<!-- px');
const header = /^\ufeff?---\r?\n([\s\S]*?)\n---\r?(?:\n|$)/;

/** Every closing line in these bytes, in order. */
export function* closers(bytes: Buffer): Generator<Closer> {
  let start = 0;
  for (let at = bytes.indexOf(opening); at >= 0; ) {
    const newline = bytes.indexOf(10, at);
    const stop = newline < 0 ? bytes.length : newline;
    const match = at === 0 || bytes[at - 1] === 10 ? closerLine.exec(bytes.toString('utf8', at, stop)) : null;
    if (match) {
      const [, more, kind = '', seq, json = '', hash = ''] = match;
      const end = bytes.lastIndexOf('-->', stop) + 3;
      yield { more: more === '+', kind, seq: Number(seq), json, hash, start, line: at, hashAt: end - 36, end };
      start = end;
    }
    at = bytes.indexOf(opening, match ? stop : at + 1);
  }
}

/**
 * The entries in these bytes, oldest first. Bytes that no closing line completes are not entries and are left out; an append of several entries counts
 * whole or not at all. `partial` says that the bytes start in the middle of a file: what stands before the first completed append is skipped.
 */
export function parseJournal(bytes: Buffer, image: LoadMedia, partial = false): Placed[] {
  return [...entriesIn(bytes, image, partial)];
}

/** {@link parseJournal}, entry by entry. */
export function* entriesIn(bytes: Buffer, image: LoadMedia, partial = false): Generator<Placed> {
  let pending: Placed[] = [];
  let since: number | undefined = partial ? undefined : 0;
  for (const closer of closers(bytes)) {
    if (since === undefined) {
      if (!closer.more) since = closer.end;
      continue;
    }
    if (closer.kind === 'recovered') {
      const torn = bytes.toString('utf8', since, closer.line);
      yield { closer, entry: recovered(closer, since === 0 ? torn.replace(header, '') : torn) };
      pending = [];
    } else {
      const text = bytes.toString('utf8', closer.start, closer.line);
      pending.push({ closer, entry: readEntry(closer, closer.start === 0 ? text.replace(header, '') : text, image) });
      if (closer.more) continue;
      yield* pending;
      pending = [];
    }
    since = closer.end;
  }
}

/** The conversation a day's file belongs to, and the hash its first entry chains to; undefined when the file has no complete header. */
export function parseHeader(bytes: Buffer): { conversation: string; previous: string } | undefined {
  const lines = header.exec(bytes.toString('utf8', 0, 8192))?.[1];
  if (lines === undefined) return undefined;
  try {
    const conversation: unknown = JSON.parse(/^conversation: (".*")\r?$/m.exec(lines)?.[1] ?? 'null');
    if (typeof conversation !== 'string') return undefined;
    return { conversation, previous: /^previous: ([0-9a-f]{32})\r?$/m.exec(lines)?.[1] ?? '' };
  } catch {
    return undefined;
  }
}

/** Where the first entry of a file starts: behind its header and title. */
export function bodyStart(bytes: Buffer): number {
  const head = bytes.toString('latin1', 0, 8192);
  return /^(?:\xef\xbb\xbf)?(?:---\r?\n[\s\S]*?\n---\r?\n)?[\r\n]*(?:# [^\n]*\n)?/.exec(head)?.[0].length ?? 0;
}

function recovered(closer: Closer, torn: string): JournalEntry {
  return { at: timeOf(closer), kind: 'note', text: torn.trim(), data: { recovered: true } };
}

/** When an entry was made, as its data says; 0 when that cannot be read. */
export function timeOf(closer: Closer): number {
  const data = v.safeParse(v.object({ at: v.number() }), json(closer.json));
  return data.success ? data.output.at : 0;
}

function readEntry(closer: Closer, segment: string, image: LoadMedia): JournalEntry {
  const body = segment
    .replaceAll('\r\n', '\n')
    .replace(/^\n*(?:# [^\n]*\n+)?/, '')
    .replace(/\n{1,2}$/, '');
  const raw = json(closer.json);
  try {
    return byKind(closer.kind, raw, body, image);
  } catch {
    // An entry of a later px, or one whose data was edited: what it says is kept, what it was is not.
    return { at: timeOf(closer), kind: 'note', text: body, data: { unreadable: closer.kind } };
  }
}

function byKind(kind: string, raw: unknown, body: string, image: LoadMedia): JournalEntry {
  switch (kind) {
    case 'user': {
      const d = v.parse(entryData.user, raw);
      const text = spoken(body, d);
      const { channel, id: messageId } = d;
      return {
        at: d.at,
        kind,
        sender: { id: d.from, name: d.name },
        channel,
        messageId,
        text,
        ...attached(d.files, image),
        ...from(d),
      };
    }
    case 'assistant': {
      const d = v.parse(entryData.assistant, raw);
      return { at: d.at, kind, turn: d.turn, model: d.model, text: spoken(body, d) };
    }
    case 'thinking': {
      const { at, turn, crlf, esc, ...proof } = v.parse(entryData.thinking, raw);
      return { at, kind, turn, text: decodeText(unquote(body), marks({ crlf, esc })), ...proof };
    }
    case 'tool-call': {
      const { at, turn, crlf: _, esc: __, ...call } = v.parse(entryData['tool-call'], raw);
      const args: JsonObject = v.parse(callArguments, JSON.parse(blocks(body)[0] ?? ''));
      return { at, kind, turn, call: { type: 'tool-call', ...call, args } };
    }
    case 'tool-result': {
      const d = v.parse(entryData['tool-result'], raw);
      const texts = blocks(body).map((text) => decodeText(text, marks(d)));
      const content = (d.parts ?? texts.map(() => 0 as const)).map((part): ToolResultPart['content'][number] => {
        if (part === 0) return { type: 'text', text: texts.shift() ?? '' };
        const data = part.data ?? (part.file === undefined ? undefined : image(part.file));
        if (data === undefined) return { type: 'text', text: `[picture missing: ${part.file}]` };
        return { type: 'image', mime: part.mime, data };
      });
      const isError = d.error === true;
      const result: ToolResultPart = { type: 'tool-result', callId: d.id, name: d.name, content, isError };
      return { at: d.at, kind, turn: d.turn, result, ms: d.ms, ...from(d) };
    }
    case 'turn-end': {
      const { at, turn, id: messageId, reason, usage, error } = v.parse(entryData['turn-end'], raw);
      return { at, kind, turn, messageId, reason, usage, ...(error ? { error } : {}) };
    }
    case 'model': {
      const { at, model, by } = v.parse(entryData.model, raw);
      return { at, kind, model, by };
    }
    default: {
      if (kind !== 'note') throw new Error('unknown kind');
      const d = v.parse(entryData.note, raw);
      const text = decodeText(unquote(body), marks(d));
      return { at: d.at, kind: 'note', text, ...(d.data === undefined ? {} : { data: d.data }) };
    }
  }
}

/** What came with a message, as far as its files are still there. */
function attached(
  files: v.InferOutput<typeof entryData.user>['files'],
  load: LoadMedia,
): { attachments?: Attachment[] } {
  if (!files) return {};
  const attachments = files.flatMap(({ mime, name, file, data = file && load(file) }): Attachment[] => {
    if (data === undefined) return [];
    return [name === undefined ? { type: 'image', mime, data } : { type: 'file', mime, name, data }];
  });
  return attachments.length === 0 ? {} : { attachments };
}

const from = ({ outside }: { outside?: string[] }) => (outside ? { outside } : {});

function marks(d: { crlf?: true | undefined; esc?: true | undefined }): TextMarks {
  return { ...(d.crlf ? { crlf: true } : {}), ...(d.esc ? { esc: true } : {}) };
}

/** What stands below the heading of a person's or the model's entry. */
function spoken(body: string, d: { crlf?: true; esc?: true; fence?: true }): string {
  const text = body.replace(/^## [^\n]*\n?\n?/, '');
  return decodeText(d.fence ? text.slice(0, Math.max(0, text.lastIndexOf('\n'))) : text, marks(d));
}

function unquote(body: string): string {
  const lines = body.split('\n').map((line) => line.replace(/^> ?/, ''));
  return lines.slice(lines[1] === '' ? 2 : 1).join('\n');
}

/** The contents of the fenced blocks, in order. */
function blocks(body: string): string[] {
  const found: string[] = [];
  const lines = body.split('\n');
  for (let at = 1; at < lines.length; at++) {
    const fence = /^(`{3,})\w*$/.exec(lines[at] ?? '')?.[1];
    if (fence === undefined) continue;
    const end = lines.indexOf(fence, at + 1);
    if (end < 0) throw new Error('open block');
    found.push(lines.slice(at + 1, end).join('\n'));
    at = end;
  }
  return found;
}

function json(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
