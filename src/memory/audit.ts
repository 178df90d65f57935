import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { daysIn } from './journal-file.ts';
import { conversationOf, dayOf } from './journal-folder.ts';
import { entriesIn, parseHeader } from './journal-parse.ts';
import type { JournalEntry } from './memory.ts';
import type { Period } from './when.ts';

/** What of the past is asked for. */
interface AuditFilter {
  period?: Period;
  /** A tool's name; `*` stands for any end. */
  tool?: string;
  conversation?: string;
  /** Who approved it, or whose message led to it: id or name, in any case. */
  by?: string;
  /** Everything that was said too, not only what was done. */
  all?: boolean;
}

/** One thing that happened, with where it stands. */
interface AuditLine {
  at: number;
  conversation: string;
  /** Path below memory/, and the first line of the entry. */
  path: string;
  line: number;
  kind: JournalEntry['kind'];
  /** A tool call's name, or the kind. */
  what: string;
  /** Arguments, text or reason, on one line, at most 500 characters. */
  detail: string;
  /** Whose message led to it. */
  asked: string;
  /** For a tool call: how it ended and how long it took; left out while it has no result. */
  ok?: boolean;
  ms?: number;
  /** Who allowed or denied it, when a person was asked. */
  approval?: { decision: string; by: string };
}

/** A note whose data says who decided about a call: `{"approval":{"call":"<id>","decision":"allow","by":"Ada"}}`. */
const approvalNote = v.object({ approval: v.object({ call: v.string(), decision: v.string(), by: v.string() }) });

/** What px did, from the journals alone, oldest first. */
export async function auditLines(memory: string, filter: AuditFilter = {}): Promise<AuditLine[]> {
  const root = join(memory, 'journal');
  const found: AuditLine[] = [];
  for (const folder of (await readdir(root).catch(() => [])).sort()) {
    // The header has the true name; a folder's is enough to leave others out without reading them.
    const named = conversationOf(folder);
    if (filter.conversation !== undefined && named !== undefined && named !== filter.conversation) continue;
    const { from = 0, to = Number.MAX_SAFE_INTEGER } = filter.period ?? {};
    const first = dayOf(Math.max(0, from));
    const open = new Map<string, AuditLine>();
    const approvals = new Map<string, { decision: string; by: string }>();
    let asked = '';
    for (const day of await daysIn(join(root, folder))) {
      if (from > 0 && day.slice(0, 10) < first) continue;
      const bytes = await readFile(join(root, folder, day));
      const conversation = parseHeader(bytes)?.conversation ?? named ?? folder;
      if (filter.conversation !== undefined && conversation !== filter.conversation) break;
      let line = 1;
      let at = 0;
      for (const { entry, closer } of entriesIn(bytes, () => undefined)) {
        let start = closer.start;
        while (bytes[start] === 10 || bytes[start] === 13) start++;
        for (; at < start; at++) if (bytes[at] === 10) line++;
        if (entry.kind === 'user') asked = entry.sender.name || entry.sender.id;
        if (entry.kind === 'tool-result') {
          const call = open.get(entry.result.callId);
          if (call) Object.assign(call, { ok: !entry.result.isError, ms: entry.ms });
          if (!filter.all) continue;
        }
        const approval = entry.kind === 'note' ? v.safeParse(approvalNote, entry.data) : undefined;
        if (approval?.success) {
          const { call, ...decided } = approval.output.approval;
          approvals.set(call, decided);
          const made = open.get(call);
          if (made) made.approval = decided;
        }
        if (entry.at < from || entry.at >= to) continue;
        const one = { at: entry.at, conversation, path: `journal/${folder}/${day}`, line, asked, ...described(entry) };
        if (entry.kind === 'tool-call') {
          const decided = approvals.get(entry.call.id);
          const call: AuditLine = { ...one, ...(decided ? { approval: decided } : {}) };
          open.set(entry.call.id, call);
          found.push(call);
        } else if (filter.all || approval?.success || entry.kind === 'model' || isFailure(entry)) found.push(one);
      }
    }
  }
  return found.filter((one) => fits(one, filter)).sort((a, b) => a.at - b.at);
}

const isFailure = (entry: JournalEntry): boolean => entry.kind === 'turn-end' && entry.error !== undefined;

function fits(one: AuditLine, { tool, by }: AuditFilter): boolean {
  if (tool !== undefined) {
    const name = one.kind === 'tool-call' ? one.what : undefined;
    if (name === undefined || !(tool.endsWith('*') ? name.startsWith(tool.slice(0, -1)) : name === tool)) return false;
  }
  return by === undefined || [one.asked, one.approval?.by].some((who) => who?.toLowerCase() === by.toLowerCase());
}

function described(entry: JournalEntry): Pick<AuditLine, 'kind' | 'what' | 'detail'> {
  const { kind } = entry;
  switch (kind) {
    case 'user':
      return { kind, what: 'said', detail: short(entry.text) };
    case 'assistant':
      return { kind, what: 'answered', detail: short(entry.text) };
    case 'thinking':
      return { kind, what: 'thought', detail: short(entry.text) };
    case 'tool-call':
      return { kind, what: entry.call.name, detail: short(JSON.stringify(entry.call.args)) };
    case 'tool-result': {
      const text = entry.result.content.map((part) => (part.type === 'text' ? part.text : '[picture]')).join(' ');
      return { kind, what: `${entry.result.name} result`, detail: short(text) };
    }
    case 'turn-end':
      return { kind, what: 'turn ended', detail: short(entry.error ? entry.error.message : entry.reason) };
    case 'model':
      return { kind, what: 'model', detail: `${entry.model}, chosen by ${entry.by}` };
    case 'note':
      return { kind, what: 'note', detail: short(entry.text) };
  }
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 499).toWellFormed()}…` : line;
}
