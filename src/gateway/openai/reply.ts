import * as v from 'valibot';
import { type PxError, toPxError } from '../../error/error.ts';
import type { EndReason, ToolCallPart, Usage } from '../../wire/wire.ts';
import { statusOf } from '../status.ts';

const finishReason = v.picklist(['stop', 'length', 'tool_calls', 'content_filter']);
const tokens = v.object({
  prompt_tokens: v.number(),
  completion_tokens: v.number(),
  total_tokens: v.number(),
  prompt_tokens_details: v.object({ cached_tokens: v.number() }),
});
const call = v.object({
  id: v.string(),
  type: v.literal('function'),
  function: v.object({ name: v.string(), arguments: v.string() }),
});

/** OpenAI's chat completion, as px sends it. */
export const ChatReply = v.object({
  id: v.string(),
  object: v.literal('chat.completion'),
  created: v.number(),
  model: v.string(),
  choices: v.array(
    v.object({
      index: v.literal(0),
      message: v.object({
        role: v.literal('assistant'),
        content: v.nullable(v.string()),
        refusal: v.null(),
        reasoning_content: v.optional(
          v.pipe(v.string(), v.description('What the model thought, where it says so; as other servers name it.')),
        ),
        tool_calls: v.optional(v.array(call)),
      }),
      logprobs: v.null(),
      finish_reason: finishReason,
    }),
  ),
  usage: tokens,
});
export type ChatReply = v.InferOutput<typeof ChatReply>;

/** OpenAI's error object. */
export const OpenAiError = v.object({
  error: v.object({
    message: v.string(),
    type: v.string(),
    param: v.nullable(v.string()),
    code: v.nullable(v.string()),
  }),
});
export type OpenAiError = v.InferOutput<typeof OpenAiError>;

/** Any thrown value in OpenAI's error shape. */
export function openAiError(thrown: unknown): OpenAiError {
  const error = toPxError(thrown);
  const status = statusOf(error.code);
  const type =
    status === 401
      ? 'authentication_error'
      : status === 429
        ? 'rate_limit_error'
        : status === 402
          ? 'insufficient_quota'
          : status < 500
            ? 'invalid_request_error'
            : 'server_error';
  const message = error.hint ? `${error.message.replace(/[^.!?]$/, '$&.')} ${error.hint}` : error.message;
  return { error: { message, type, param: field(error, 'param', 'string') ?? null, code: error.code } };
}

/** An error as a response in OpenAI's shape; `retry-after` is passed on where the provider gave one. */
export function openAiRefusal(error: PxError, headers: Record<string, string> = {}): Response {
  const wait = field(error, 'retryAfterMs', 'number');
  const retry: Record<string, string> = wait === undefined ? {} : { 'retry-after': String(Math.ceil(wait / 1000)) };
  return Response.json(openAiError(error), { status: statusOf(error.code), headers: { ...retry, ...headers } });
}

function field(error: PxError, name: string, type: 'string'): string | undefined;
function field(error: PxError, name: string, type: 'number'): number | undefined;
function field({ data }: PxError, name: string, type: string): unknown {
  const value: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined;
  return typeof value === type ? value : undefined;
}

/** Why px stopped, in OpenAI's words. */
export function finish(reason: EndReason): v.InferOutput<typeof finishReason> {
  if (reason === 'tool-calls') return 'tool_calls';
  if (reason === 'length' || reason === 'limit') return 'length';
  return reason === 'refusal' ? 'content_filter' : 'stop';
}

/** Usage in OpenAI's words. */
export function openAiUsage(usage: Usage): v.InferOutput<typeof tokens> {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cachedInput },
  };
}

/** A tool call in OpenAI's words. */
export function openAiCall(part: ToolCallPart): v.InferOutput<typeof call> {
  return { id: part.id, type: 'function', function: { name: part.name, arguments: JSON.stringify(part.args) } };
}
