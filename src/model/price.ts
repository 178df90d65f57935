import { classifyAddress } from '../policy/policy.ts';
import type { Attachment, ModelRef, TextPart, ThinkingPart, ToolCallPart, Usage } from '../wire/wire.ts';
import { documentTokens } from './document.ts';
import type { ModelRequest } from './model.ts';
import { catalogueVersion, dearest, type Price, prices } from './prices.ts';
import { providerName } from './ref.ts';

/** What a call is charged by, and where px has that from. */
export interface Tariff {
  /** Undefined: it costs nothing. */
  price: Price | undefined;
  /** For the ledger and for people: `free: local`, `prices of 2026-11-22`, `unknown price, counted as the dearest of openai`. */
  source: string;
  known: boolean;
}

/** A price of px.yaml. */
interface OwnPrice {
  input: number;
  output: number;
  cached_input?: number | undefined;
}

/** Dated, `-latest` and preview forms of a name. */
const variant = /^-(?:\d{4}-?\d{2}-?\d{2}|\d{3}|latest|preview(?:-[\d-]+)?)$/;

/** The tariff of a model: px.yaml first, then free where it runs at home, then the catalogue, then the dearest of the provider. */
export function tariffOf(
  ref: ModelRef,
  own: Record<string, OwnPrice>,
  baseUrl: string | undefined,
  now = new Date(),
): Tariff {
  const provider = providerName(ref);
  const said = ownPrice(ref, own);
  if (said) {
    const free = said.input === 0 && said.output === 0;
    const price: Price = { input: said.input, output: said.output };
    if (said.cached_input !== undefined) price.cachedInput = said.cached_input;
    return { price: free ? undefined : price, source: free ? 'free by px.yaml' : 'price of px.yaml', known: true };
  }
  if (provider === 'offline') return { price: undefined, source: 'free: offline', known: true };
  const listed = Object.keys(prices).find(
    (name) => ref === name || (ref.startsWith(name) && variant.test(ref.slice(name.length))),
  );
  const price = listed === undefined ? undefined : prices[listed];
  if (price) return { price: onDay(price, now), source: `prices of ${catalogueVersion}`, known: true };
  if (baseUrl !== undefined && isLocal(baseUrl) && !/[:-]cloud$/.test(ref))
    return { price: undefined, source: 'free: local', known: true };
  const worst = Object.hasOwn(dearest, provider) ? provider : 'openai';
  return { price: dearest[worst], source: `unknown price, counted as the dearest of ${worst}`, known: false };
}

/** A price as it is on a day. */
function onDay(price: Price, now: Date): Price {
  const { later, ...rest } = price;
  if (!later || now.toISOString().slice(0, 10) < later.from) return rest;
  const scaled: Price = { ...rest, input: rest.input * later.times, output: rest.output * later.times };
  if (rest.cachedInput !== undefined) scaled.cachedInput = rest.cachedInput * later.times;
  if (rest.cacheWrite !== undefined) scaled.cacheWrite = rest.cacheWrite * later.times;
  return scaled;
}

function ownPrice(ref: string, own: Record<string, OwnPrice>): OwnPrice | undefined {
  if (Object.hasOwn(own, ref)) return own[ref];
  const pattern = Object.keys(own)
    .filter((key) => key.endsWith('*') && ref.startsWith(key.slice(0, -1)))
    .toSorted((a, b) => b.length - a.length)[0];
  return pattern === undefined ? undefined : own[pattern];
}

/** True for a server on this machine or this network: what it runs costs nothing. */
export function isLocal(baseUrl: string): boolean {
  const host = URL.parse(baseUrl)?.hostname.replace(/^\[|\]$/g, '');
  if (!host) return false;
  if (!host.includes('.') && !host.includes(':')) return true;
  if (/\.(?:local|lan|home|internal|home\.arpa|ts\.net)$/.test(host)) return true;
  if (!/^[\d.]+$|:/.test(host)) return false;
  return classifyAddress(host) !== 'public';
}

/** What a call cost, in dollars. `cacheWrite` are those of `usage.input` that the provider wrote to its cache. */
export function costOf(price: Price | undefined, usage: Usage, cacheWrite = 0): number {
  if (!price) return 0;
  const { input, output } = rates(price, usage.input);
  const scale = input / (price.input || 1);
  const fresh = Math.max(0, usage.input - usage.cachedInput - cacheWrite);
  const cached = (price.cachedInput ?? price.input / 10) * scale;
  const written = (price.cacheWrite ?? price.input) * scale;
  return (fresh * input + usage.cachedInput * cached + cacheWrite * written + usage.output * output) / 1_000_000;
}

/** Most tokens one image is charged as. */
const imageTokens = 10_000;
/** What providers add of their own around messages and tools, in tokens. */
const overheadTokens = 1_000;

/** The most a call can cost, in dollars: no token is shorter than a byte, all input is written to the cache, all output is used. */
export function worstCost(price: Price | undefined, request: ModelRequest): number {
  if (!price) return 0;
  const input = mostInputTokens(request);
  const { input: fresh, output } = rates(price, input);
  const written = (price.cacheWrite ?? 0) * (fresh / (price.input || 1));
  return (input * Math.max(fresh, written) + Math.max(16, request.maxOutputTokens) * output) / 1_000_000;
}

/** More input tokens than the request can have. */
function mostInputTokens({ system, messages, tools }: ModelRequest): number {
  const parts = messages.flatMap((m): (TextPart | Attachment | ThinkingPart | ToolCallPart)[] =>
    m.role === 'tool' ? m.parts.flatMap((result) => result.content) : m.parts,
  );
  let attached = 0;
  let bytes = Buffer.byteLength(JSON.stringify([system, messages, tools]));
  for (const part of parts) {
    if (part.type !== 'image' && part.type !== 'file') continue;
    bytes -= part.data.length;
    attached += part.type === 'image' ? imageTokens : documentTokens(part);
  }
  return bytes + attached + overheadTokens;
}

function rates(price: Price, input: number): { input: number; output: number } {
  const { long } = price;
  if (!long || input <= long.above) return price;
  return { input: price.input * long.input, output: price.output * long.output };
}

/** Dollars as a person reads them: cents, more digits for what is less. */
export function dollars(usd: number): string {
  if (usd === 0) return '$0.00';
  return usd >= 1 ? `$${usd.toFixed(2)}` : `$${usd.toFixed(usd >= 0.01 ? 3 : 5)}`;
}
