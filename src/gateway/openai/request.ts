import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import type { ModelRequest } from '../../model/model.ts';
import {
  type Attached,
  type Attachment,
  type ImagePart,
  type JsonObject,
  type JsonSchema,
  type Message,
  type ModelRef,
  type TextPart,
  toAttachment,
} from '../../wire/wire.ts';

const textPart = v.looseObject({ type: v.literal('text'), text: v.string() });
const imagePart = v.looseObject({ type: v.literal('image_url'), image_url: v.looseObject({ url: v.string() }) });
const filePart = v.looseObject({
  type: v.literal('file'),
  file: v.looseObject({ filename: v.nullish(v.string()), file_data: v.nullish(v.string()) }),
});
const refusalPart = v.looseObject({ type: v.literal('refusal'), refusal: v.string() });
const content = v.union([v.string(), v.array(v.variant('type', [textPart, imagePart, filePart, refusalPart]))]);
const toolCall = v.looseObject({
  id: v.string(),
  type: v.nullish(v.literal('function'), 'function'),
  function: v.looseObject({ name: v.string(), arguments: v.string() }),
});
const toolChoice = v.union([
  v.picklist(['none', 'auto', 'required']),
  v.looseObject({ type: v.literal('function'), function: v.looseObject({ name: v.string() }) }),
]);

/** The form of the answer; not every provider can hold to one. */
const responseFormat = v.variant('type', [
  v.looseObject({ type: v.literal('text') }),
  v.looseObject({ type: v.literal('json_object') }),
  v.looseObject({
    type: v.literal('json_schema'),
    json_schema: v.looseObject({
      name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/)),
      schema: v.nullish(v.record(v.string(), v.unknown())),
      strict: v.nullish(v.boolean()),
    }),
  }),
]);

const message = v.variant('role', [
  v.object({ role: v.picklist(['system', 'developer', 'user']), content }),
  v.object({
    role: v.literal('assistant'),
    content: v.nullish(content),
    tool_calls: v.nullish(v.array(toolCall)),
  }),
  v.object({ role: v.literal('tool'), content, tool_call_id: v.string() }),
]);

/** The part of OpenAI's chat completion request that px honours; other fields are accepted and ignored. What may be left out may be null: programs send both. */
export const ChatRequest = v.looseObject({
  model: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(200),
    v.description('`px` is the agent with its tools; `provider/model` or an alias is that model alone.'),
  ),
  messages: v.pipe(v.array(message), v.minLength(1)),
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.looseObject({ include_usage: v.nullish(v.boolean()) })),
  tools: v.nullish(
    v.array(
      v.looseObject({
        type: v.literal('function'),
        function: v.looseObject({
          name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/)),
          description: v.nullish(v.string()),
          parameters: v.nullish(v.record(v.string(), v.unknown())),
        }),
      }),
    ),
  ),
  tool_choice: v.nullish(toolChoice),
  response_format: v.nullish(responseFormat),
  max_tokens: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1))),
  max_completion_tokens: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1))),
  temperature: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  stop: v.nullish(v.union([v.string(), v.array(v.string())])),
  seed: v.nullish(v.pipe(v.number(), v.integer())),
  n: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1))),
  user: v.nullish(
    v.pipe(
      v.string(),
      v.maxLength(200),
      v.description('With model `px`: requests of one user share a conversation that px remembers.'),
    ),
  ),
});
export type ChatRequest = v.InferOutput<typeof ChatRequest>;

/** An OpenAI request as px's neutral one. Throws PxError `gateway.bad-request`. */
export function toModelRequest(body: ChatRequest, model: ModelRef, maxOutputTokens: number): ModelRequest {
  const system: string[] = [];
  const messages: Message[] = [];
  const callNames = new Map<string, string>();
  for (const m of body.messages) {
    if (m.role === 'assistant') {
      const text = m.content ? textOf(m.content) : '';
      const calls = (m.tool_calls ?? []).map((call) => {
        callNames.set(call.id, call.function.name);
        return {
          type: 'tool-call' as const,
          id: call.id,
          name: call.function.name,
          args: parseArguments(call.function.arguments),
        };
      });
      messages.push({
        role: 'assistant',
        parts: [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...calls],
      });
    } else if (m.role === 'tool') {
      const result = {
        type: 'tool-result' as const,
        callId: m.tool_call_id,
        name: callNames.get(m.tool_call_id) ?? 'unknown',
        content: parts(m.content).map(inResult),
        isError: false,
      };
      const last = messages.at(-1);
      if (last?.role === 'tool') last.parts.push(result);
      else messages.push({ role: 'tool', parts: [result] });
    } else if (m.role === 'user') messages.push({ role: 'user', parts: parts(m.content) });
    else system.push(textOf(m.content));
  }
  const choice = body.tool_choice;
  const wanted = typeof choice === 'object' ? choice?.function.name : undefined;
  return {
    model,
    system: system.join('\n\n'),
    messages,
    tools: (body.tools ?? [])
      .filter((tool) => wanted === undefined || tool.function.name === wanted)
      .map(({ function: f }) => ({
        name: f.name,
        description: f.description ?? '',
        // A parsed JSON body holds JSON values and nothing else.
        parameters: (f.parameters ?? { type: 'object', properties: {} }) as JsonSchema,
      })),
    maxOutputTokens: Math.min(body.max_completion_tokens ?? body.max_tokens ?? maxOutputTokens, 1_000_000),
    ...(typeof body.temperature === 'number' ? { temperature: body.temperature } : {}),
    ...(choice === 'none' || choice === 'required' || choice === 'auto' ? { toolChoice: choice } : {}),
    ...(wanted === undefined ? {} : { toolChoice: 'required' as const }),
    ...(body.stop?.length ? { stop: typeof body.stop === 'string' ? [body.stop] : body.stop } : {}),
    ...(typeof body.seed === 'number' ? { seed: body.seed } : {}),
    ...formatOf(body.response_format),
  };
}

function formatOf(asked: ChatRequest['response_format']): Pick<ModelRequest, 'format'> {
  if (asked?.type === 'json_object') return { format: { type: 'json' } };
  if (asked?.type !== 'json_schema') return {};
  const { name, schema, strict } = asked.json_schema;
  return {
    format: {
      type: 'schema',
      name,
      // It came as JSON, so it holds JSON values and nothing else.
      schema: (schema ?? { type: 'object' }) as JsonSchema,
      ...(typeof strict === 'boolean' ? { strict } : {}),
    },
  };
}

/**
 * The text the agent is asked when a client sends a whole conversation: the last user message; what came before is quoted,
 * for a client without `user` keeps the history itself.
 */
export function toAgentText(body: ChatRequest): string {
  const last = body.messages.findLastIndex((m) => m.role === 'user');
  const asked = body.messages[last];
  if (!asked?.content) throw new PxError('gateway.bad-request', 'There is no user message to answer.');
  const system = body.messages.filter((m) => m.role === 'system' || m.role === 'developer');
  const earlier = typeof body.user !== 'string' ? body.messages.slice(0, last).filter((m) => !system.includes(m)) : [];
  const block = (title: string, lines: string[]) => (lines.length === 0 ? [] : [`[${title}]\n${lines.join('\n')}`]);
  return [
    ...block(
      'Instructions of the calling program',
      system.map((m) => textOf(m.content ?? '')),
    ),
    ...block(
      'Earlier in this conversation',
      earlier.map((m) => `${m.role}: ${textOf(m.content ?? '')}`),
    ),
    ...(system.length + earlier.length > 0 ? ['[Now]'] : []),
    textOf(asked.content),
  ].join('\n\n');
}

type Content = v.InferOutput<typeof content>;

function textOf(value: Content): string {
  if (typeof value === 'string') return value;
  return value.map((part) => (part.type === 'text' ? part.text : part.type === 'refusal' ? part.refusal : '')).join('');
}

/** Pictures and documents of what is asked: of the last message, and of earlier ones where the client keeps the history. */
export function toAgentAttachments(body: ChatRequest): Attached[] {
  const asked = body.messages.filter((m) => m.role === 'user');
  return (typeof body.user !== 'string' ? asked : asked.slice(-1)).flatMap((m) =>
    parts(m.content ?? '').flatMap((part) => (part.type === 'text' ? [] : [attached(part)])),
  );
}

function attached(part: Attachment): Attached {
  return { mime: part.mime, data: part.data, ...(part.type === 'file' ? { name: part.name } : {}) };
}

function parts(value: Content): (TextPart | Attachment)[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  return value.map((part): TextPart | Attachment => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.type === 'refusal') return { type: 'text', text: part.refusal };
    if (part.type === 'image_url') return inline(part.image_url.url);
    return inline(part.file.file_data ?? '', part.file.filename ?? '');
  });
}

/** A data: URL as what it holds. */
function inline(url: string, name?: string): Attachment {
  const [, mime = '', data = ''] =
    /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/]+={0,2})$/.exec(url) ?? [];
  if (data === '' || (name === undefined && !mime.startsWith('image/')))
    throw new PxError(
      'gateway.bad-request',
      `${name === undefined ? 'Images' : 'Files'} are taken as data: URLs only; px fetches and stores nothing for a caller.`,
    );
  return toAttachment({ mime, data, ...(name === undefined ? {} : { name }) });
}

/** A tool answers with text and pictures. */
function inResult(part: TextPart | Attachment): TextPart | ImagePart {
  if (part.type !== 'file') return part;
  throw new PxError('gateway.bad-request', 'A file in a tool result is not taken; send it in a user message.');
}

function parseArguments(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // Falls through to the one error below.
  }
  throw new PxError('gateway.bad-request', "A tool call's arguments are not a JSON object.");
}
