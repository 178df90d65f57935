import type { Message } from '../wire/wire.ts';

/**
 * The latest messages, at most `limit`, beginning with something a person said, so that no tool call is cut from its result.
 * The turn that is running is always whole, however long.
 */
export function recent(messages: Message[], limit: number): Message[] {
  const starts = messages.flatMap((message, i) => (message.role === 'user' ? [i] : []));
  const from = starts.find((i) => i >= messages.length - limit) ?? starts.at(-1) ?? 0;
  return messages.slice(from);
}
