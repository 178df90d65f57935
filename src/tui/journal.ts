import * as v from 'valibot';
import type { Client } from '../client/client.ts';
import { finishTool } from './reduce.ts';
import type { ChatItem } from './state.ts';

type Entry = Awaited<ReturnType<Client['conversation']>>['entries'][number];

const text = v.string();
const part = v.variant('type', [
  v.object({ type: v.literal('text'), text }),
  v.object({ type: v.literal('image'), mime: text, data: text }),
]);
const at = v.number();
/** The entries that are shown, as far as they are shown; others are passed over. */
const Shown = v.variant('kind', [
  v.object({ at, kind: v.literal('user'), sender: v.object({ id: text, name: text }), text }),
  v.object({ at, kind: v.literal('assistant'), turn: text, model: text, text }),
  v.object({ at, kind: v.literal('thinking'), turn: text, text }),
  v.object({
    at,
    kind: v.literal('tool-call'),
    turn: text,
    call: v.object({ id: text, name: text, args: v.unknown() }),
  }),
  v.object({
    at,
    kind: v.literal('tool-result'),
    turn: text,
    result: v.object({
      type: v.literal('tool-result'),
      callId: text,
      name: text,
      content: v.array(part),
      isError: v.boolean(),
    }),
    ms: v.number(),
  }),
  v.object({ at, kind: v.literal('turn-end'), reason: text, error: v.optional(v.object({ message: text })) }),
  v.object({ at, kind: v.literal('note'), text }),
]);

/** A conversation's journal entries as what the chat shows. */
export function chatOf(entries: readonly Entry[]): ChatItem[] {
  const chat: ChatItem[] = [];
  for (const entry of entries) {
    const parsed = v.safeParse(Shown, entry);
    if (!parsed.success) continue;
    const one = parsed.output;
    if (one.kind === 'user')
      chat.push({ at: one.at, kind: 'person', name: one.sender.name || one.sender.id, text: one.text });
    else if (one.kind === 'assistant')
      chat.push({ at: one.at, kind: 'agent', turn: one.turn, model: one.model, text: one.text });
    else if (one.kind === 'thinking') chat.push({ at: one.at, kind: 'thought', turn: one.turn, text: one.text });
    else if (one.kind === 'tool-call') {
      const { id, name, args } = one.call;
      chat.push({ at: one.at, kind: 'tool', turn: one.turn, id, name, args: JSON.stringify(args) ?? '' });
    } else if (one.kind === 'tool-result') finishTool(chat, one.turn, one.result, one.ms);
    else if (one.kind === 'note') chat.push({ at: one.at, kind: 'note', text: one.text, bad: false });
    else if (one.error) chat.push({ at: one.at, kind: 'note', text: one.error.message, bad: true });
    else if (one.reason === 'aborted') chat.push({ at: one.at, kind: 'note', text: 'stopped', bad: false });
  }
  return chat;
}
