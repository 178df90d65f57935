import * as v from 'valibot';
import { type PxError, toPxError } from '../../error/error.ts';
import type { EndReason, Usage } from '../../wire/wire.ts';
import type { ResponsesRequest } from './responses-request.ts';

const status = v.picklist(['in_progress', 'completed', 'incomplete']);

/** One item of an answer: a thought's summary, a message, or a call of the client's tool. */
const OutputItem = v.variant('type', [
  v.object({
    type: v.literal('reasoning'),
    id: v.string(),
    summary: v.array(v.object({ type: v.literal('summary_text'), text: v.string() })),
    status,
  }),
  v.object({
    type: v.literal('message'),
    id: v.string(),
    role: v.literal('assistant'),
    status,
    content: v.array(
      v.object({
        type: v.literal('output_text'),
        text: v.string(),
        annotations: v.array(v.never()),
        logprobs: v.array(v.never()),
      }),
    ),
  }),
  v.object({
    type: v.literal('function_call'),
    id: v.string(),
    call_id: v.string(),
    name: v.string(),
    arguments: v.string(),
    status,
  }),
]);
export type OutputItem = v.InferOutput<typeof OutputItem>;

/** OpenAI's response object, as px sends it. */
export const ResponsesReply = v.looseObject({
  id: v.string(),
  object: v.literal('response'),
  created_at: v.number(),
  status: v.picklist(['in_progress', 'completed', 'incomplete', 'failed']),
  model: v.string(),
  output: v.array(OutputItem),
  error: v.nullable(v.object({ code: v.string(), message: v.string() })),
  incomplete_details: v.nullable(v.object({ reason: v.picklist(['max_output_tokens', 'content_filter']) })),
});
export type ResponsesReply = v.InferOutput<typeof ResponsesReply>;

/** A new id in OpenAI's manner: `resp_…`, `msg_…`, `fc_…`, `rs_…`. */
export function newId(kind: 'resp' | 'msg' | 'fc' | 'rs'): string {
  return `${kind}_${crypto.randomUUID().replaceAll('-', '')}`;
}

/** The response to a request, before anything was said. Nothing is stored. */
export function openResponse(body: ResponsesRequest): ResponsesReply {
  return {
    id: newId('resp'),
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model: body.model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    store: false,
    temperature: body.temperature ?? null,
    text: { format: body.text?.format ?? { type: 'text' } },
    tool_choice: body.tool_choice ?? 'auto',
    tools: (body.tools ?? []).map((tool) => ({
      ...tool,
      parameters: tool.parameters ?? null,
      strict: tool.strict ?? false,
    })),
    top_p: body.top_p ?? null,
    truncation: 'disabled',
  };
}

/** The response as it ended. */
export function closeResponse(
  open: ResponsesReply,
  end: { output: OutputItem[]; reason: EndReason; usage: Usage },
): ResponsesReply {
  const cut = end.reason === 'length' || end.reason === 'limit';
  const incomplete = cut
    ? { reason: 'max_output_tokens' as const }
    : end.reason === 'refusal'
      ? { reason: 'content_filter' as const }
      : null;
  return {
    ...open,
    status: incomplete ? 'incomplete' : 'completed',
    incomplete_details: incomplete,
    output: end.output,
    usage: responsesUsage(end.usage),
  };
}

/** The response of a model that failed. */
export function failResponse(open: ResponsesReply, output: OutputItem[], thrown: unknown): ResponsesReply {
  const error = toPxError(thrown);
  return { ...open, status: 'failed', output, error: { code: failureCode(error), message: sayAll(error) } };
}

function sayAll(error: PxError): string {
  return error.hint ? `${error.message} ${error.hint}` : error.message;
}

/** OpenAI's own list of codes is closed. */
function failureCode(error: PxError): string {
  if (error.code === 'model.rate-limit') return 'rate_limit_exceeded';
  return error.code === 'model.overflow' || error.code === 'model.bad-request' ? 'invalid_prompt' : 'server_error';
}

function responsesUsage(usage: Usage): object {
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cachedInput, cache_write_tokens: 0 },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.input + usage.output,
  };
}
