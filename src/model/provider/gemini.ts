import type {
  Content,
  FunctionCallingConfigMode,
  GenerateContentConfig,
  GenerateContentResponse,
  GoogleGenAI,
  Part,
} from '@google/genai/web';
import type { JsonObject, ToolCallPart } from '../../wire/wire.ts';
import type { Embeddings, EmbedRequest, ModelEvent, ModelRequest, Provider } from '../model.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { normalise, resultText, type Turn } from '../protocol/history.ts';
import { type Emit, wireProvider } from '../protocol/run.ts';
import { plainSchema, remembered, toolSchema } from '../protocol/schema.ts';
import { neutralName, newCallId, wireName } from '../protocol/tools.ts';
import { modelName } from '../ref.ts';
import type { ProviderSettings } from '../settings.ts';
import { geminiSchema } from './gemini-schema.ts';

const parametersSchema = remembered((given) => geminiSchema(toolSchema(given)));

/** What Google documents for calls that another model made: Gemini 3 checks that each first call carries a signature. */
const foreignSignature = 'skip_thought_signature_validator';

/** Google's Gemini API (`generateContent`). */
export function geminiProvider(settings: () => ProviderSettings): Provider {
  return wireProvider({ provider: 'gemini', settings, open, list, embed });
}

async function embed(request: EmbedRequest, settings: ProviderSettings, exchange: Exchange): Promise<Embeddings> {
  const client = await geminiClient(settings, exchange);
  const { embeddings } = await client.models.embedContent({
    model: modelName(request.model),
    contents: request.input,
    config: {
      abortSignal: exchange.signal,
      ...(request.dimensions === undefined ? {} : { outputDimensionality: request.dimensions }),
    },
  });
  const tokens = (embeddings ?? []).reduce((sum, one) => sum + (one.statistics?.tokenCount ?? 0), 0);
  return { vectors: (embeddings ?? []).map((one) => one.values ?? []), tokens };
}

async function list(settings: ProviderSettings, exchange: Exchange): Promise<string[]> {
  const client = await geminiClient(settings, exchange);
  const { page } = await client.models.list({ config: { pageSize: 200 } });
  return page
    .filter((m) => m.supportedActions?.includes('generateContent') ?? true)
    .flatMap((m) => (m.name ? [m.name.replace(/^models\//, '')] : []));
}

async function geminiClient(settings: ProviderSettings, exchange: Exchange): Promise<GoogleGenAI> {
  // The `web` build is the same SDK without Google Cloud login and without its own WebSocket: half the memory.
  const sdk = await import('@google/genai/web');
  return new sdk.GoogleGenAI({
    apiKey: settings.apiKey ?? 'none',
    vertexai: false,
    httpOptions: { baseUrl: settings.baseUrl, fetch: exchange.fetch },
  });
}

async function open(request: ModelRequest, settings: ProviderSettings, exchange: Exchange, emit: Emit): Promise<void> {
  const client = await exchange.race(geminiClient(settings, exchange));
  const model = modelName(request.model);
  const stream = await client.models.generateContentStream({
    model,
    contents: contents(request, model),
    config: config(request, model, exchange.signal),
  });
  let calls = 0;
  let finish: string | undefined;
  for await (const chunk of stream) {
    count(chunk, exchange);
    const blocked = chunk.promptFeedback?.blockReason;
    if (blocked) finish = blocked;
    const candidate = chunk.candidates?.[0];
    for (const part of candidate?.content?.parts ?? []) {
      if (part.functionCall?.name) {
        calls++;
        emit({ type: 'tool-call', call: toCall(part, request) });
      } else if (part.text) emit({ type: part.thought ? 'thinking' : 'text', text: part.text });
    }
    if (candidate?.finishReason) finish = candidate.finishReason;
  }
  if (finish !== undefined) emit(ending(finish, calls, model));
}

function toCall(part: Part, request: ModelRequest): ToolCallPart {
  const { id, name, args } = part.functionCall ?? {};
  const call: ToolCallPart = {
    type: 'tool-call',
    id: id || newCallId(),
    name: neutralName(name ?? '', request.tools),
    // What JSON brought is JSON.
    args: (args ?? {}) as JsonObject,
    provider: 'gemini',
  };
  if (part.thoughtSignature) call.signature = part.thoughtSignature;
  return call;
}

function count(chunk: GenerateContentResponse, exchange: Exchange): void {
  const told = chunk.usageMetadata;
  if (!told) return;
  exchange.usage = {
    input: (told.promptTokenCount ?? 0) + (told.toolUsePromptTokenCount ?? 0),
    output: (told.candidatesTokenCount ?? 0) + (told.thoughtsTokenCount ?? 0),
    cachedInput: told.cachedContentTokenCount ?? 0,
  };
}

function ending(finish: string, calls: number, model: string): ModelEvent {
  if (finish === 'MAX_TOKENS') return { type: 'end', reason: 'length' };
  if (/SAFETY|RECITATION|BLOCKLIST|PROHIBITED|SPII|LANGUAGE|JAILBREAK/.test(finish))
    return {
      type: 'end',
      reason: 'refusal',
      error: { code: 'model.refusal', message: `${model} refused to answer: ${finish}`, retryable: false },
    };
  if (/MALFORMED|UNEXPECTED_TOOL|MISSING_THOUGHT|TOO_MANY_TOOL|OTHER/.test(finish))
    return {
      type: 'end',
      reason: 'error',
      error: { code: 'model.stream', message: `${model} broke off: ${finish}`, hint: 'Try again.', retryable: true },
    };
  return { type: 'end', reason: calls > 0 ? 'tool-calls' : 'stop' };
}

function config(request: ModelRequest, model: string, signal: AbortSignal): GenerateContentConfig {
  const out: GenerateContentConfig = {
    abortSignal: signal,
    maxOutputTokens: request.maxOutputTokens,
    automaticFunctionCalling: { disable: true },
    automaticContinuation: false,
  };
  if (request.system !== '') out.systemInstruction = request.system;
  if (request.temperature !== undefined) out.temperature = request.temperature;
  if (request.stop?.length) out.stopSequences = request.stop.slice(0, 5);
  if (request.seed !== undefined) out.seed = request.seed;
  if (request.format) out.responseMimeType = 'application/json';
  if (request.format?.type === 'schema') out.responseJsonSchema = geminiSchema(plainSchema(request.format.schema));
  if (thinks(model)) out.thinkingConfig = { includeThoughts: request.thinking !== 'hidden' };
  if (request.tools.length > 0) {
    out.tools = [
      {
        functionDeclarations: request.tools.map((tool) => ({
          name: wireName(tool.name),
          description: tool.description,
          parametersJsonSchema: parametersSchema(tool.parameters),
        })),
      },
    ];
    if (request.toolChoice) out.toolConfig = { functionCallingConfig: { mode: modes[request.toolChoice] } };
  }
  return out;
}

// The SDK's enum is a value; importing it would load the SDK. Its members are these strings.
const modes = { auto: 'AUTO', required: 'ANY', none: 'NONE' } as unknown as Record<
  'auto' | 'required' | 'none',
  FunctionCallingConfigMode
>;

function thinks(model: string): boolean {
  return /gemini-(2\.5|[3-9])|latest/.test(model);
}

function contents(request: ModelRequest, model: string): Content[] {
  return normalise(request.messages, {
    provider: 'gemini',
    id: /^[a-zA-Z0-9_-]{1,64}$/,
    name: wireName,
    imagesInResults: false,
    documents: true,
  }).map((turn) => toContent(turn, thinks(model) && !model.includes('gemini-2')));
}

function toContent(turn: Turn, signed: boolean): Content {
  if (turn.role === 'results')
    return {
      role: 'user',
      parts: turn.results.map((r) => ({
        functionResponse: {
          id: r.callId,
          name: r.name,
          response: { [r.isError ? 'error' : 'output']: resultText(r) },
        },
      })),
    };
  const parts: Part[] = [];
  let first = true;
  for (const p of turn.parts) {
    if (p.type === 'text') parts.push({ text: p.text });
    else if (p.type === 'image' || p.type === 'file') parts.push({ inlineData: { mimeType: p.mime, data: p.data } });
    else if (p.type === 'tool-call') {
      const part: Part = { functionCall: { id: p.id, name: p.name, args: p.args } };
      if (p.signature) part.thoughtSignature = p.signature;
      else if (signed && first) part.thoughtSignature = foreignSignature;
      parts.push(part);
      first = false;
    }
  }
  // A thought alone says nothing to Gemini; the turn still needs a part.
  if (parts.length === 0) parts.push({ text: '…' });
  return { role: turn.role === 'assistant' ? 'model' : 'user', parts };
}
