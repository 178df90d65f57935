import { PxError, toPxError } from '../../error/error.ts';
import { factsOf } from '../catalogue.ts';
import {
  droppedStream,
  type FailurePlace,
  missingKey,
  refusalToError,
  silentStream,
  streamError,
  unreachable,
} from '../failure.ts';
import type { Embeddings, EmbedRequest, ModelEvent, ModelRequest, Provider } from '../model.ts';
import { modelName } from '../ref.ts';
import type { ProviderSettings } from '../settings.ts';
import { type Exchange, type ExchangeOptions, openExchange } from './exchange.ts';
import { gather } from './gather.ts';
import { Refused } from './refused.ts';
import { stopAt } from './stop.ts';

/** Takes the next event of a stream. */
export type Emit = (event: ModelEvent) => void;

/** What is the same for every provider: the face over its SDK is only `open`. */
export interface Wire {
  provider: string;
  /** Read at each call. May throw PxError. */
  settings: () => ProviderSettings;
  /** The body is lines of JSON and the SDK does not refuse broken ones. */
  ndjson?: boolean;
  /** Sends the request and tells the stream's events. May throw anything; must tell `end` when the provider says so, and nothing after it. */
  open(request: ModelRequest, settings: ProviderSettings, exchange: Exchange, emit: Emit): Promise<void>;
  /** The names of the server's models. May throw anything. */
  list(settings: ProviderSettings, exchange: Exchange): Promise<string[]>;
  /** Turns texts into vectors, where the provider can. May throw anything. */
  embed?(request: EmbedRequest, settings: ProviderSettings, exchange: Exchange): Promise<Embeddings>;
}

/** A provider from its face. */
export function wireProvider(wire: Wire): Provider {
  const { embed } = wire;
  const refused = new Refused();
  return {
    name: wire.provider,
    stream: (request, signal) => runWire(wire, request, signal, refused),
    models: (signal) => askOnce(wire, { model: 'its models', mostMs: 10_000, signal }, wire.list),
    ...(embed && {
      embed: (request, signal) =>
        askOnce(wire, { model: modelName(request.model), signal }, (settings, exchange) =>
          embed(request, settings, exchange),
        ),
    }),
  };
}

/** Without an answer for `afterMs` px looks whether the server is there at all, and lets that take `withinMs`. */
const reach = { afterMs: 2_000, withinMs: 3_000 };
/** The same while another model could answer at once. */
const reachBeside = { afterMs: 500, withinMs: 1_000 };

type End = Extract<ModelEvent, { type: 'end' }>;

/** Runs one request, once more without its attachments when the server does not take them. Never throws. */
async function* runWire(
  wire: Wire,
  given: ModelRequest,
  signal: AbortSignal,
  refused: Refused,
): AsyncIterable<ModelEvent> {
  const request = refused.leaveOut(given);
  let without: ModelRequest | undefined;
  let begun = false;
  for await (const event of runOnce(wire, request, signal)) {
    if (event.type === 'end' && event.error && !begun) without = refused.without(request, event.error);
    begun = true;
    if (!without) yield event;
  }
  if (!without) return;
  for await (const event of runOnce(wire, without, signal)) {
    if (event.type === 'end' && !event.error) refused.remember(request);
    yield event;
  }
}

/** Runs one request: `usage` (if told) and `end` come exactly once and last, whatever the SDK does. Never throws. */
async function* runOnce(wire: Wire, request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent> {
  let settings: ProviderSettings;
  try {
    settings = usable(wire);
  } catch (thrown) {
    yield { type: 'end', reason: 'error', error: toPxError(thrown).toJSON() };
    return;
  }
  const at: FailurePlace = { provider: wire.provider, model: modelName(request.model), baseUrl: settings.baseUrl };
  const exchange = openExchange({
    signal,
    timeoutMs: settings.timeoutMs,
    ndjson: wire.ndjson ?? false,
    ...looksAt(settings, request.beside ? reachBeside : reach),
  });
  let end: End | undefined;
  try {
    if (!signal.aborted) {
      const told = gather((emit) => wire.open(request, settings, exchange, emit));
      const words = request.stop?.filter((word) => word !== '') ?? [];
      for await (const event of words.length > 0 ? stopAt(words, told) : told) {
        if (event.type === 'end') {
          end = event;
          break;
        }
        yield event;
      }
      if (end === undefined) end = { type: 'end', reason: 'error', error: droppedStream(at) };
    }
  } catch (thrown) {
    end = { type: 'end', reason: 'error', error: explain(thrown, at, exchange).toJSON() };
  } finally {
    exchange.close();
  }
  if (signal.aborted) end = { type: 'end', reason: 'aborted' };
  else if (exchange.silent) end = { type: 'end', reason: 'error', error: silentStream(at, settings.timeoutMs) };
  const { usage, cacheWrite } = exchange;
  if (usage) yield { type: 'usage', usage, ...(cacheWrite > 0 ? { cacheWrite } : {}) };
  yield redact(end ?? { type: 'end', reason: 'aborted' }, settings.apiKey);
}

/** One question with one answer, for what is no stream. Throws PxError. */
async function askOnce<T>(
  wire: Wire,
  about: { model: string; mostMs?: number; signal: AbortSignal },
  ask: (settings: ProviderSettings, exchange: Exchange) => Promise<T>,
): Promise<T> {
  const { model, mostMs = Number.POSITIVE_INFINITY, signal } = about;
  const settings = usable(wire);
  const exchange = openExchange({
    signal,
    timeoutMs: Math.min(settings.timeoutMs, mostMs),
    ...looksAt(settings, reach),
  });
  try {
    return await exchange.race(ask(settings, exchange));
  } catch (thrown) {
    if (signal.aborted) throw new PxError('interrupted', 'Stopped.');
    throw explain(thrown, { provider: wire.provider, model, baseUrl: settings.baseUrl }, exchange);
  } finally {
    exchange.close();
  }
}

function looksAt({ reachable }: ProviderSettings, { afterMs, withinMs }: typeof reach): Pick<ExchangeOptions, 'reach'> {
  return reachable ? { reach: { afterMs, check: () => reachable(withinMs) } } : {};
}

function usable(wire: Wire): ProviderSettings {
  const settings = wire.settings();
  if (settings.apiKey === undefined && !settings.customBaseUrl && !factsOf(wire.provider).keyOptional)
    throw missingKey(wire.provider);
  return settings;
}

function explain(thrown: unknown, at: FailurePlace, exchange: Exchange): PxError {
  if (thrown instanceof PxError) return thrown;
  const shape = exchange.refusal
    ? refusalToError(exchange.refusal, at)
    : exchange.stage === 'answered'
      ? streamError(thrown, at)
      : exchange.stage === 'sent'
        ? unreachable(exchange.signal.aborted ? exchange.signal.reason : thrown, at)
        : toPxError(thrown).toJSON();
  return new PxError(shape.code, shape.message, { ...shape, cause: thrown });
}

/** Servers like to repeat a wrong key in their refusal; it must not reach the journal. */
function redact(end: End, apiKey: string | undefined): End {
  if (!end.error || !apiKey || apiKey.length < 6 || !end.error.message.includes(apiKey)) return end;
  return { ...end, error: { ...end.error, message: end.error.message.replaceAll(apiKey, '[redacted]') } };
}
