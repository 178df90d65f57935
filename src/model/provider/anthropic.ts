import type { Anthropic } from '@anthropic-ai/sdk';
import type { EndReason, JsonSchema, ToolCallPart, Usage } from '../../wire/wire.ts';
import type { AnswerFormat, ModelRequest, Provider, ToolSpec } from '../model.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { normalise, type Turn } from '../protocol/history.ts';
import { type Emit, wireProvider } from '../protocol/run.ts';
import { remembered, toolSchema } from '../protocol/schema.ts';
import { finishCall, neutralName, wireName } from '../protocol/tools.ts';
import { modelName } from '../ref.ts';
import type { ProviderSettings } from '../settings.ts';
import { anthropicSchema, ownArguments } from './anthropic-schema.ts';

type Block = Anthropic.ContentBlockParam;

const parametersSchema = remembered((given) => anthropicSchema(toolSchema(given)));

/** What stands for OpenAI's JSON mode. */
const jsonOnly = 'Answer with one JSON object and nothing else: no words around it, no code fence.';

/** Marks the signature of a thought that Anthropic sends encrypted as a whole. */
const redacted = 'redacted:';

/** Anthropic's Messages API. */
export function anthropicProvider(settings: () => ProviderSettings): Provider {
  return wireProvider({ provider: 'anthropic', settings, open, list });
}

async function list(settings: ProviderSettings, exchange: Exchange): Promise<string[]> {
  const client = await anthropicClient(settings, exchange);
  return (await client.models.list({ limit: 100 })).data.map((model) => model.id);
}

async function anthropicClient(settings: ProviderSettings, exchange: Exchange): Promise<Anthropic> {
  const sdk = await import('@anthropic-ai/sdk');
  return new sdk.Anthropic({
    apiKey: settings.apiKey ?? 'none',
    baseURL: settings.baseUrl,
    fetch: exchange.fetch,
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
    logLevel: 'off',
    openTelemetry: false,
  });
}

async function open(request: ModelRequest, settings: ProviderSettings, exchange: Exchange, emit: Emit): Promise<void> {
  const client = await exchange.race(anthropicClient(settings, exchange));
  const stream = await client.messages.create(messagesRequest(request, await answerSchema(request.format)));
  const usage: Usage = { input: 0, output: 0, cachedInput: 0 };
  let call: { id: string; name: string; args: string } | undefined;
  let signature = '';
  let calls = 0;
  let stop: string | undefined;
  for await (const event of stream) {
    switch (event.type) {
      case 'message_start':
        count(usage, event.message.usage);
        exchange.usage = usage;
        exchange.cacheWrite = event.message.usage?.cache_creation_input_tokens ?? 0;
        break;
      case 'content_block_start': {
        const block = event.content_block;
        if (block.type === 'tool_use') {
          call = { id: block.id, name: block.name, args: '' };
          request.onTool?.(neutralName(block.name, request.tools));
        } else if (block.type === 'redacted_thinking')
          emit({ type: 'thinking', text: '', signature: redacted + block.data });
        else if (block.type === 'thinking') signature = block.signature ?? '';
        else if (block.type === 'text' && block.text) emit({ type: 'text', text: block.text });
        break;
      }
      case 'content_block_delta': {
        const { delta } = event;
        if (delta.type === 'text_delta') emit({ type: 'text', text: delta.text });
        else if (delta.type === 'thinking_delta') emit({ type: 'thinking', text: delta.thinking });
        else if (delta.type === 'signature_delta') signature += delta.signature;
        else if (delta.type === 'input_json_delta' && call) call.args += delta.partial_json;
        break;
      }
      case 'content_block_stop':
        if (signature) emit({ type: 'thinking', text: '', signature });
        signature = '';
        // A call that was cut off by the token limit is known only at the end: hold a broken one back.
        if (call && (isJson(call.args) || call.args === '')) {
          calls++;
          emit({ type: 'tool-call', call: toCall(call, request.tools) });
          call = undefined;
        }
        break;
      case 'message_delta':
        count(usage, event.usage);
        exchange.usage = usage;
        stop = event.delta.stop_reason ?? stop;
        break;
      case 'message_stop':
        if (stop === undefined) return;
        if (call && stop !== 'max_tokens') finishCall(call, request.tools);
        emit({ type: 'end', reason: endReason(stop, calls) });
        return;
    }
  }
}

/** Anthropic counts cached tokens apart from `input_tokens`; the last word on each number wins. */
function count(usage: Usage, told: Anthropic.Usage | Anthropic.MessageDeltaUsage | undefined): void {
  if (!told) return;
  const cached = told.cache_read_input_tokens ?? 0;
  const input = (told.input_tokens ?? 0) + cached + (told.cache_creation_input_tokens ?? 0);
  if (input > 0) {
    usage.input = input;
    usage.cachedInput = cached;
  }
  usage.output = told.output_tokens ?? usage.output;
}

function endReason(stop: string, calls: number): EndReason {
  if (stop === 'max_tokens' || stop === 'model_context_window_exceeded') return 'length';
  if (stop === 'refusal') return 'refusal';
  return calls > 0 ? 'tool-calls' : 'stop';
}

/** A schema of the answer in the part Anthropic holds to: its SDK knows which. */
async function answerSchema(format: AnswerFormat | undefined): Promise<JsonSchema | undefined> {
  if (format?.type !== 'schema') return undefined;
  const { transformJSONSchema } = await import('@anthropic-ai/sdk/lib/transform-json-schema');
  try {
    return transformJSONSchema(format.schema) as JsonSchema;
  } catch {
    // It cannot be translated; the server says why it does not take it.
    return format.schema;
  }
}

/** A finished call under the names its tool gave its parameters. */
function toCall(call: { id: string; name: string; args: string }, tools: ToolSpec[]): ToolCallPart {
  const made = finishCall(call, tools);
  const tool = tools.find((one) => one.name === made.name);
  return tool ? { ...made, args: ownArguments(toolSchema(tool.parameters), made.args) } : made;
}

function messagesRequest(
  request: ModelRequest,
  answer: JsonSchema | undefined,
): Anthropic.MessageCreateParamsStreaming {
  const model = modelName(request.model);
  const turns = normalise(request.messages, {
    provider: 'anthropic',
    id: /^[a-zA-Z0-9_-]{1,64}$/,
    name: wireName,
    imagesInResults: true,
    documents: true,
  });
  const messages: Anthropic.MessageParam[] = [];
  for (const turn of turns) {
    const role = turn.role === 'assistant' ? 'assistant' : 'user';
    const last = messages.at(-1);
    if (last?.role === role && Array.isArray(last.content)) last.content.push(...toBlocks(turn));
    else messages.push({ role, content: toBlocks(turn) });
  }
  cacheUpTo(messages);
  const body: Anthropic.MessageCreateParamsStreaming = {
    model,
    messages,
    max_tokens: request.maxOutputTokens,
    stream: true,
  };
  if (request.system !== '') body.system = systemBlocks(request.system, request.cache?.stable ?? request.system.length);
  // Newer models refuse sampling parameters, and the SDK's types no longer know them.
  if (request.temperature !== undefined && !/^claude-[a-z]+-(4-[7-9]|[5-9])/.test(model))
    Object.assign(body, { temperature: Math.min(1, request.temperature) });
  const stop = request.stop?.filter((s) => s.trim() !== '');
  if (stop?.length) body.stop_sequences = stop;
  const { format } = request;
  // Without a schema there is no such mode; it is asked for in words.
  if (format?.type === 'json') body.system = [...systemOf(body.system), { type: 'text', text: jsonOnly }];
  else if (answer) body.output_config = { format: { type: 'json_schema', schema: answer } };
  // A forced tool call and thinking exclude each other.
  if (thinksByItself(model) && request.toolChoice !== 'required')
    body.thinking = { type: 'adaptive', display: request.thinking === 'hidden' ? 'omitted' : 'summarized' };
  if (request.tools.length > 0) {
    body.tools = request.tools.map((tool) => ({
      name: wireName(tool.name),
      description: tool.description,
      input_schema: { ...parametersSchema(tool.parameters), type: 'object' },
    }));
    if (request.toolChoice) body.tool_choice = { type: request.toolChoice === 'required' ? 'any' : request.toolChoice };
  }
  return body;
}

const systemOf = (system: Anthropic.MessageCreateParams['system']) => (Array.isArray(system) ? system : []);

/** Models that think unless told otherwise, and keep what they thought to themselves unless asked. */
function thinksByItself(model: string): boolean {
  return /^claude-[a-z]+-[5-9]/.test(model);
}

/** The stable part with a mark at its end, which covers the tools too; what changes comes after it. */
function systemBlocks(system: string, stable: number): Anthropic.TextBlockParam[] {
  const kept: Anthropic.TextBlockParam = {
    type: 'text',
    text: system.slice(0, stable),
    cache_control: { type: 'ephemeral' },
  };
  const rest = system.slice(stable);
  if (stable === 0) return [{ type: 'text', text: rest }];
  return rest.trim() === '' ? [kept] : [kept, { type: 'text', text: rest }];
}

/** Everything before the end of the last message is the same in the next step of a tool loop: let Anthropic keep it. */
function cacheUpTo(messages: Anthropic.MessageParam[]): void {
  const last = messages.at(-1);
  const block = Array.isArray(last?.content) ? last.content.at(-1) : undefined;
  if (block?.type === 'text' || block?.type === 'tool_result') block.cache_control = { type: 'ephemeral' };
}

function toBlocks(turn: Turn): Block[] {
  if (turn.role === 'results')
    return turn.results.map((r) => ({
      type: 'tool_result',
      tool_use_id: r.callId,
      is_error: r.isError,
      content: r.content.map((c) => (c.type === 'text' ? { type: 'text', text: c.text } : image(c))),
    }));
  return turn.parts.map((p): Block => {
    if (p.type === 'text') return { type: 'text', text: p.text };
    if (p.type === 'image') return image(p);
    if (p.type === 'file')
      return {
        type: 'document',
        title: p.name.slice(0, 500),
        source: { type: 'base64', media_type: 'application/pdf', data: p.data },
      };
    if (p.type === 'tool-call') return { type: 'tool_use', id: p.id, name: p.name, input: p.args };
    const signature = p.signature ?? '';
    return signature.startsWith(redacted)
      ? { type: 'redacted_thinking', data: signature.slice(redacted.length) }
      : { type: 'thinking', thinking: p.text, signature };
  });
}

const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;

function image(part: { mime: string; data: string }): Anthropic.ImageBlockParam | Anthropic.TextBlockParam {
  const type = imageTypes.find((known) => known === part.mime);
  if (!type) return { type: 'text', text: `(an image of type ${part.mime} that this model cannot see)` };
  return { type: 'image', source: { type: 'base64', media_type: type, data: part.data } };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
