import type { ModelEvent } from '../../src/model/model.ts';
import type { Message, ModelRef, TextPart, ThinkingPart, ToolCallPart, Usage } from '../../src/wire/wire.ts';

/** What a stream has said so far. */
interface Answer {
  /** Takes the next event. */
  add(event: ModelEvent): void;
  /** The visible text. */
  readonly text: string;
  readonly calls: ToolCallPart[];
  readonly usage: Usage | undefined;
  readonly end: Extract<ModelEvent, { type: 'end' }> | undefined;
  /** The assistant message that goes back to the model: text, thoughts and calls in the order they came. */
  message(): Extract<Message, { role: 'assistant' }>;
}

/**
 * Gathers a stream's events into one assistant message. Keeps what a tool loop needs: order, thoughts with their signatures,
 * and who made them.
 *
 * @example
 * const answer = createAnswer(request.model);
 * for await (const event of models.stream(request, signal)) answer.add(event);
 * messages.push(answer.message());
 */
export function createAnswer(model: ModelRef): Answer {
  const provider = model.slice(0, model.indexOf('/'));
  const parts: (TextPart | ThinkingPart | ToolCallPart)[] = [];
  const calls: ToolCallPart[] = [];
  let text = '';
  let usage: Usage | undefined;
  let end: Answer['end'];

  const growing = (type: 'text' | 'thinking'): TextPart | ThinkingPart => {
    const last = parts.at(-1);
    if (last?.type === 'text' && type === 'text') return last;
    if (last?.type === 'thinking' && type === 'thinking' && last.signature === undefined) return last;
    const fresh: TextPart | ThinkingPart = type === 'text' ? { type, text: '' } : { type, text: '', provider };
    parts.push(fresh);
    return fresh;
  };

  return {
    add(event) {
      if (event.type === 'text') {
        text += event.text;
        growing('text').text += event.text;
      } else if (event.type === 'thinking') {
        const part = growing('thinking');
        part.text += event.text;
        if (part.type === 'thinking' && event.signature !== undefined) part.signature = event.signature;
      } else if (event.type === 'tool-call') {
        const call = { ...event.call, provider: event.call.provider ?? provider };
        parts.push(call);
        calls.push(call);
      } else if (event.type === 'usage') usage = event.usage;
      else end = event;
    },
    get text() {
      return text;
    },
    get calls() {
      return calls;
    },
    get usage() {
      return usage;
    },
    get end() {
      return end;
    },
    message: () => ({ role: 'assistant', parts, model }),
  };
}
