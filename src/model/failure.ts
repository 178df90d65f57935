import { type ErrorCode, type ErrorShape, PxError } from '../error/error.ts';
import { factsOf, sectionOf } from './catalogue.ts';

/** An HTTP answer that says no, as far as px looks at it. */
export interface HttpRefusal {
  status: number;
  /** From the `retry-after` headers or the body, in ms. */
  retryAfterMs: number | undefined;
  /** At most 64 KiB of the body. */
  body: string;
}

/** Where a failure happened. */
export interface FailurePlace {
  provider: string;
  model: string;
  /** What the request was sent to. */
  baseUrl: string;
}

const overflow =
  /context.?(length|window|size)|maximum context|prompt is too long|too many (input )?tokens|input (is )?too long|exceeds? the (maximum|context|model'?s)|token count.{0,40}exceed|request_too_large/i;

/** A refusal over HTTP as the error a person and a program can act on. */
export function refusalToError(refusal: HttpRefusal, at: FailurePlace): ErrorShape {
  const said = readBody(refusal.body);
  const { status } = refusal;
  const data = { provider: at.provider, model: at.model, status };
  const facts = factsOf(at.provider);
  const make = (code: ErrorCode, message: string, retryable: boolean, hint?: string, more = {}): ErrorShape => ({
    code,
    message: said.message ? `${message}: ${said.message}` : message,
    retryable,
    ...(hint === undefined ? {} : { hint }),
    data: { ...data, ...more },
  });
  if (status === 401 || status === 403 || /api.?key not valid|API_KEY_INVALID/i.test(refusal.body))
    return make('model.auth', `${facts.label} refused the key`, false, keyHint(at.provider));
  if (overflow.test(refusal.body) || status === 413)
    return make(
      'model.overflow',
      `The conversation does not fit ${at.model}`,
      false,
      'Start anew with /new, or choose a model with a larger context.',
    );
  if (status === 429 || /insufficient_quota/.test(said.kind)) {
    const spent = /insufficient_quota|credit balance|billing/i.test(refusal.body);
    const wait = refusal.retryAfterMs ?? retryDelayInBody(refusal.body);
    return make(
      'model.rate-limit',
      spent ? `${facts.label} says the quota is used up` : `${facts.label} asks to slow down`,
      !spent,
      spent
        ? `Check the plan and billing of your ${facts.label} account.`
        : wait === undefined
          ? 'Wait a little and try again.'
          : `Try again in ${Math.ceil(wait / 1000)} s.`,
      wait === undefined ? {} : { retryAfterMs: wait },
    );
  }
  if (status === 404) return make('model.unknown', `${facts.label} does not know ${at.model}`, false, unknownHint(at));
  if (status >= 500 || status === 408 || status === 409 || status === 425)
    return make(
      'model.overloaded',
      `${facts.label} is overloaded or failing (HTTP ${status})`,
      true,
      'Try again in a minute, or switch with /model.',
      refusal.retryAfterMs === undefined ? {} : { retryAfterMs: refusal.retryAfterMs },
    );
  if (status < 400)
    return make(
      'model.bad-request',
      `${at.baseUrl} answered, but not as the ${facts.label} API`,
      false,
      `Check ${sectionOf(at.provider)}.base_url in px.yaml.`,
    );
  return make('model.bad-request', `${facts.label} refused the request`, false, badRequestHint(refusal.body));
}

/** A failure inside a running stream (an error event of the provider, a broken connection, malformed data). */
export function streamError(thrown: unknown, at: FailurePlace): ErrorShape {
  const text = `${kindOf(thrown)} ${messageOf(thrown)}`;
  const status = statusOf(thrown) ?? statusInText(text);
  if (status !== undefined) return refusalToError({ status, retryAfterMs: undefined, body: messageOf(thrown) }, at);
  return {
    code: 'model.stream',
    message: `The stream from ${factsOf(at.provider).label} broke: ${shorten(messageOf(thrown))}`,
    hint: 'Try again.',
    retryable: true,
    data: { provider: at.provider, model: at.model },
  };
}

/** The stream ended before the provider said that the answer is complete. */
export function droppedStream(at: FailurePlace): ErrorShape {
  return streamError(new Error('it ended before the answer was complete'), at);
}

/** No byte for longer than the provider's `timeout_seconds`. */
export function silentStream(at: FailurePlace, timeoutMs: number): ErrorShape {
  return {
    code: 'model.stream',
    message: `${factsOf(at.provider).label} was silent for ${timeoutMs / 1000} s`,
    hint: `Try again, or raise ${sectionOf(at.provider)}.timeout_seconds in px.yaml.`,
    retryable: true,
    data: { provider: at.provider, model: at.model },
  };
}

/** No answer came at all: refused, unknown host, TLS. */
export function unreachable(thrown: unknown, at: FailurePlace): ErrorShape {
  return {
    code: 'model.unreachable',
    message: `${factsOf(at.provider).label} cannot be reached at ${at.baseUrl}: ${nobody(deepestMessage(thrown))}`,
    hint:
      at.provider === 'ollama'
        ? 'Start it with `ollama serve`, or set providers.ollama.base_url in px.yaml.'
        : `Check the network and ${sectionOf(at.provider)}.base_url in px.yaml.`,
    retryable: true,
    data: { provider: at.provider, model: at.model },
  };
}

/** No key to send. */
export function missingKey(provider: string): PxError {
  return new PxError('model.auth', `No key for ${factsOf(provider).label}.`, {
    hint: keyHint(provider),
    data: { provider },
  });
}

function keyHint(provider: string): string {
  const { keyName } = factsOf(provider);
  return `export ${keyName}=… or px secret set ${keyName}`;
}

function unknownHint(at: FailurePlace): string {
  if (at.provider === 'ollama') return `ollama pull ${at.model}`;
  const { defaultModel } = factsOf(at.provider);
  return defaultModel === '' || at.model === defaultModel
    ? `Check ${sectionOf(at.provider)}.base_url in px.yaml, or choose another model with /model.`
    : `px config set model.default ${at.provider}/${defaultModel}`;
}

function badRequestHint(body: string): string | undefined {
  if (/does not support tools/i.test(body))
    return 'Choose a model that calls tools: px config set model.default ollama/qwen3';
  if (/v1\/responses/.test(body)) return 'px config set providers.openai.api responses';
  if (/credit balance|billing/i.test(body)) return 'Check the plan and billing of your account.';
  return undefined;
}

/** Message and kind from the error bodies of the four APIs: `{error:{message,type|code|status}}`, `{error:"…"}`, `{message}`. */
function readBody(body: string): { message: string; kind: string } {
  const parsed = parseJson(body);
  const outer: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  const error = field(outer, 'error') ?? outer;
  const message = typeof error === 'string' ? error : (text(field(error, 'message')) ?? '');
  const kind = [field(error, 'type'), field(error, 'code'), field(error, 'status')].map((k) => text(k) ?? '').join(' ');
  return { message: shorten(message || (parsed === undefined && !/^\s*</.test(body) ? body : '')), kind };
}

/** Google's `RetryInfo`: `"retryDelay": "17s"`. */
function retryDelayInBody(body: string): number | undefined {
  const seconds = /"retryDelay"\s*:\s*"([\d.]+)s"/.exec(body)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** An HTTP status in words, as providers send it inside a stream that began with 200. */
function statusInText(text: string): number | undefined {
  if (/overloaded/i.test(text)) return 529;
  if (/rate.?limit|resource_exhausted/i.test(text)) return 429;
  if (overflow.test(text)) return 400;
  if (/server_error|internal_error|api_error|unavailable/i.test(text)) return 500;
  if (/authentication_error|permission_error/i.test(text)) return 401;
  if (/invalid_request/i.test(text)) return 400;
  return undefined;
}

function statusOf(thrown: unknown): number | undefined {
  const status = field(thrown, 'status') ?? field(thrown, 'status_code');
  return typeof status === 'number' && status >= 400 ? status : undefined;
}

function kindOf(thrown: unknown): string {
  return [field(thrown, 'type'), field(thrown, 'code')].map((k) => text(k) ?? '').join(' ');
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function deepestMessage(thrown: unknown): string {
  let at = thrown;
  for (let depth = 0; depth < 5 && at instanceof Error && at.cause instanceof Error; depth++) at = at.cause;
  return messageOf(at);
}

/** Why there was no connection, in words for people where they are known. */
function nobody(message: string): string {
  if (/ECONNREFUSED/.test(message)) return 'nothing listens there';
  if (/ENOTFOUND|EAI_AGAIN|DNS/.test(message)) return 'no such host is known now';
  return shorten(message);
}

function shorten(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim();
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
