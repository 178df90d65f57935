import type { JsonObject, ModelRef } from '../../src/wire/wire.ts';

/** One scripted answer, in words that all five wire formats can say. */
export interface Script {
  thinking?: { text: string; signature?: string };
  /** Pieces of text, as streamed. */
  text?: string[];
  calls?: { id: string; name: string; args: JsonObject; signature?: string }[];
  /** Broken arguments for the first call. */
  brokenArgs?: string;
  usage?: { input: number; output: number; cachedInput: number };
  end?: 'stop' | 'length' | 'refusal';
  /** What is said with a refusal. */
  refusal?: string;
}

/** One wire format: how an answer, an error and a request look in it. */
export interface Speaker {
  /** For test names: `openai (responses)`. */
  title: string;
  provider: 'openai' | 'anthropic' | 'gemini' | 'ollama' | 'lab';
  api: 'chat' | 'responses';
  ref: ModelRef;
  /** What stands behind the server's address in px.yaml. */
  path: string;
  contentType: string;
  /** Messages as sent on the wire, in order; each ends with its blank line or newline. */
  say(script: Script): string[];
  /** An error body. */
  error(status: number, message: string, kind?: string): string;
  /** An error in a stream that has begun. */
  errorEvent(message: string, kind: string): string;
  /** True when the provider reports tokens read from its cache. */
  caches: boolean;
  /** True when the provider signs thoughts. */
  signs: boolean;
}

const sse = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
const named = (event: { type: string }) => `event: ${event.type}\n${sse(event)}`;
const halves = (text: string) => [text.slice(0, Math.ceil(text.length / 2)), text.slice(Math.ceil(text.length / 2))];
const argsOf = (script: Script, at: number) =>
  at === 0 && script.brokenArgs !== undefined ? script.brokenArgs : JSON.stringify(script.calls?.[at]?.args ?? {});

const chat: Speaker = {
  title: 'openai (chat)',
  provider: 'openai',
  api: 'chat',
  ref: 'openai/gpt-4o',
  path: '/v1',
  contentType: 'text/event-stream',
  caches: true,
  signs: false,
  say(script) {
    const chunk = (delta: object, finish: string | null = null) =>
      sse({
        id: 'c1',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    const calls = script.calls ?? [];
    return [
      chunk({ role: 'assistant', content: '' }),
      ...(script.thinking ? [chunk({ reasoning_content: script.thinking.text })] : []),
      ...(script.text ?? []).map((content) => chunk({ content })),
      ...(script.refusal ? [chunk({ refusal: script.refusal })] : []),
      ...calls.map((c, index) =>
        chunk({ tool_calls: [{ index, id: c.id, type: 'function', function: { name: c.name, arguments: '' } }] }),
      ),
      // The pieces of parallel calls come interleaved.
      ...[0, 1].flatMap((half) =>
        calls.map((_, index) =>
          chunk({ tool_calls: [{ index, function: { arguments: halves(argsOf(script, index))[half] } }] }),
        ),
      ),
      chunk({}, script.end === 'length' ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop'),
      ...(script.usage
        ? [
            sse({
              id: 'c1',
              object: 'chat.completion.chunk',
              created: 1,
              model: 'm',
              choices: [],
              usage: {
                prompt_tokens: script.usage.input,
                completion_tokens: script.usage.output,
                total_tokens: 0,
                prompt_tokens_details: { cached_tokens: script.usage.cachedInput },
              },
            }),
          ]
        : []),
      'data: [DONE]\n\n',
    ];
  },
  error: (_, message, kind) =>
    JSON.stringify({ error: { message, type: kind ?? 'x', code: kind ?? null, param: null } }),
  errorEvent: (message, kind) => sse({ error: { message, type: kind, code: null } }),
};

/** Any server that speaks OpenAI's API, beside OpenAI itself. */
const compatible: Speaker = { ...chat, title: 'compatible server', provider: 'lab', ref: 'lab/its-model:free' };

const responses: Speaker = {
  ...chat,
  title: 'openai (responses)',
  api: 'responses',
  ref: 'openai/gpt-5-mini',
  signs: true,
  say(script) {
    const calls = script.calls ?? [];
    const usage = script.usage && {
      input_tokens: script.usage.input,
      input_tokens_details: { cached_tokens: script.usage.cachedInput },
      output_tokens: script.usage.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 0,
    };
    const response = { id: 'r1', object: 'response', status: 'in_progress', output: [] };
    const reasoning = script.thinking && {
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: script.thinking.text }],
      encrypted_content: script.thinking.signature,
    };
    return [
      named({ type: 'response.created', ...{ response } }),
      ...(script.thinking
        ? [
            named({
              type: 'response.reasoning_summary_text.delta',
              ...{ item_id: 'rs_1', output_index: 0, summary_index: 0, delta: script.thinking.text },
            }),
            named({ type: 'response.output_item.done', ...{ output_index: 0, item: reasoning } }),
          ]
        : []),
      ...(script.text ?? []).map((delta) =>
        named({
          type: 'response.output_text.delta',
          ...{ item_id: 'm1', output_index: 1, content_index: 0, delta, logprobs: [] },
        }),
      ),
      ...(script.refusal
        ? [
            named({
              type: 'response.refusal.delta',
              ...{ item_id: 'm1', output_index: 1, content_index: 0, delta: script.refusal },
            }),
          ]
        : []),
      ...calls.flatMap((c, at) => [
        named({
          type: 'response.output_item.added',
          ...{
            output_index: 2 + at,
            item: {
              type: 'function_call',
              id: `fc_${at}`,
              call_id: c.id,
              name: c.name,
              arguments: '',
              status: 'in_progress',
            },
          },
        }),
        ...halves(argsOf(script, at)).map((delta) =>
          named({
            type: 'response.function_call_arguments.delta',
            ...{ item_id: `fc_${at}`, output_index: 2 + at, delta },
          }),
        ),
        named({
          type: 'response.output_item.done',
          ...{
            output_index: 2 + at,
            item: {
              type: 'function_call',
              id: `fc_${at}`,
              call_id: c.id,
              name: c.name,
              arguments: argsOf(script, at),
              status: 'completed',
            },
          },
        }),
      ]),
      script.end === 'length'
        ? named({
            type: 'response.incomplete',
            ...{
              response: {
                ...response,
                status: 'incomplete',
                incomplete_details: { reason: 'max_output_tokens' },
                usage,
              },
            },
          })
        : named({ type: 'response.completed', ...{ response: { ...response, status: 'completed', usage } } }),
    ];
  },
  errorEvent: (message, kind) => named({ type: 'error', ...{ code: kind, message, param: null, sequence_number: 1 } }),
};

const anthropic: Speaker = {
  title: 'anthropic',
  provider: 'anthropic',
  api: 'chat',
  ref: 'anthropic/claude-haiku-5-5',
  path: '',
  contentType: 'text/event-stream',
  caches: true,
  signs: true,
  say(script) {
    let index = -1;
    const block = (start: object, deltas: object[]) => {
      index++;
      return [
        named({ type: 'content_block_start', ...{ index, content_block: start } }),
        'event: ping\ndata: {"type":"ping"}\n\n',
        ...deltas.map((delta) => named({ type: 'content_block_delta', ...{ index, delta } })),
        named({ type: 'content_block_stop', ...{ index } }),
      ];
    };
    const told = script.usage ?? { input: 0, output: 0, cachedInput: 0 };
    return [
      named({
        type: 'message_start',
        ...{
          message: {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'm',
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: {
              input_tokens: told.input - told.cachedInput,
              cache_read_input_tokens: told.cachedInput,
              cache_creation_input_tokens: 0,
              output_tokens: 1,
            },
          },
        },
      }),
      ...(script.thinking
        ? block({ type: 'thinking', thinking: '', signature: '' }, [
            { type: 'thinking_delta', thinking: script.thinking.text },
            ...(script.thinking.signature
              ? halves(script.thinking.signature).map((signature) => ({ type: 'signature_delta', signature }))
              : []),
          ])
        : []),
      ...(script.text
        ? block(
            { type: 'text', text: '' },
            script.text.map((text) => ({ type: 'text_delta', text })),
          )
        : []),
      ...(script.calls ?? []).flatMap((c, at) =>
        block(
          { type: 'tool_use', id: c.id, name: c.name, input: {} },
          halves(argsOf(script, at)).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
        ),
      ),
      named({
        type: 'message_delta',
        ...{
          delta: {
            stop_reason:
              script.end === 'length'
                ? 'max_tokens'
                : script.end === 'refusal'
                  ? 'refusal'
                  : script.calls
                    ? 'tool_use'
                    : 'end_turn',
            stop_sequence: null,
          },
          usage: { output_tokens: told.output },
        },
      }),
      named({ type: 'message_stop' }),
    ];
  },
  error: (_, message, kind) => JSON.stringify({ type: 'error', error: { type: kind ?? 'x', message } }),
  errorEvent: (message, kind) => named({ type: 'error', ...{ error: { type: kind, message } } }),
};

const gemini: Speaker = {
  title: 'gemini',
  provider: 'gemini',
  api: 'chat',
  ref: 'gemini/gemini-flash-latest',
  path: '',
  contentType: 'text/event-stream',
  caches: true,
  signs: false,
  say(script) {
    const chunk = (parts: object[], finishReason?: string, more = {}) =>
      sse({
        candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason ? { finishReason } : {}) }],
        modelVersion: 'm',
        ...more,
      });
    const usageMetadata = script.usage && {
      promptTokenCount: script.usage.input,
      candidatesTokenCount: script.usage.output - 2,
      thoughtsTokenCount: 2,
      cachedContentTokenCount: script.usage.cachedInput,
    };
    return [
      ...(script.thinking ? [chunk([{ text: script.thinking.text, thought: true }])] : []),
      ...(script.text ?? []).map((text) => chunk([{ text }])),
      ...(script.calls
        ? [
            chunk(
              script.calls.map((c) => ({
                functionCall: { id: c.id, name: c.name, args: c.args },
                ...(c.signature ? { thoughtSignature: c.signature } : {}),
              })),
            ),
          ]
        : []),
      chunk(
        [{ text: '' }],
        script.brokenArgs !== undefined
          ? 'MALFORMED_FUNCTION_CALL'
          : script.end === 'length'
            ? 'MAX_TOKENS'
            : script.end === 'refusal'
              ? 'SAFETY'
              : 'STOP',
        { usageMetadata },
      ),
    ];
  },
  error: (status, message, kind) => JSON.stringify({ error: { code: status, message, status: kind ?? 'X' } }),
  errorEvent: (message, kind) =>
    sse({ error: { code: kind === 'overloaded_error' ? 503 : 500, message, status: 'UNAVAILABLE' } }),
};

const ollama: Speaker = {
  title: 'ollama',
  provider: 'ollama',
  api: 'chat',
  ref: 'ollama/qwen3',
  path: '',
  contentType: 'application/x-ndjson',
  caches: false,
  signs: false,
  say(script) {
    const line = (message: object, more: object = { done: false }) =>
      `${JSON.stringify({ model: 'm', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: '', ...message }, ...more })}\n`;
    return [
      ...(script.thinking ? [line({ thinking: script.thinking.text })] : []),
      ...(script.text ?? []).map((content) => line({ content })),
      ...(script.calls
        ? [line({ tool_calls: script.calls.map((c) => ({ id: c.id, function: { name: c.name, arguments: c.args } })) })]
        : []),
      script.brokenArgs !== undefined
        ? `${JSON.stringify({ error: 'error parsing tool call' })}\n`
        : line(
            {},
            {
              done: true,
              done_reason: script.end ?? 'stop',
              prompt_eval_count: script.usage?.input ?? 0,
              eval_count: script.usage?.output ?? 0,
            },
          ),
    ];
  },
  error: (_, message) => JSON.stringify({ error: message }),
  errorEvent: (message, kind) => `${JSON.stringify({ error: `${kind}: ${message}` })}\n`,
};

/** Every wire format px speaks. */
export const speakers: Speaker[] = [chat, responses, anthropic, gemini, ollama, compatible];

/** A server that speaks one format: `reply` decides, `bodies` are the requests it got. */
export function serve(speaker: Speaker, reply: (body: JsonObject, attempt: number) => Response | Promise<Response>) {
  const bodies: JsonObject[] = [];
  const headers: Headers[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const body = (await request.json().catch(() => ({}))) as JsonObject;
      bodies.push(body);
      headers.push(request.headers);
      return reply(body, bodies.length);
    },
  });
  const root = `http://127.0.0.1:${server.port}`;
  return {
    url: root,
    bodies,
    headers,
    /** px.yaml that leads to this server. */
    yaml: (more: object = {}) => {
      const own = {
        [speaker.provider]: {
          base_url: root + speaker.path,
          ...(speaker.provider === 'openai' ? { api: speaker.api } : {}),
          ...more,
        },
      };
      return { providers: speaker.provider === 'lab' ? { compatible: own } : own };
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** The scripted answer as a streamed response; `pieces` sends the bytes in pieces of this size, to cut through characters. */
export function streamed(speaker: Speaker, script: Script, pieces?: number): Response {
  const bytes = new TextEncoder().encode(speaker.say(script).join(''));
  return raw(speaker, async (send) => {
    const size = pieces ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      send(bytes.slice(at, at + size));
      await Bun.sleep(0);
    }
  });
}

/** A response whose body a test writes itself; it stays open until `write` returns. */
export function raw(speaker: Speaker, write: (send: (data: Uint8Array | string) => void) => Promise<void>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async start(sink) {
      try {
        await write((data) => sink.enqueue(typeof data === 'string' ? encoder.encode(data) : data));
        sink.close();
      } catch {
        // The client went away.
      }
    },
  });
  return new Response(body, { headers: { 'content-type': speaker.contentType } });
}

/** A refusal over HTTP. */
export function refuse(
  speaker: Speaker,
  status: number,
  message: string,
  headers: Record<string, string> = {},
  kind?: string,
): Response {
  return new Response(speaker.error(status, message, kind), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}
