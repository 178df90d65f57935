/**
 * What a `.ts` or `.js` plugin can use: the module `px`, and globals as browsers have them. Name this file
 * in a tsconfig with `"lib": ["ESNext"], "types": []`, or put `/// <reference path="./px.d.ts" />` at the top of a plugin.
 *
 * Functions that a plugin exports, and the `run` of its tools, may be `async`: px waits for the promise. A call is over when its promise has
 * settled; timers that are left then are dropped.
 */
declare module 'px' {
  export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
  export type LogLevel = 'info' | 'warn' | 'error' | 'debug';

  /** One line in px's log, under the plugin's name. `console.log` and its kin do the same. */
  export function log(level: LogLevel, message: string): void;

  /** Stores a value, encrypted at rest. Throws when the quota is passed. */
  export function kvSet(key: string, value: string | Uint8Array): void;
  /** A stored value; nothing when the key has none. */
  export function kvGet(key: string): Uint8Array | undefined;
  /** A stored value as text. */
  export function kvGetText(key: string): string | undefined;
  /** Removes a value; removing what is not there is fine. */
  export function kvDelete(key: string): void;
  /** The keys that begin with a prefix, sorted. */
  export function kvList(prefix?: string): string[];

  /** Milliseconds since the epoch; `Date` uses it too. */
  export function now(): number;
  /** Cryptographically strong random bytes. */
  export function randomBytes(count: number): Uint8Array;
  /** A setting of this plugin from px.yaml. A secret reads `{{secret:NAME}}`: use it as if it were the value, px fills it in on the way out. */
  export function configGet(key: string): Json | undefined;
  /** Whether a secret of this name is set and granted to the plugin. */
  export function secretExists(name: string): boolean;

  export interface Request {
    /** `GET` when left out, `POST` when there is a body. */
    method?: string;
    /** Absolute, http or https. */
    url: string;
    /** A value may hold `{{secret:NAME}}`, as {@link configGet} gives it: px fills it in on the way to where it is granted. */
    headers?: Record<string, string> | [string, string][];
    body?: string | Uint8Array;
    /** At most the plugin's wall-time limit, which counts when this is left out. */
    timeoutMs?: number;
  }
  export interface Response {
    status: number;
    headers: [string, string][];
    body: Uint8Array;
    /** The body as UTF-8 text. */
    text(): string;
    /** The body as JSON. */
    json<T = Json>(): T;
    /** A header by name, in any case. */
    header(name: string): string | undefined;
  }
  /** Why a request did not happen: no grant, too slow, too large, or the network. */
  export class HttpError extends Error {
    readonly kind: 'denied' | 'timeout' | 'too-large' | 'network';
    constructor(kind: 'denied' | 'timeout' | 'too-large' | 'network', message: string);
  }
  /**
   * Sends a request under the plugin's grants and waits for the answer. Throws {@link HttpError}; any HTTP status is an answer. The global
   * `fetch` does the same as browsers have it.
   */
  export function httpRequest(request: Request | string): Response;

  /** A file or folder. `other` is a link, pipe, device or a file with further names: none of it is reached. */
  export interface FileEntry {
    name: string;
    kind: 'file' | 'folder' | 'other';
    /** In bytes. */
    size: number;
    /** Milliseconds since the epoch. */
    modified: number;
  }
  /**
   * What is in a folder that is granted, by name. A path begins with the name that px.yaml gives the folder: `notes/2026/plan.md`; the empty path
   * lists these folders. What is refused or not there throws an Error that begins with `denied:`, `not-found:`, `invalid:` or `too-large:`.
   */
  export function fileList(path?: string): FileEntry[];
  export function fileStat(path: string): FileEntry;
  /** The bytes of a file, or some of them. */
  export function fileRead(path: string, range?: { offset?: number; length?: number }): Uint8Array;
  /** The same as UTF-8 text. */
  export function fileReadText(path: string, range?: { offset?: number; length?: number }): string;
  /** Puts a whole file in place: readers see the old one or the new one. Folders on the way are made. */
  export function fileWrite(path: string, content: string | Uint8Array): void;
  /** Deletes a file, or a folder with nothing in it. */
  export function fileDelete(path: string): void;

  /** A message from a person on the platform. */
  export interface Message {
    id: string;
    sender: { id: string; displayName: string };
    text: string;
    /** An object or JSON text. px reads `channel`, `date` (Unix seconds), `group`, `within`, `mentioned` and `files`. */
    metadata?: string | { [key: string]: Json };
  }
  /** Puts a message into px's inbox at once. */
  export function emitMessage(message: Message): void;

  /** What a held request brought: handed to `onWait`. */
  export type WaitAnswer = { ok: Response } | { err: HttpError };
  /** Something px wants done in a chat: handed to `nextSend` and `onSent`; see `outgoing` in wit/core.wit. */
  export interface Outgoing {
    kind: 'post' | 'edit' | 'draft' | 'typing' | 'react';
    key: string;
    message: string | null;
    content: string;
    choices: { label: string; says: string }[];
    /** Where the body has `{{file:ID}}`, px puts the bytes. */
    files: { id: string; name: string; mime: string; size: number }[];
  }
  /** What an answer means: returned by `onSent`. */
  export type Progress = { done: string } | { again: Request };
  /** A request that came to the webhook: handed to `onWebhook`. */
  export interface WebhookRequest extends Omit<Response, 'status'> {
    method: string;
    url: string;
  }
  /** Returned by `onWebhook`: what the platform is answered (200 when left out) once the messages are stored. */
  export interface WebhookAnswer {
    status?: number;
    messages?: Message[];
  }
  /** A WebSocket that px holds: returned by `nextSocket`. Patterns and messages may be given as values, which become JSON. */
  export interface Socket {
    /** Absolute, wss or ws; granted by `GET wss://…`. */
    url: string;
    headers?: Record<string, string> | [string, string][];
    protocols?: string[];
    /** Which messages wake the plugin: those that hold everything in one of these; none: all. */
    wake?: Json[];
    /** JSON pointer to how far the stream has come; `{{cursor}}` in messages that are sent stands for the latest value. */
    cursor?: string;
    /** Sent at once. A message may hold `{{secret:NAME}}`. */
    send?: Json[];
  }
  /** What came: handed to `onSocket`. */
  export type SocketEvent = { messages: string[] } | { closed: { code: number; reason: string } };
  /** What becomes of it: returned by `onSocket`. */
  export interface SocketAnswer {
    /** Stored before anything else here is done. */
    messages?: Message[];
    /** Then kept as {@link kvSet} does; `null` deletes. */
    keep?: Record<string, string | null>;
    /** Sets the cursor; `null`: there is none. */
    cursor?: Json;
    /** From now on. */
    wake?: Json[];
    send?: Json[];
    /** Kept up by px without waking the plugin; without the `answer` in time px connects anew. */
    heartbeat?: { everyMs: number; message: Json; answer?: Json };
    /** The platform has let px in. */
    ready?: boolean;
    /** px closes it and asks `nextSocket` again. */
    reconnect?: boolean;
  }
  /** A command people can type: handed to `setCommands`. */
  export interface Command {
    name: string;
    summary: string;
  }
  /** Who px is on the platform: returned by `account`. */
  export interface Account {
    /** As people see it there: `@my_px_bot`. */
    name: string;
    /** Where people write to it; empty when there is no such address. */
    url: string;
  }
  /** What a connector can do: returned by `describe`. */
  export interface Description {
    platform: string;
    maxText: number;
  }

  /** One tool: an element of `export const tools`. */
  export interface Tool {
    /** Letters, digits, `_` and `-`. */
    name: string;
    /** One or two sentences for the model. */
    description: string;
    /** JSON Schema of the arguments object. */
    parameters: { [key: string]: Json };
    /** May be async. Text goes to the model as it is, anything else as JSON. A thrown error is told to the model. */
    // biome-ignore lint/suspicious/noExplicitAny: an author writes the type that the schema promises
    run(args: any): unknown;
  }
  /** `export const manifest`: what px should know before it runs the plugin. What it asks for is not granted before a person agrees. */
  export interface Manifest {
    /** Small letters, digits and dashes. */
    name: string;
    version: string;
    description: string;
    /** `GET https://api.example.com/v1/`: methods, scheme, host, port, path prefix. */
    egress?: string[];
    /** Hosts on the user's own network or machine: `homeassistant.local:8123`. */
    private_hosts?: string[];
    /** By name, where each may go: `bearer https://api.example.com/`. */
    secrets?: Record<string, string[]>;
    /** Folders by the name it calls them: `{ notes: 'read ~/notes' }`. The person may give another folder. */
    files?: Record<string, string>;
    /** Exported functions that px calls by the clock: `{ refresh: '0 * * * *' }`. */
    schedule?: Record<string, string>;
    /** What is more than usual: `{ memory_mb: 128 }`. */
    limits?: Record<string, number>;
    /** True: it needs no function of px. None answers it then, and each call has a new process. */
    sealed?: boolean;
    /** What a person has to do before it is of use: shown when it is added. */
    setup?: string;
  }
}

/** `console.log` and its kin write lines into px's log, under the plugin's name. */
interface Console {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  dir(value: unknown): void;
  table(rows: unknown): void;
  assert(holds?: unknown, ...values: unknown[]): void;
  group(...labels: unknown[]): void;
  groupCollapsed(...labels: unknown[]): void;
  groupEnd(): void;
  count(label?: string): void;
  countReset(label?: string): void;
  time(label?: string): void;
  timeLog(label?: string, ...values: unknown[]): void;
  timeEnd(label?: string): void;
}
declare const console: Console;

/** Sends a request under the plugin's grants. Several at once are done one after the other. */
declare function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;

type BodyInit = string | Uint8Array | ArrayBuffer | ArrayBufferView | URLSearchParams;
type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>;
interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
  /** px follows redirects, to granted places only; `manual` and `error` are refused. */
  redirect?: 'follow';
  signal?: AbortSignal | null;
}
interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

declare class Headers implements Iterable<[string, string]> {
  constructor(init?: HeadersInit | null);
  append(name: string, value: string): void;
  delete(name: string): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  forEach(run: (value: string, name: string, headers: Headers) => void): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

/** A body as a stream. All of it is there already: it comes as one chunk. */
interface BodyStream extends AsyncIterable<Uint8Array> {
  readonly locked: boolean;
  getReader(): {
    read(): Promise<{ done: false; value: Uint8Array } | { done: true; value: undefined }>;
    cancel(): Promise<void>;
    releaseLock(): void;
  };
  cancel(): Promise<void>;
}

/** What Request and Response share: a body is read once. */
declare abstract class Body {
  readonly body: BodyStream | null;
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array>;
  // biome-ignore lint/suspicious/noExplicitAny: as browsers have it
  json(): Promise<any>;
  text(): Promise<string>;
}
declare class Request extends Body {
  constructor(input: string | URL | Request, init?: RequestInit);
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly redirect: string;
  readonly signal: AbortSignal;
  clone(): Request;
}
declare class Response extends Body {
  constructor(body?: BodyInit | null, init?: ResponseInit);
  static json(value: unknown, init?: ResponseInit): Response;
  readonly status: number;
  readonly statusText: string;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  readonly headers: Headers;
  readonly url: string;
  clone(): Response;
}

declare class Event {
  constructor(type: string);
  readonly type: string;
  readonly target: unknown;
  readonly defaultPrevented: boolean;
  preventDefault(): void;
}
type EventListener = ((event: Event) => void) | { handleEvent(event: Event): void };
declare class EventTarget {
  addEventListener(type: string, listener: EventListener | null, options?: boolean | { once?: boolean }): void;
  removeEventListener(type: string, listener: EventListener | null): void;
  dispatchEvent(event: Event): boolean;
}
declare class DOMException extends Error {
  constructor(message?: string, name?: string);
}
declare class AbortSignal extends EventTarget {
  static abort(reason?: unknown): AbortSignal;
  static any(signals: Iterable<AbortSignal>): AbortSignal;
  static timeout(ms: number): AbortSignal;
  readonly aborted: boolean;
  readonly reason: unknown;
  onabort: ((event: Event) => void) | null;
  throwIfAborted(): void;
}
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/** Timers run while a call waits for its promise; what is left when it settles is dropped. */
// biome-ignore lint/suspicious/noExplicitAny: as browsers have it
declare function setTimeout(run: (...args: any[]) => void, ms?: number, ...args: unknown[]): number;
// biome-ignore lint/suspicious/noExplicitAny: as browsers have it
declare function setInterval(run: (...args: any[]) => void, ms?: number, ...args: unknown[]): number;
declare function clearTimeout(timer: number | undefined): void;
declare function clearInterval(timer: number | undefined): void;
declare function queueMicrotask(run: () => void): void;

/** Milliseconds since the plugin's process first asked. */
declare const performance: { now(): number; readonly timeOrigin: number };

declare class TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}
/** UTF-8, UTF-16LE and Latin-1. */
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}
declare class URLSearchParams implements Iterable<[string, string]> {
  constructor(init?: string | Record<string, string> | Iterable<[string, string]>);
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  forEach(run: (value: string, name: string, params: URLSearchParams) => void): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
  toString(): string;
}
declare class URL {
  constructor(url: string | URL, base?: string | URL);
  static canParse(url: string, base?: string): boolean;
  static parse(url: string, base?: string): URL | null;
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  readonly searchParams: URLSearchParams;
  toString(): string;
  toJSON(): string;
}
declare function atob(base64: string): string;
declare function btoa(binary: string): string;
declare function structuredClone<T>(value: T): T;
declare const crypto: {
  /** Fills an array with cryptographically strong random numbers, at most 65,536 bytes. */
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): string;
};
