import type {
  Attachment,
  Message,
  ModelRef,
  TextPart,
  ThinkingPart,
  ToolCallPart,
  ToolResultPart,
} from '../wire/wire.ts';
import type { JournalEntry } from './memory.ts';

type Assistant = Extract<Message, { role: 'assistant' }>;
type Answered = { turn: string; at: number; result: ToolResultPart };

/**
 * Turns journal entries back into the messages a model is sent, in the shape all providers accept: a person speaks first, roles alternate, each
 * tool call is followed by its result (one that never came is an error result, `interrupted`), ids are unique, nothing is empty. Notes and marks are left out.
 */
export function messagesFromJournal(entries: JournalEntry[]): Message[] {
  const first = entries.findIndex((entry) => entry.kind === 'user' && (entry.text !== '' || entry.attachments));
  if (first < 0) return [];
  const rest = entries.slice(first);
  const results: Answered[] = rest.flatMap((entry, at) =>
    entry.kind === 'tool-result' ? [{ turn: entry.turn, at, result: entry.result }] : [],
  );
  const models = new Map<string, ModelRef>();
  for (const entry of rest) if (entry.kind === 'assistant') models.set(entry.turn, entry.model);

  const messages: Message[] = [];
  const used = new Set<string>();
  let open:
    | { parts: Assistant['parts']; calls: { call: ToolCallPart; turn: string; at: number }[]; turn: string }
    | undefined;
  const flush = () => {
    if (open?.parts.some((part) => part.type !== 'thinking')) {
      const model = models.get(open.turn);
      messages.push({ role: 'assistant', parts: open.parts, ...(model === undefined ? {} : { model }) });
      const parts = open.calls.map(({ call, turn, at }) => resultFor(call, turn, at, results, used));
      for (const [index, part] of parts.entries()) {
        const call = open.calls[index]?.call;
        if (call && call.id !== part.callId) open.parts[open.parts.indexOf(call)] = { ...call, id: part.callId };
      }
      if (parts.length > 0) messages.push({ role: 'tool', parts });
    }
    open = undefined;
  };
  const say = (turn: string, part: TextPart | ThinkingPart | ToolCallPart) => {
    open ??= { parts: [], calls: [], turn };
    open.turn = turn;
    open.parts.push(part);
    return open;
  };

  rest.forEach((entry, at) => {
    if (entry.kind === 'user') {
      flush();
      if (entry.text !== '') addUser(messages, { type: 'text', text: entry.text });
      for (const part of entry.attachments ?? []) addUser(messages, part);
    } else if (entry.kind === 'assistant') {
      if (open && open.calls.length > 0) flush();
      if (entry.text !== '') say(entry.turn, { type: 'text', text: entry.text });
    } else if (entry.kind === 'thinking') {
      if (open && open.calls.length > 0) flush();
      if (entry.text !== '' || entry.signature !== undefined) say(entry.turn, thought(entry));
    } else if (entry.kind === 'tool-call') {
      say(entry.turn, entry.call).calls.push({ call: entry.call, turn: entry.turn, at });
    } else if (entry.kind === 'tool-result') flush();
  });
  flush();
  return alternating(messages);
}

function thought(entry: Extract<JournalEntry, { kind: 'thinking' }>): ThinkingPart {
  const { text, signature, provider } = entry;
  return {
    type: 'thinking',
    text,
    ...(signature === undefined ? {} : { signature }),
    ...(provider === undefined ? {} : { provider }),
  };
}

/** The result of a call in its own turn, under an id that no other call of the conversation has. */
function resultFor(
  call: ToolCallPart,
  turn: string,
  at: number,
  results: Answered[],
  used: Set<string>,
): ToolResultPart {
  const index = results.findIndex((one) => one.turn === turn && one.at > at && one.result.callId === call.id);
  const result: ToolResultPart = (index < 0 ? undefined : results.splice(index, 1)[0]?.result) ?? {
    type: 'tool-result',
    callId: call.id,
    name: call.name,
    content: [{ type: 'text', text: 'interrupted' }],
    isError: true,
  };
  let callId = call.id;
  for (let n = 2; used.has(callId); n++) callId = `${call.id}_${n}`;
  used.add(callId);
  return callId === call.id ? result : { ...result, callId };
}

function addUser(messages: Message[], part: TextPart | Attachment): void {
  const last = messages.at(-1);
  if (last?.role === 'user') last.parts.push(part);
  else messages.push({ role: 'user', parts: [part] });
}

/** Joins what the same speaker said in a row: two answers with nothing between them, two batches of results. */
function alternating(messages: Message[]): Message[] {
  const joined: Message[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (last?.role === 'assistant' && message.role === 'assistant') last.parts.push(...message.parts);
    else joined.push(message);
  }
  return joined;
}
