import type { ChatRequest, Ollama, Message as OllamaMessage, Tool, ToolCall } from 'ollama/browser';
import type { JsonObject } from '../../wire/wire.ts';
import type { Embeddings, EmbedRequest, ModelRequest, Provider } from '../model.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { normalise, resultText, type Turn } from '../protocol/history.ts';
import { type Emit, wireProvider } from '../protocol/run.ts';
import { toolSchema } from '../protocol/schema.ts';
import { neutralName, newCallId, wireName } from '../protocol/tools.ts';
import { modelName } from '../ref.ts';
import type { ProviderSettings } from '../settings.ts';

/** Ollama's own API, which keeps its context size, thinking and local tool calls (its OpenAI face does not). */
export function ollamaProvider(settings: () => ProviderSettings): Provider {
  return wireProvider({ provider: 'ollama', settings, ndjson: true, open, list, embed });
}

async function embed(request: EmbedRequest, settings: ProviderSettings, exchange: Exchange): Promise<Embeddings> {
  const client = await ollamaClient(settings, exchange);
  const { embeddings, prompt_eval_count } = await client.embed({
    model: modelName(request.model),
    input: request.input,
    ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
  });
  return { vectors: embeddings ?? [], tokens: prompt_eval_count ?? 0 };
}

async function list(settings: ProviderSettings, exchange: Exchange): Promise<string[]> {
  const client = await ollamaClient(settings, exchange);
  return (await client.list()).models.map((model) => model.name);
}

async function ollamaClient(settings: ProviderSettings, exchange: Exchange): Promise<Ollama> {
  // The browser build is the same client without file uploads.
  const sdk = await import('ollama/browser');
  return new sdk.Ollama({
    host: settings.baseUrl,
    fetch: Object.assign(exchange.fetch, { preconnect: () => {} }),
    ...(settings.apiKey ? { headers: { Authorization: `Bearer ${settings.apiKey}` } } : {}),
  });
}

const none: ToolCall[] = [];

async function open(request: ModelRequest, settings: ProviderSettings, exchange: Exchange, emit: Emit): Promise<void> {
  const client = await exchange.race(ollamaClient(settings, exchange));
  const stream = await client.chat(chatRequest(request));
  let calls = 0;
  for await (const part of stream) {
    const { message } = part;
    if (message?.thinking) emit({ type: 'thinking', text: message.thinking });
    if (message?.content) emit({ type: 'text', text: message.content });
    for (const call of message?.tool_calls ?? none) {
      calls++;
      const id: unknown = Reflect.get(call, 'id');
      emit({
        type: 'tool-call',
        call: {
          type: 'tool-call',
          id: typeof id === 'string' && id !== '' ? id : newCallId(),
          name: neutralName(call.function.name, request.tools),
          // What JSON brought is JSON.
          args: (call.function.arguments ?? {}) as JsonObject,
        },
      });
    }
    if (!part.done) continue;
    exchange.usage = { input: part.prompt_eval_count ?? 0, output: part.eval_count ?? 0, cachedInput: 0 };
    const reason = part.done_reason === 'length' ? 'length' : calls > 0 ? 'tool-calls' : 'stop';
    emit({ type: 'end', reason });
    return;
  }
}

function chatRequest(request: ModelRequest): ChatRequest & { stream: true } {
  const turns = normalise(request.messages, {
    provider: 'ollama',
    id: /^[a-zA-Z0-9_-]{1,64}$/,
    name: wireName,
    imagesInResults: false,
    documents: false,
  });
  const messages = [
    ...(request.system === '' ? [] : [{ role: 'system', content: request.system }]),
    ...turns.flatMap(toMessages),
  ];
  // The SDK's type of a tool knows less than JSON Schema; the server takes all of it.
  const tools =
    request.toolChoice === 'none'
      ? []
      : request.tools.map(
          (tool) =>
            ({
              type: 'function',
              function: {
                name: wireName(tool.name),
                description: tool.description,
                parameters: toolSchema(tool.parameters),
              },
            }) as Tool,
        );
  const context = contextSize(JSON.stringify(messages).length + JSON.stringify(tools).length, request.maxOutputTokens);
  return {
    model: modelName(request.model),
    messages,
    stream: true,
    ...(tools.length === 0 ? {} : { tools }),
    ...(request.format === undefined
      ? {}
      : { format: request.format.type === 'json' ? 'json' : request.format.schema }),
    options: {
      num_predict: request.maxOutputTokens,
      ...(context === undefined ? {} : { num_ctx: context }),
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
      ...(request.seed === undefined ? {} : { seed: request.seed }),
      ...(request.stop === undefined ? {} : { stop: request.stop }),
    },
  };
}

/**
 * Ollama cuts off silently what does not fit its context (4096 tokens unless told otherwise). px asks for more only when the
 * conversation needs it, in doublings, because each change reloads the model.
 */
export function contextSize(chars: number, output: number): number | undefined {
  const needed = Math.ceil(chars / 3) + Math.min(output, 2048);
  if (needed <= 4096) return undefined;
  return Math.min(131_072, 2 ** Math.ceil(Math.log2(needed)));
}

function toMessages(turn: Turn): OllamaMessage[] {
  if (turn.role === 'results')
    return turn.results.map((r) => ({
      role: 'tool',
      content: resultText(r),
      tool_name: r.name,
      tool_call_id: r.callId,
    }));
  const content = turn.parts.flatMap((p) => (p.type === 'text' ? [p.text] : [])).join('\n\n');
  if (turn.role === 'user') {
    const images = turn.parts.flatMap((p) => (p.type === 'image' ? [p.data] : []));
    return [{ role: 'user', content, ...(images.length === 0 ? {} : { images }) }];
  }
  const calls = turn.parts.flatMap((p) =>
    p.type === 'tool-call' ? [{ id: p.id, function: { name: p.name, arguments: p.args } }] : [],
  );
  return [{ role: 'assistant', content, ...(calls.length === 0 ? {} : { tool_calls: calls }) }];
}
