import { markOutside } from '../policy/policy.ts';
import { dayOf } from './journal-folder.ts';
import { oneLine } from './journal-text.ts';

/** A conversation of another program as a note. */
export interface SessionNote {
  /** The note; empty when nothing was said. */
  text: string;
  /** The day it began, `2025-11-22`; undefined when the file does not say. */
  day?: string;
  /** Lines that could not be read. */
  bad: number;
  /** True when only its beginning fits. */
  cut: boolean;
}

/** Bounds, in characters: of one note, of what one person said at a time, of a tool's arguments and answer. */
const most = { note: 4_000_000, said: 100_000, tool: 200 };

/** Where imported conversations say that they come from: web pages and strangers speak in them. */
const LABEL = 'import/openclaw';

/**
 * Reads a transcript of OpenClaw (one JSON a line: `session` first, then `message`, `compaction` and what else it keeps) into a note: who said what and when, tools
 * in a line each. What a model thought and pictures are left out. Never throws on what a line holds.
 */
export async function sessionNote(lines: AsyncIterable<string | undefined>, agent: string): Promise<SessionNote> {
  const said: string[] = [];
  let [size, bad, cut] = [0, 0, false];
  let began: number | undefined;
  for await (const line of lines) {
    if (line?.trim() === '') continue;
    try {
      if (line === undefined) throw new Error('too long');
      const entry = fields(JSON.parse(line));
      if (!entry) throw new Error('no entry');
      const at = timeOf(entry);
      began ??= at;
      if (cut) continue;
      for (const part of partsOf(entry, at)) {
        size += part.length;
        if (size > most.note) cut = true;
        else said.push(part);
      }
    } catch {
      // Half a line of a crash, another program's file, JSON deeper than a stack: counted, not fatal.
      bad++;
    }
  }
  if (cut) said.push('_The rest is left out: the conversation is longer than a note may be._');
  const head = markOutside(
    `# A conversation with ${plain(agent)} in OpenClaw${began === undefined ? '' : `, ${dayOf(began)}`}\n\nBrought in by \`px import openclaw\`; not part of px's own journal.`,
    [LABEL],
  );
  return {
    text: said.length === 0 ? '' : `${head}\n${said.join('\n\n')}\n`,
    ...(began === undefined ? {} : { day: dayOf(began) }),
    bad,
    cut,
  };
}

type Fields = { [key: string]: unknown };

function partsOf(entry: Fields, at: number | undefined): string[] {
  if (entry['type'] === 'compaction') return quoted('Summary', at, text(entry['summary']));
  const message = entry['type'] === 'message' ? fields(entry['message']) : undefined;
  if (!message) return [];
  const role = message['role'];
  const words = contentOf(message['content']);
  if (role === 'toolResult') return [tool(`${text(message['toolName']) || 'a tool'} answered`, words.said)];
  const who = role === 'user' ? 'User' : role === 'assistant' ? 'Assistant' : undefined;
  if (who === undefined) return [];
  return [...quoted(who, at, words.said), ...words.calls];
}

function contentOf(content: unknown): { said: string; calls: string[] } {
  if (typeof content === 'string') return { said: content, calls: [] };
  const said: string[] = [];
  const calls: string[] = [];
  for (const one of Array.isArray(content) ? content : []) {
    const part = fields(one);
    if (part?.['type'] === 'text') said.push(text(part['text']));
    else if (part?.['type'] === 'image') said.push('(a picture)');
    else if (part?.['type'] === 'toolCall') {
      const given = JSON.stringify(part['arguments'] ?? {});
      calls.push(tool(`used ${text(part['name']) || 'a tool'}`, given === '{}' ? '' : given));
    }
  }
  return { said: said.join('\n\n'), calls };
}

/** A heading and the words as a quotation, so that nothing in them is a heading, a fence or a line of anybody else. */
function quoted(who: string, at: number | undefined, words: string): string[] {
  const kept = words.length > most.said ? `${words.slice(0, most.said)}\n\n… (${words.length} characters)` : words;
  const lines = safe(kept).trim();
  if (lines === '') return [];
  const when = at === undefined ? '' : ` · ${dayOf(at)} ${new Date(at).toTimeString().slice(0, 5)}`;
  return [
    `## ${who}${when}\n\n${lines
      .split('\n')
      .map((line) => `> ${line}`.trimEnd())
      .join('\n')}`,
  ];
}

const tool = (what: string, words: string): string => {
  const short = oneLine(plain(words.slice(0, most.tool * 4)), most.tool);
  return `- _${plain(oneLine(what, 80))}_${short === '' ? '' : `: ${short}`}`;
};

/** Words without what a text file should not hold, and without comments: px's own marks are such. */
const safe = (words: string): string =>
  words
    .replace(/\r\n?/g, '\n')
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]/g, '')
    .toWellFormed()
    .replaceAll('<!--', '<\\!--');

/** Words for one line. */
const plain = (words: string): string => safe(words).replace(/\s+/g, ' ').trim();

/** When it was said, ms since the epoch: OpenClaw writes ISO text in an entry and a number in a message. */
function timeOf(entry: Fields): number | undefined {
  for (const given of [entry['timestamp'], fields(entry['message'])?.['timestamp']]) {
    const at = typeof given === 'string' ? Date.parse(given) : given;
    if (typeof at === 'number' && at > 0 && at < 253_402_214_400_000) return at;
  }
  return undefined;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const fields = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
