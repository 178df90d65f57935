import type { Usage } from '../../wire/wire.ts';
import type { HttpRefusal } from '../failure.ts';

/** Largest answer px reads from a provider, in bytes; a stream without end must not fill the memory. */
const maxAnswerBytes = 64 * 1024 * 1024;
const maxRefusalChars = 65_536;

/**
 * One request to a provider. The SDK does its HTTP through {@link Exchange.fetch}, so that px sees what every SDK hides or
 * handles differently: the status and headers of a refusal, silence, and an abort at any moment.
 */
export interface Exchange {
  /** Aborted by the caller, by silence and by `close`. */
  readonly signal: AbortSignal;
  /** Give this to the SDK as its `fetch`. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** How far it came: nothing sent, waiting for an answer, answered. */
  readonly stage: 'idle' | 'sent' | 'answered';
  /** Set when the server said no. */
  readonly refusal: HttpRefusal | undefined;
  /** True when no byte came for too long. */
  readonly silent: boolean;
  /** Tokens as far as the provider has told; sent once, before the end. */
  usage: Usage | undefined;
  /** Of `usage.input`, what the provider wrote to its cache. */
  cacheWrite: number;
  /** The promise, or a rejection as soon as the exchange is aborted. */
  race<T>(promise: Promise<T>): Promise<T>;
  close(): void;
}

/** What an exchange rejects with when it is aborted; never shown. */
class Aborted extends Error {
  override readonly name = 'AbortError';
}

/** What an exchange is opened with. */
export interface ExchangeOptions {
  signal: AbortSignal;
  /** Longest silence, in ms. */
  timeoutMs: number;
  /** Checks each line of the body, for an SDK that skips broken lines with a warning. */
  ndjson?: boolean;
  /** Asked once, when no answer came after `afterMs`: false ends the wait, for nobody is there. */
  reach?: { afterMs: number; check(): Promise<boolean> };
}

/** Opens an exchange. */
export function openExchange(options: ExchangeOptions): Exchange {
  const controller = new AbortController();
  let stage: Exchange['stage'] = 'idle';
  let refusal: HttpRefusal | undefined;
  let silent = false;
  const onSilence = () => {
    silent = true;
    controller.abort(new Aborted('silence'));
  };
  // Longer than a timer can hold means for ever.
  const timer = options.timeoutMs < 2 ** 31 ? setTimeout(onSilence, options.timeoutMs) : undefined;
  const heard = () => timer?.refresh();
  const { reach } = options;
  let probe: ReturnType<typeof setTimeout> | undefined;
  const look = async () => {
    if (reach && stage === 'sent' && !(await reach.check()) && stage === 'sent')
      controller.abort(new Aborted('no connection could be made'));
  };
  const onAbort = () => controller.abort(new Aborted('aborted'));
  if (options.signal.aborted) onAbort();
  else options.signal.addEventListener('abort', onAbort, { once: true });

  return {
    signal: controller.signal,
    usage: undefined,
    cacheWrite: 0,
    get stage() {
      return stage;
    },
    get refusal() {
      return refusal;
    },
    get silent() {
      return silent;
    },
    async fetch(input, init) {
      stage = 'sent';
      if (reach) probe = setTimeout(look, reach.afterMs);
      // `timeout: false` lifts Bun's own five minutes: the silence timer decides. No redirect is followed: the key goes to the
      // configured address and nowhere else.
      const own = { signal: controller.signal, timeout: false, redirect: 'manual' };
      const response = await fetch(input, { ...init, ...own } as RequestInit);
      stage = 'answered';
      clearTimeout(probe);
      heard();
      const type = response.headers.get('content-type') ?? '';
      if (!response.ok || type.includes('text/html')) {
        refusal = await readRefusal(response);
        throw new Error(`HTTP ${response.status}`);
      }
      if (!response.body) return response;
      const body = watch(response.body, controller.signal, heard, options.ndjson ?? false);
      return new Response(body, { status: response.status, headers: response.headers });
    },
    race(promise) {
      const { signal } = controller;
      if (signal.aborted) return Promise.reject(signal.reason);
      return new Promise((resolve, reject) => {
        const abort = () => reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
        promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
      });
    },
    close() {
      clearTimeout(timer);
      clearTimeout(probe);
      options.signal.removeEventListener('abort', onAbort);
      controller.abort(new Aborted('closed'));
    },
  };
}

async function readRefusal(response: Response): Promise<HttpRefusal> {
  const body = (await response.text().catch(() => '')).slice(0, maxRefusalChars);
  return { status: response.status, retryAfterMs: retryAfter(response.headers), body };
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date. */
function retryAfter(headers: Headers): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms)) return Math.max(0, ms);
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = Number(value);
  const until = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(until) ? Math.max(0, until) : undefined;
}

/** The same bytes, counted, with each arrival reported, broken off at once on abort. */
function watch(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  heard: () => void,
  ndjson: boolean,
): ReadableStream<Uint8Array> {
  const source = body.getReader();
  const check = ndjson ? lineCheck() : undefined;
  let total = 0;
  let onAbort = () => {};
  const done = () => signal.removeEventListener('abort', onAbort);
  return new ReadableStream<Uint8Array>(
    {
      start(sink) {
        onAbort = () => {
          sink.error(signal.reason);
          source.cancel().catch(() => {});
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
      },
      async pull(sink) {
        const next = await source.read();
        if (signal.aborted) return;
        if (next.done) {
          done();
          sink.close();
          return;
        }
        heard();
        total += next.value.byteLength;
        if (total > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
        check?.(next.value);
        sink.enqueue(next.value);
      },
      cancel() {
        done();
        return source.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

const newline = 10;
/** `{` and `}`. */
const [opening, closing] = [123, 125];

/**
 * Throws on the first complete line that is not JSON. Parsing each line twice would halve the throughput: a line that goes from
 * brace to brace is left to the SDK, and nothing is decoded but what looks wrong.
 */
function lineCheck(): (chunk: Uint8Array) => void {
  let rest: Uint8Array[] = [];
  /** The line in `from` … `end` of the bytes. */
  const check = (bytes: Uint8Array, from: number, end: number) => {
    const last = bytes[end - 1] === 13 ? end - 2 : end - 1;
    if (bytes[from] !== opening || bytes[last] !== closing) parseUnlessBlank(bytes.subarray(from, end));
  };
  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      if (rest.length === 0) check(chunk, from, at);
      else {
        const line = Buffer.concat([...rest, chunk.subarray(from, at)]);
        check(line, 0, line.length);
        rest = [];
      }
      from = at + 1;
    }
    if (from < chunk.length) rest.push(chunk.slice(from));
  };
}

function parseUnlessBlank(line: Uint8Array): void {
  const text = new TextDecoder().decode(line);
  if (text.trim() !== '') JSON.parse(text);
}
