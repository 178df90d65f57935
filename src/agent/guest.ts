import { isSummary } from '../session/session.ts';
import type { Message } from '../wire/wire.ts';

/**
 * A conversation as a guest's turn may know it: what was said aloud. What px read, thought and noted for the owner in a group's earlier turns
 * (tool calls and their results, thoughts, summaries) is left out; the guest's own turn is whole.
 */
export function forGuest(messages: Message[]): Message[] {
  const own = messages.findLastIndex((message) => message.role === 'user');
  const earlier = messages.slice(0, Math.max(0, own)).flatMap((message): Message[] => {
    if (message.role === 'tool') return [];
    if (message.role === 'user') {
      const parts = message.parts.filter((part) => part.type !== 'text' || !isSummary(part.text));
      return parts.length > 0 ? [{ ...message, parts }] : [];
    }
    const parts = message.parts.filter((part) => part.type === 'text');
    return parts.length > 0 ? [{ ...message, parts }] : [];
  });
  const rest = messages.slice(Math.max(0, own)).map((message): Message => {
    if (message.role !== 'user') return message;
    const parts = message.parts.filter((part) => part.type !== 'text' || !isSummary(part.text));
    return parts.length > 0 ? { ...message, parts } : message;
  });
  return joined([...earlier, ...rest]);
}

/** Roles alternate, as providers want it: what the same speaker said in a row is one message. */
function joined(messages: Message[]): Message[] {
  const out: Message[] = [];
  for (const message of messages) {
    const last = out.at(-1);
    if (last?.role === 'user' && message.role === 'user')
      out[out.length - 1] = { ...last, parts: [...last.parts, ...message.parts] };
    else if (last?.role === 'assistant' && message.role === 'assistant')
      out[out.length - 1] = { ...last, parts: [...last.parts, ...message.parts] };
    else out.push(message);
  }
  return out[0]?.role === 'assistant' ? out.slice(1) : out;
}
