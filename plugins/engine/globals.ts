import { PlainAbortController, PlainAbortSignal } from './abort.ts';
import { hostConsole } from './console.ts';
import { PlainDomException, PlainEvent, PlainEventTarget } from './event.ts';
import { hostFetch, PlainRequest, PlainResponse } from './fetch.ts';
import { PlainHeaders } from './headers.ts';
import { px } from './px.ts';
import { fraction } from './random.ts';
import { Utf8Decoder, Utf8Encoder } from './text.ts';
import { clearTimer, setTimer } from './timer.ts';
import { PlainUrl, SearchParams } from './url.ts';

const hostCrypto = {
  getRandomValues: <T extends ArrayBufferView>(array: T): T => {
    if (array.byteLength > 65_536) throw new PlainDomException('at most 65536 bytes at a time', 'QuotaExceededError');
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(px.randomBytes(array.byteLength));
    return array;
  },
  randomUUID: (): string => {
    const b = px.randomBytes(16);
    b[6] = ((b[6] ?? 0) & 15) | 64;
    b[8] = ((b[8] ?? 0) & 63) | 128;
    return [...b].map((n, i) => ([4, 6, 8, 10].includes(i) ? '-' : '') + n.toString(16).padStart(2, '0')).join('');
  },
};

function clone<T>(value: T, seen: Map<unknown, unknown>): T;
function clone(value: unknown, seen: Map<unknown, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError('a function cannot be cloned');
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known) return known;
  const keep = <T>(made: T): T => {
    seen.set(value, made);
    return made;
  };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (value instanceof Uint8Array) return keep(value.slice());
  if (value instanceof Error) return keep(new Error(value.message));
  if (Array.isArray(value)) {
    const out = keep<unknown[]>([]);
    for (const v of value) out.push(clone(v, seen));
    return out;
  }
  if (value instanceof Map) {
    const out = keep(new Map());
    for (const [k, v] of value) out.set(clone(k, seen), clone(v, seen));
    return out;
  }
  if (value instanceof Set) {
    const out = keep(new Set());
    for (const v of value) out.add(clone(v, seen));
    return out;
  }
  const out = keep<Record<string, unknown>>({});
  for (const [k, v] of Object.entries(value)) out[k] = clone(v, seen);
  return out;
}

/** Classes keep the names that authors know. */
const named = <T extends object>(name: string, made: T): T => Object.defineProperty(made, 'name', { value: name });

/** When this plugin's process was first asked for the time. */
let began: number | undefined;

const given = {
  TextEncoder: named('TextEncoder', Utf8Encoder),
  TextDecoder: named('TextDecoder', Utf8Decoder),
  URL: named('URL', PlainUrl),
  URLSearchParams: named('URLSearchParams', SearchParams),
  crypto: hostCrypto,
  console: hostConsole,
  fetch: hostFetch,
  Headers: named('Headers', PlainHeaders),
  Request: named('Request', PlainRequest),
  Response: named('Response', PlainResponse),
  AbortController: named('AbortController', PlainAbortController),
  AbortSignal: named('AbortSignal', PlainAbortSignal),
  DOMException: named('DOMException', PlainDomException),
  Event: named('Event', PlainEvent),
  EventTarget: named('EventTarget', PlainEventTarget),
  setTimeout: (run: unknown, delay?: unknown, ...args: unknown[]) => setTimer(run, delay, args, false),
  setInterval: (run: unknown, delay?: unknown, ...args: unknown[]) => setTimer(run, delay, args, true),
  clearTimeout: clearTimer,
  clearInterval: clearTimer,
  queueMicrotask: (run: () => void) => {
    Promise.resolve().then(run);
  },
  performance: {
    now: () => {
      const now = px.now();
      began ??= now;
      return now - began;
    },
    get timeOrigin() {
      began ??= px.now();
      return began;
    },
  },
  structuredClone: (value: unknown) => clone(value, new Map()),
};
for (const [name, value] of Object.entries(given))
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
Math.random = fraction;
