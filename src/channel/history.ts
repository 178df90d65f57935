import type { JournalEntry } from '../memory/memory.ts';
import type { ConversationId, Json } from '../wire/wire.ts';
import type { PastMessage } from './channel.ts';
import { readMessages } from './guest.ts';

/** What a connector's `get-history` says. */
export function platformHistory(answer: Json): PastMessage[] {
  return readMessages(answer).messages.map(({ id, sender, text, metadata }) => {
    const date = metadata?.['date'];
    return { id, sender: sender.id, name: sender.name, text, at: typeof date === 'number' ? date * 1000 : 0 };
  });
}

/** What the journal knows of a chat: what people said and what px answered. */
export async function journalHistory(
  read: (conversation: ConversationId, limit: number) => Promise<JournalEntry[]>,
  conversation: ConversationId,
  limit: number,
): Promise<PastMessage[]> {
  // Beside what was said an answer has calls, their results and its end.
  const entries = await read(conversation, Math.min(5_000, limit * 8));
  const said = entries.flatMap((entry): PastMessage[] => {
    if (entry.kind === 'user')
      return [
        { id: entry.messageId, sender: entry.sender.id, name: entry.sender.name, text: entry.text, at: entry.at },
      ];
    if (entry.kind === 'assistant')
      return [{ id: entry.turn, sender: 'px', name: 'px', text: entry.text, at: entry.at }];
    return [];
  });
  return said.slice(-limit);
}
