import type { OpenAI } from 'openai';
import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { Attachment, EndReason, TextPart } from '../../wire/wire.ts';
import type { AnswerFormat, ModelRequest } from '../model.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { normalise, resultText, type Turn } from '../protocol/history.ts';
import type { Emit } from '../protocol/run.ts';
import { toolSchema } from '../protocol/schema.ts';
import { CallCollector, neutralName, wireName } from '../protocol/tools.ts';
import { modelName, providerName } from '../ref.ts';
import type { ProviderSettings } from '../settings.ts';
import { isReasoningModel, through } from './openai.ts';

/** Fields in which compatible servers stream thoughts, and take them back in a tool loop. */
const thoughtFields = ['reasoning_content', 'reasoning'] as const;

/** Chat Completions: request and stream. */
export async function chat(
  client: OpenAI,
  request: ModelRequest,
  settings: ProviderSettings,
  exchange: Exchange,
  emit: Emit,
): Promise<void> {
  const stream = await client.chat.completions.create(chatRequest(request, settings), through(exchange));
  const calls = new CallCollector();
  let finish: string | undefined;
  let thinking: string | undefined;
  let refused = false;
  for await (const chunk of stream) {
    if (chunk.usage)
      exchange.usage = {
        input: chunk.usage.prompt_tokens ?? 0,
        output: chunk.usage.completion_tokens ?? 0,
        cachedInput: chunk.usage.prompt_tokens_details?.cached_tokens ?? 0,
      };
    const choice = chunk.choices?.[0];
    if (!choice) continue;
    const delta = choice.delta ?? {};
    const thought = thoughtIn(delta);
    if (thought) {
      thinking = thought.field;
      emit({ type: 'thinking', text: thought.text });
    } else if (thinking && (delta.content || delta.tool_calls?.length)) {
      emit({ type: 'thinking', text: '', signature: thinking });
      thinking = undefined;
    }
    if (delta.content) emit({ type: 'text', text: delta.content });
    if (delta.refusal) {
      refused = true;
      emit({ type: 'text', text: delta.refusal });
    }
    for (const { index, id, function: { name, arguments: args } = {} } of delta.tool_calls ?? []) {
      calls.add(String(index ?? 0), { id, name, args });
      if (name) request.onTool?.(neutralName(name, request.tools));
    }
    if (choice.finish_reason) finish = choice.finish_reason;
  }
  if (finish === undefined) return;
  if (finish !== 'length' || calls.size === 0)
    for (const call of calls.finish(request.tools)) emit({ type: 'tool-call', call });
  emit({ type: 'end', reason: refused ? 'refusal' : endReason(finish, calls.size) });
}

/** A piece of thought, and the field it came in: that is where it goes back to. */
function thoughtIn(delta: object): { field: string; text: string } | undefined {
  for (const field of thoughtFields) {
    const text: unknown = Reflect.get(delta, field);
    if (typeof text === 'string' && text !== '') return { field, text };
  }
  return undefined;
}

function endReason(finish: string, calls: number): EndReason {
  if (finish === 'length') return 'length';
  if (finish === 'content_filter') return 'refusal';
  return calls > 0 ? 'tool-calls' : 'stop';
}

function chatRequest(request: ModelRequest, settings: ProviderSettings): ChatCompletionCreateParamsStreaming {
  const model = modelName(request.model);
  const reasoning = isReasoningModel(model);
  const body: ChatCompletionCreateParamsStreaming = {
    model,
    messages: [
      ...(request.system === '' ? [] : [{ role: 'system' as const, content: request.system }]),
      ...normalise(request.messages, {
        provider: providerName(request.model),
        id: /^[a-zA-Z0-9_-]{1,40}$/,
        name: wireName,
        imagesInResults: false,
        documents: true,
      }).flatMap(toMessages),
    ],
    stream: true,
    stream_options: { include_usage: true },
  };
  // Requests with one key go to one machine, which has their beginning in its cache. Compatible servers may not know it.
  if (request.cache && !settings.customBaseUrl) body.prompt_cache_key = request.cache.key;
  // Compatible servers know `max_tokens`; OpenAI's own newer models refuse it.
  if (settings.customBaseUrl && !reasoning) body.max_tokens = request.maxOutputTokens;
  else body.max_completion_tokens = request.maxOutputTokens;
  if (!reasoning) {
    if (request.temperature !== undefined) body.temperature = request.temperature;
    if (request.stop?.length) body.stop = request.stop;
    if (request.seed !== undefined) body.seed = request.seed;
  }
  if (request.format) body.response_format = responseFormat(request.format);
  if (request.tools.length > 0) {
    body.tools = request.tools.map((tool) => ({
      type: 'function',
      function: { name: wireName(tool.name), description: tool.description, parameters: toolSchema(tool.parameters) },
    }));
    if (request.toolChoice) body.tool_choice = request.toolChoice;
    // These take tools over this API only without thinking (over the Responses API they have no such limit).
    if (/^gpt-(5\.[5-9]|6-(sol|luna))/.test(model)) body.reasoning_effort = 'none';
  }
  return body;
}

function responseFormat(format: AnswerFormat): NonNullable<ChatCompletionCreateParamsStreaming['response_format']> {
  if (format.type === 'json') return { type: 'json_object' };
  const { name, schema, strict } = format;
  return { type: 'json_schema', json_schema: { name, schema, ...(strict === undefined ? {} : { strict }) } };
}

function toMessages(turn: Turn): ChatCompletionMessageParam[] {
  if (turn.role === 'results')
    return turn.results.map((r) => ({ role: 'tool', tool_call_id: r.callId, content: resultText(r) }));
  if (turn.role === 'user') return [{ role: 'user', content: userContent(turn.parts) }];
  const text = turn.parts.flatMap((p) => (p.type === 'text' ? [p.text] : [])).join('');
  const calls = turn.parts.flatMap((p) => (p.type === 'tool-call' ? [p] : []));
  const thought = turn.parts.find((p) => p.type === 'thinking');
  const field = thoughtFields.find((name) => name === thought?.signature);
  return [
    {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map((c) => ({
              id: c.id,
              type: 'function' as const,
              function: { name: c.name, arguments: JSON.stringify(c.args) },
            })),
          }),
      ...(field && thought && calls.length > 0 ? { [field]: thought.text } : {}),
    },
  ];
}

function userContent(parts: (TextPart | Attachment)[]): string | ChatCompletionContentPart[] {
  if (parts.every((p) => p.type === 'text')) return parts.map((p) => p.text).join('\n\n');
  return parts.map((p) => {
    if (p.type === 'text') return { type: 'text', text: p.text };
    const url = `data:${p.mime};base64,${p.data}`;
    return p.type === 'image'
      ? { type: 'image_url', image_url: { url } }
      : { type: 'file', file: { filename: p.name, file_data: url } };
  });
}
