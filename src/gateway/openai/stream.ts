import { fromErrorShape } from '../../error/error.ts';
import type { ModelEvent } from '../../model/model.ts';
import type { ToolCallPart, Usage } from '../../wire/wire.ts';
import type { SseEvent } from '../sse.ts';
import { type ChatReply, finish, openAiCall, openAiError, openAiUsage } from './reply.ts';

/** What every chunk of one answer repeats. */
export interface Envelope {
  id: string;
  created: number;
  model: string;
}

/** A new answer's id and time. */
export function envelope(model: string): Envelope {
  return { id: `chatcmpl-${crypto.randomUUID().replaceAll('-', '')}`, created: Math.floor(Date.now() / 1000), model };
}

/** The whole stream as one chat completion. Throws what the stream ended with. */
export async function collect(head: Envelope, events: AsyncIterable<ModelEvent>): Promise<ChatReply> {
  let text = '';
  let thought = '';
  const calls: ToolCallPart[] = [];
  let usage: Usage = { input: 0, output: 0, cachedInput: 0 };
  for await (const event of events) {
    if (event.type === 'text') text += event.text;
    else if (event.type === 'thinking') thought += event.text;
    else if (event.type === 'tool-call') calls.push(event.call);
    else if (event.type === 'usage') usage = event.usage;
    else if (event.type === 'end') {
      if (event.error) throw fromErrorShape(event.error);
      const message = {
        role: 'assistant' as const,
        content: text === '' && calls.length > 0 ? null : text,
        refusal: null,
        ...(thought === '' ? {} : { reasoning_content: thought }),
        ...(calls.length === 0 ? {} : { tool_calls: calls.map(openAiCall) }),
      };
      return {
        ...head,
        object: 'chat.completion',
        choices: [{ index: 0, message, logprobs: null, finish_reason: finish(event.reason) }],
        usage: openAiUsage(usage),
      };
    }
  }
  throw new Error('the model stream ended without an end event');
}

/** The stream as OpenAI's chunks; `[DONE]` is last. An error after the first chunk is sent as a chunk of its own. */
export async function* chunks(
  head: Envelope,
  events: AsyncIterable<ModelEvent>,
  includeUsage: boolean,
): AsyncGenerator<SseEvent> {
  const chunk = (delta: object, finish_reason: string | null): SseEvent => ({
    data: JSON.stringify({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    }),
  });
  let calls = 0;
  let usage: Usage | undefined;
  yield chunk({ role: 'assistant', content: '' }, null);
  for await (const event of events) {
    if (event.type === 'text') yield chunk({ content: event.text }, null);
    else if (event.type === 'thinking') {
      if (event.text !== '') yield chunk({ reasoning_content: event.text }, null);
    } else if (event.type === 'tool-call')
      yield chunk({ tool_calls: [{ index: calls++, ...openAiCall(event.call) }] }, null);
    else if (event.type === 'usage') usage = event.usage;
    else if (event.error) yield { data: JSON.stringify(openAiError(fromErrorShape(event.error))) };
    else yield chunk({}, finish(event.reason));
  }
  if (includeUsage && usage)
    yield {
      data: JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage: openAiUsage(usage) }),
    };
  yield { data: '[DONE]' };
}

/**
 * Waits for the first event, so that a refused request is answered with its HTTP status instead of a broken stream.
 * Throws what the stream ended with.
 */
export async function peek(events: AsyncIterable<ModelEvent>): Promise<AsyncIterable<ModelEvent>> {
  const iterator = events[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (!first.done && first.value.type === 'end' && first.value.error) throw fromErrorShape(first.value.error);
  let pending: IteratorResult<ModelEvent> | undefined = first;
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const next = pending ?? (await iterator.next());
        pending = undefined;
        return next;
      },
      async return() {
        await iterator.return?.();
        return { done: true as const, value: undefined };
      },
    }),
  };
}
