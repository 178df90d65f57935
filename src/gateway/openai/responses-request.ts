import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import type { Items } from './items.ts';
import type { ChatRequest } from './request.ts';
import type { OutputItem } from './responses-reply.ts';

const textPart = v.looseObject({ type: v.picklist(['input_text', 'output_text', 'text']), text: v.string() });
const imagePart = v.looseObject({ type: v.literal('input_image'), image_url: v.string() });
const filePart = v.looseObject({
  type: v.literal('input_file'),
  filename: v.nullish(v.string()),
  file_data: v.nullish(v.string()),
});
const refusalPart = v.looseObject({ type: v.literal('refusal'), refusal: v.string() });
const content = v.union([v.string(), v.array(v.variant('type', [textPart, imagePart, filePart, refusalPart]))]);

const message = v.looseObject({
  type: v.nullish(v.literal('message'), 'message'),
  role: v.picklist(['system', 'developer', 'user', 'assistant']),
  content,
});
const item = v.variant('type', [
  message,
  v.looseObject({ type: v.literal('function_call'), call_id: v.string(), name: v.string(), arguments: v.string() }),
  v.looseObject({ type: v.literal('function_call_output'), call_id: v.string(), output: content }),
  // Thoughts of an earlier answer: taken, and not passed on, for px does not know which provider made them.
  v.looseObject({ type: v.literal('reasoning') }),
  v.looseObject({ type: v.nullish(v.literal('item_reference'), 'item_reference'), id: v.string() }),
]);

const tool = v.looseObject({
  type: v.literal('function', 'only function tools can be passed through'),
  name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/)),
  description: v.nullish(v.string()),
  parameters: v.nullish(v.record(v.string(), v.unknown())),
  strict: v.nullish(v.boolean()),
});

const format = v.variant('type', [
  v.looseObject({ type: v.literal('text') }),
  v.looseObject({ type: v.literal('json_object') }),
  v.looseObject({
    type: v.literal('json_schema'),
    name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/)),
    schema: v.record(v.string(), v.unknown()),
    strict: v.nullish(v.boolean()),
  }),
]);

const positive = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1)));

/** The part of OpenAI's Responses request that px honours; other fields are accepted and ignored. What may be left out may be null. */
export const ResponsesRequest = v.looseObject({
  model: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(200),
    v.description('`px` is the agent with its tools; `provider/model` or an alias is that model alone.'),
  ),
  input: v.union([v.pipe(v.string(), v.minLength(1)), v.pipe(v.array(item), v.minLength(1))]),
  instructions: v.nullish(v.string()),
  stream: v.nullish(v.boolean()),
  tools: v.nullish(v.array(tool)),
  tool_choice: v.nullish(
    v.union([
      v.picklist(['none', 'auto', 'required']),
      v.looseObject({ type: v.literal('function'), name: v.string() }),
    ]),
  ),
  text: v.nullish(v.looseObject({ format: v.nullish(format) })),
  max_output_tokens: positive,
  temperature: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  top_p: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  parallel_tool_calls: v.nullish(v.boolean()),
  metadata: v.nullish(v.record(v.string(), v.string())),
  previous_response_id: v.nullish(v.string()),
  conversation: v.nullish(v.unknown()),
  background: v.nullish(v.boolean()),
  store: v.nullish(v.boolean()),
  user: v.nullish(v.pipe(v.string(), v.maxLength(200))),
});
export type ResponsesRequest = v.InferOutput<typeof ResponsesRequest>;

/** The same question as a chat completion request. Throws PxError `gateway.bad-request` for what needs stored answers. */
export function toChatRequest(body: ResponsesRequest, kept: Pick<Items, 'find'>): ChatRequest {
  refuseStored(body);
  const messages: ChatRequest['messages'] = [];
  if (body.instructions) messages.push({ role: 'system', content: body.instructions });
  for (const given of typeof body.input === 'string' ? [userMessage(body.input)] : body.input) {
    const one = given.type === 'item_reference' ? referred(given.id, kept) : given;
    if (one.type === 'message') messages.push({ role: one.role, content: chatContent(one.content) });
    else if (one.type === 'function_call_output')
      messages.push({ role: 'tool', tool_call_id: one.call_id, content: chatContent(one.output) });
    else if (one.type === 'function_call') {
      const { call_id, name, arguments: args } = one;
      const call = { id: call_id, type: 'function' as const, function: { name, arguments: args } };
      const last = messages.at(-1);
      // What a model said and called in one answer comes as items of their own.
      if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), call];
      else messages.push({ role: 'assistant', content: null, tool_calls: [call] });
    }
  }
  const choice = body.tool_choice;
  return {
    model: body.model,
    messages,
    tools: body.tools?.map(({ name, description, parameters }) => ({
      type: 'function' as const,
      function: { name, ...(description ? { description } : {}), ...(parameters ? { parameters } : {}) },
    })),
    tool_choice: typeof choice === 'object' && choice ? { type: 'function', function: { name: choice.name } } : choice,
    response_format: chatFormat(body.text?.format),
    max_completion_tokens: body.max_output_tokens,
    temperature: body.temperature,
    ...(typeof body.user === 'string' ? { user: body.user } : {}),
  };
}

function refuseStored(body: ResponsesRequest): void {
  const field = body.previous_response_id ? 'previous_response_id' : body.conversation ? 'conversation' : undefined;
  if (field)
    throw new PxError('gateway.bad-request', `px stores no responses, so ${field} cannot be continued.`, {
      hint: 'Send the earlier items in `input`; or use model `px` with `user`, which keeps the conversation.',
      data: { param: field },
    });
  if (body.background)
    throw new PxError('gateway.bad-request', 'px stores no responses, so it cannot answer in the background.', {
      hint: 'Leave `background` out, or post to /hooks/agent.',
      data: { param: 'background' },
    });
}

/** What a reference stands for. Throws PxError `not-found`. */
function referred(id: string, kept: Pick<Items, 'find'>): OutputItem {
  const item = kept.find(id);
  if (item) return item;
  throw new PxError('not-found', `Item ${id.slice(0, 100)} is not known (any more).`, {
    hint: 'px keeps what it answered for an hour and not over a restart: send the items themselves (`store: false`).',
    data: { param: 'input' },
  });
}

const userMessage = (text: string) => ({ type: 'message' as const, role: 'user' as const, content: text });

type ChatContent = Extract<ChatRequest['messages'][number], { role: 'tool' }>['content'];

function chatContent(value: v.InferOutput<typeof content>): ChatContent {
  if (typeof value === 'string') return value;
  return value.map((part) => {
    if (part.type === 'input_image') return { type: 'image_url' as const, image_url: { url: part.image_url } };
    if (part.type === 'input_file') {
      const { filename, file_data } = part;
      return { type: 'file' as const, file: { filename, file_data } };
    }
    if (part.type === 'refusal') return { type: 'refusal' as const, refusal: part.refusal };
    return { type: 'text' as const, text: part.text };
  });
}

function chatFormat(asked: v.InferOutput<typeof format> | null | undefined): ChatRequest['response_format'] {
  if (asked?.type !== 'json_schema') return asked;
  const { name, schema, strict } = asked;
  return { type: 'json_schema', json_schema: { name, schema, strict } };
}
