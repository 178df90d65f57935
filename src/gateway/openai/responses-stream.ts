import { fromErrorShape } from '../../error/error.ts';
import type { ModelEvent } from '../../model/model.ts';
import type { ToolCallPart, Usage } from '../../wire/wire.ts';
import type { SseEvent } from '../sse.ts';
import { closeResponse, failResponse, newId, type OutputItem, type ResponsesReply } from './responses-reply.ts';

/** An event of the Responses stream before it is numbered. */
type Said = { type: string; [field: string]: unknown };
/** An item that is being written. */
interface Open {
  item: Extract<OutputItem, { type: 'message' | 'reasoning' }>;
  at: number;
  text: string;
}

/** The whole stream as one response. Throws what the stream ended with. */
export async function collectResponse(
  open: ResponsesReply,
  events: AsyncIterable<ModelEvent>,
): Promise<ResponsesReply> {
  let last: ResponsesReply | undefined;
  const watched = async function* () {
    for await (const event of events) {
      if (event.type === 'end' && event.error) throw fromErrorShape(event.error);
      yield event;
    }
  };
  for await (const said of tell(open, watched())) if ('response' in said) last = said['response'] as ResponsesReply;
  if (!last || last.status === 'in_progress') throw new Error('the model stream ended without an end event');
  return last;
}

/** The stream as OpenAI's numbered events; `response.completed`, `.incomplete` or `.failed` is last. */
export async function* responseEvents(
  open: ResponsesReply,
  events: AsyncIterable<ModelEvent>,
  keep: (output: OutputItem[]) => void = () => {},
): AsyncGenerator<SseEvent> {
  let number = 0;
  for await (const said of tell(open, events, keep))
    yield { event: said.type, data: JSON.stringify({ ...said, sequence_number: number++ }) };
}

async function* tell(
  open: ResponsesReply,
  events: AsyncIterable<ModelEvent>,
  keep: (output: OutputItem[]) => void = () => {},
): AsyncGenerator<Said> {
  const output: OutputItem[] = [];
  let usage: Usage = { input: 0, output: 0, cachedInput: 0 };
  let writing: Open | undefined;
  yield { type: 'response.created', response: open };
  yield { type: 'response.in_progress', response: open };
  for await (const event of events) {
    if (event.type === 'text' || event.type === 'thinking') {
      if (event.text === '') continue;
      const type = event.type === 'text' ? 'message' : 'reasoning';
      if (writing?.item.type !== type) {
        yield* finish(writing);
        writing = begin(type, output);
        yield* opening(writing);
      }
      writing.text += event.text;
      yield { ...deltaOf(writing), delta: event.text };
    } else {
      if (event.type !== 'usage') {
        yield* finish(writing);
        writing = undefined;
      }
      if (event.type === 'tool-call') yield* call(event.call, output);
      else if (event.type === 'usage') usage = event.usage;
      else if (event.error) {
        const response = failResponse(open, output, fromErrorShape(event.error));
        yield { type: 'response.failed', response };
      } else {
        // Before the client can refer to them.
        keep(output);
        const response = closeResponse(open, { output, reason: event.reason, usage });
        yield { type: `response.${response.status}`, response };
      }
    }
  }
}

function begin(type: 'message' | 'reasoning', output: OutputItem[]): Open {
  const item: Open['item'] =
    type === 'message'
      ? { type, id: newId('msg'), role: 'assistant', status: 'in_progress', content: [] }
      : { type, id: newId('rs'), summary: [], status: 'in_progress' };
  output.push(item);
  return { item, at: output.length - 1, text: '' };
}

const textPart = (text: string) => ({ type: 'output_text' as const, text, annotations: [], logprobs: [] });
const summaryPart = (text: string) => ({ type: 'summary_text' as const, text });

function place({ item, at }: Open) {
  return { item_id: item.id, output_index: at, [item.type === 'message' ? 'content_index' : 'summary_index']: 0 };
}

function* opening(open: Open): Generator<Said> {
  yield { type: 'response.output_item.added', output_index: open.at, item: structuredClone(open.item) };
  if (open.item.type === 'message') yield { type: 'response.content_part.added', ...place(open), part: textPart('') };
  else yield { type: 'response.reasoning_summary_part.added', ...place(open), part: summaryPart('') };
}

function deltaOf(open: Open): Said {
  if (open.item.type === 'message') return { type: 'response.output_text.delta', ...place(open), logprobs: [] };
  return { type: 'response.reasoning_summary_text.delta', ...place(open) };
}

function* finish(open: Open | undefined): Generator<Said> {
  if (!open) return;
  const { item, text } = open;
  item.status = 'completed';
  if (item.type === 'message') {
    const part = textPart(text);
    item.content.push(part);
    yield { type: 'response.output_text.done', ...place(open), text, logprobs: [] };
    yield { type: 'response.content_part.done', ...place(open), part };
  } else {
    const part = summaryPart(text);
    item.summary.push(part);
    yield { type: 'response.reasoning_summary_text.done', ...place(open), text };
    yield { type: 'response.reasoning_summary_part.done', ...place(open), part };
  }
  yield { type: 'response.output_item.done', output_index: open.at, item };
}

/** The client's own tool is called: the arguments come whole, in one piece. */
function* call(part: ToolCallPart, output: OutputItem[]): Generator<Said> {
  const args = JSON.stringify(part.args);
  const { name } = part;
  const item = {
    type: 'function_call' as const,
    id: newId('fc'),
    call_id: part.id,
    name,
    arguments: '',
    status: 'in_progress' as const,
  };
  const output_index = output.length;
  const where = { item_id: item.id, output_index };
  yield { type: 'response.output_item.added', output_index, item };
  yield { type: 'response.function_call_arguments.delta', ...where, delta: args };
  yield { type: 'response.function_call_arguments.done', ...where, name, arguments: args };
  const done = { ...item, arguments: args, status: 'completed' as const };
  output.push(done);
  yield { type: 'response.output_item.done', output_index, item: done };
}
