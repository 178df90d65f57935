import type {
  Attachment,
  ImagePart,
  Message,
  TextPart,
  ThinkingPart,
  ToolCallPart,
  ToolResultPart,
} from '../../wire/wire.ts';
import { documentText, isPdf } from '../document.ts';
import { providerName } from '../ref.ts';

/** One step of a conversation in the form every provider can take: what {@link normalise} makes. */
export type Turn =
  | { role: 'user'; parts: (TextPart | Attachment)[] }
  | { role: 'assistant'; parts: (TextPart | ThinkingPart | ToolCallPart)[] }
  /** Directly after the assistant turn that asked, one result a call, in the order of the calls. */
  | { role: 'results'; results: ToolResultPart[] };

/** What differs between providers. */
export interface HistoryRules {
  provider: string;
  /** Which call ids this provider takes; others are replaced, with their results. */
  id: RegExp;
  /** A tool's name as this provider takes it. */
  name(original: string): string;
  /** False: images in tool results are moved to a user message after them. */
  imagesInResults: boolean;
  /** True when a PDF can be sent as it is. A text document is sent as text to all. */
  documents: boolean;
}

/**
 * Any history as one that a provider accepts: foreign thinking and signatures dropped, empty text dropped, each tool call with
 * exactly one result, ids allowed and unique, consecutive turns of one role merged, a person first and never the assistant last.
 */
export function normalise(messages: Message[], rules: HistoryRules): Turn[] {
  const turns: Turn[] = [];
  const used = new Set<string>();
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at];
    if (!message || message.role === 'tool') continue;
    if (message.role === 'user') {
      push(turns, { role: 'user', parts: message.parts.flatMap((part) => userPart(part, rules)) });
      continue;
    }
    const maker = message.model && providerName(message.model);
    const calls: { original: string; part: ToolCallPart }[] = [];
    const parts = message.parts.flatMap((part): (TextPart | ThinkingPart | ToolCallPart)[] => {
      if (part.type === 'text')
        return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text.toWellFormed() }];
      const own = (part.provider ?? maker) === rules.provider;
      if (part.type === 'thinking') return own && part.signature !== undefined ? [part] : [];
      const call: ToolCallPart = {
        type: 'tool-call',
        id: freshId(part.id, rules.id, used),
        name: rules.name(part.name),
        args: part.args,
      };
      if (own && part.signature !== undefined) call.signature = part.signature;
      calls.push({ original: part.id, part: call });
      return [call];
    });
    push(turns, { role: 'assistant', parts });
    if (calls.length > 0) turns.push(...pair(calls, resultsAfter(messages, at), rules));
  }
  if (turns[0]?.role === 'assistant') turns.unshift(filler('(The conversation began earlier.)'));
  if (turns.at(-1)?.role !== 'user' && turns.at(-1)?.role !== 'results') turns.push(filler('Go on.'));
  return turns;
}

function filler(text: string): Turn {
  return { role: 'user', parts: [{ type: 'text', text }] };
}

function userPart(part: TextPart | Attachment, rules: HistoryRules): (TextPart | Attachment)[] {
  if (part.type === 'image') return [part];
  if (part.type === 'file') {
    const { name, mime } = part;
    const unread = `(The document ${name} (${mime}) was attached. This model cannot read documents of its type.)`;
    return [documentText(part) ?? (rules.documents && isPdf(part) ? part : { type: 'text', text: unread })];
  }
  return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text.toWellFormed() }];
}

function push(turns: Turn[], turn: Exclude<Turn, { role: 'results' }>): void {
  if (turn.parts.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === 'user' && turn.role === 'user') last.parts.push(...turn.parts);
  else if (last?.role === 'assistant' && turn.role === 'assistant') last.parts.push(...turn.parts);
  else turns.push(turn);
}

/** The results that stand between this assistant message and the next one. */
function resultsAfter(messages: Message[], at: number): ToolResultPart[] {
  const found: ToolResultPart[] = [];
  for (let next = at + 1; next < messages.length; next++) {
    const message = messages[next];
    if (message?.role === 'assistant') break;
    if (message?.role === 'tool') found.push(...message.parts);
  }
  return found;
}

function pair(
  calls: { original: string; part: ToolCallPart }[],
  results: ToolResultPart[],
  rules: HistoryRules,
): Turn[] {
  const open = [...results];
  const images: ImagePart[] = [];
  const paired = calls.map(({ original, part }): ToolResultPart => {
    const at = open.findIndex((r) => r.callId === original);
    const result = at < 0 ? undefined : open.splice(at, 1)[0];
    const content = (result?.content ?? [{ type: 'text', text: 'No result: the call was interrupted.' }]).flatMap(
      (c): (TextPart | ImagePart)[] => {
        if (c.type === 'text') return c.text === '' ? [] : [{ type: 'text', text: c.text.toWellFormed() }];
        if (rules.imagesInResults) return [c];
        images.push(c);
        return [{ type: 'text', text: '(The image follows.)' }];
      },
    );
    if (content.length === 0) content.push({ type: 'text', text: '(no output)' });
    return { type: 'tool-result', callId: part.id, name: part.name, content, isError: result?.isError ?? true };
  });
  const turns: Turn[] = [{ role: 'results', results: paired }];
  if (images.length > 0) turns.push({ role: 'user', parts: images });
  return turns;
}

function freshId(id: string, allowed: RegExp, used: Set<string>): string {
  const base = allowed.test(id) ? id : `call${Bun.hash(id).toString(36)}`;
  let candidate = base;
  for (let n = 2; used.has(candidate); n++) candidate = `call${Bun.hash(`${base}#${n}`).toString(36)}`;
  used.add(candidate);
  return candidate;
}

/** The text of a tool result, marked when it is an error. */
export function resultText(result: ToolResultPart): string {
  const text = result.content.flatMap((c) => (c.type === 'text' ? [c.text] : [])).join('\n');
  return result.isError && !/^error/i.test(text) ? `Error: ${text}` : text;
}
