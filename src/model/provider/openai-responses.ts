import type { OpenAI } from 'openai';
import type {
  ResponseCreateParamsStreaming,
  ResponseInputContent,
  ResponseInputItem,
  ResponseOutputItem,
  ResponseUsage,
} from 'openai/resources/responses/responses';
import * as v from 'valibot';
import type { Attachment, TextPart, ToolResultPart, Usage } from '../../wire/wire.ts';
import type { ModelRequest } from '../model.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { normalise, resultText, type Turn } from '../protocol/history.ts';
import type { Emit } from '../protocol/run.ts';
import { toolSchema } from '../protocol/schema.ts';
import { finishCall, neutralName, wireName } from '../protocol/tools.ts';
import { modelName, providerName } from '../ref.ts';
import type { ProviderSettings } from '../settings.ts';
import { isReasoningModel, through } from './openai.ts';

/** The Responses API: request and stream. Nothing is stored at OpenAI; encrypted thoughts travel with the conversation. */
export async function responses(
  client: OpenAI,
  request: ModelRequest,
  settings: ProviderSettings,
  exchange: Exchange,
  emit: Emit,
): Promise<void> {
  const stream = await client.responses.create(responsesRequest(request, settings), through(exchange));
  let calls = 0;
  let refused = false;
  for await (const event of stream) {
    switch (event.type) {
      case 'response.output_text.delta':
        emit({ type: 'text', text: event.delta });
        break;
      case 'response.refusal.delta':
        refused = true;
        emit({ type: 'text', text: event.delta });
        break;
      case 'response.reasoning_summary_text.delta':
        emit({ type: 'thinking', text: event.delta });
        break;
      case 'response.output_item.added':
        if (event.item.type === 'function_call') request.onTool?.(neutralName(event.item.name, request.tools));
        break;
      case 'response.output_item.done':
        if (event.item.type === 'function_call') {
          if (event.item.status === 'incomplete') break;
          calls++;
          const { call_id, name, arguments: args } = event.item;
          emit({ type: 'tool-call', call: finishCall({ id: call_id, name, args }, request.tools) });
        } else if (event.item.type === 'reasoning') {
          const signature = sign(event.item);
          if (signature) emit({ type: 'thinking', text: '', signature });
        }
        break;
      case 'response.completed':
      case 'response.incomplete': {
        exchange.usage = usageOf(event.response.usage) ?? exchange.usage;
        const why = event.response.incomplete_details?.reason;
        if (why === 'max_output_tokens') emit({ type: 'end', reason: 'length' });
        else if (why === 'content_filter' || refused) emit({ type: 'end', reason: 'refusal' });
        else emit({ type: 'end', reason: calls > 0 ? 'tool-calls' : 'stop' });
        return;
      }
      case 'response.failed':
        exchange.usage = usageOf(event.response.usage) ?? exchange.usage;
        throw Object.assign(new Error(event.response.error?.message ?? 'the response failed'), {
          code: event.response.error?.code,
        });
      case 'error':
        throw Object.assign(new Error(event.message), { code: event.code });
    }
  }
}

function usageOf(usage: ResponseUsage | undefined): Usage | undefined {
  if (!usage) return undefined;
  return {
    input: usage.input_tokens ?? 0,
    output: usage.output_tokens ?? 0,
    cachedInput: usage.input_tokens_details?.cached_tokens ?? 0,
  };
}

function responsesRequest(request: ModelRequest, settings: ProviderSettings): ResponseCreateParamsStreaming {
  const model = modelName(request.model);
  const reasoning = isReasoningModel(model);
  const turns = normalise(request.messages, {
    provider: providerName(request.model),
    id: /^[a-zA-Z0-9_-]{1,64}$/,
    name: wireName,
    imagesInResults: true,
    documents: true,
  });
  const body: ResponseCreateParamsStreaming = {
    model,
    input: turns.flatMap(toItems),
    stream: true,
    store: false,
    max_output_tokens: Math.max(16, request.maxOutputTokens),
  };
  if (request.cache && !settings.customBaseUrl) body.prompt_cache_key = request.cache.key;
  if (request.system !== '') body.instructions = request.system;
  if (reasoning) {
    body.include = ['reasoning.encrypted_content'];
    if (request.thinking !== 'hidden') body.reasoning = { summary: 'auto' };
  } else if (request.temperature !== undefined) body.temperature = request.temperature;
  const { format } = request;
  if (format?.type === 'json') body.text = { format: { type: 'json_object' } };
  else if (format) {
    const { name, schema, strict } = format;
    body.text = { format: { type: 'json_schema', name, schema, ...(strict === undefined ? {} : { strict }) } };
  }
  if (request.tools.length > 0) {
    body.tools = request.tools.map((tool) => ({
      type: 'function',
      name: wireName(tool.name),
      description: tool.description,
      parameters: toolSchema(tool.parameters),
      strict: false,
    }));
    if (request.toolChoice) body.tool_choice = request.toolChoice;
  }
  return body;
}

function toItems(turn: Turn): ResponseInputItem[] {
  if (turn.role === 'results')
    return turn.results.map((r) => ({ type: 'function_call_output', call_id: r.callId, output: resultOutput(r) }));
  if (turn.role === 'user')
    return [
      {
        role: 'user',
        content: turn.parts.map(userContent),
      },
    ];
  return turn.parts.flatMap((p, at): ResponseInputItem[] => {
    if (p.type === 'text') return [{ role: 'assistant', content: p.text }];
    if (p.type === 'tool-call')
      return [{ type: 'function_call', call_id: p.id, name: p.name, arguments: JSON.stringify(p.args) }];
    // A thought must be followed by what it led to.
    const reasoning = at < turn.parts.length - 1 ? unsign(p.signature) : undefined;
    return reasoning ? [reasoning] : [];
  });
}

function userContent(part: TextPart | Attachment): ResponseInputContent {
  if (part.type === 'text') return { type: 'input_text', text: part.text };
  const url = `data:${part.mime};base64,${part.data}`;
  return part.type === 'image'
    ? { type: 'input_image', detail: 'auto', image_url: url }
    : { type: 'input_file', filename: part.name, file_data: url };
}

/** Text alone as text, which compatible servers take too; pictures as the API has them. */
function resultOutput(result: ToolResultPart): ResponseInputItem.FunctionCallOutput['output'] {
  const images = result.content.flatMap((part) => (part.type === 'image' ? [part] : []));
  if (images.length === 0) return resultText(result);
  const text = resultText(result);
  return [
    ...(text === '' ? [] : [{ type: 'input_text' as const, text }]),
    ...images.map((p) => ({ type: 'input_image' as const, image_url: `data:${p.mime};base64,${p.data}` })),
  ];
}

const Signature = v.object({
  id: v.string(),
  encrypted_content: v.string(),
  summary: v.array(v.object({ type: v.literal('summary_text'), text: v.string() })),
});

/** A reasoning item as the opaque signature of a thought. */
function sign(item: Extract<ResponseOutputItem, { type: 'reasoning' }>): string | undefined {
  if (!item.encrypted_content) return undefined;
  const { id, encrypted_content, summary } = item;
  return JSON.stringify({ id, encrypted_content, summary: summary ?? [] });
}

function unsign(signature: string | undefined): ResponseInputItem | undefined {
  if (!signature?.startsWith('{')) return undefined;
  try {
    return { type: 'reasoning', ...v.parse(Signature, JSON.parse(signature)) };
  } catch {
    return undefined;
  }
}
