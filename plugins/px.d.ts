/**
 * What a `.ts` plugin can use. Put `/// <reference path="…/px.d.ts" />` at the top of a plugin, or name this file in its tsconfig.
 * Everything is synchronous: there is no event loop inside a plugin, so no `async`, no timers, no `fetch`.
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
    url: string;
    headers?: Record<string, string> | [string, string][];
    body?: string | Uint8Array;
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
  /** Sends a request under the plugin's grants. Throws {@link HttpError}; any HTTP status is an answer. */
  export function httpRequest(request: Request | string): Response;

  /** A message from a person on the platform. */
  export interface Message {
    id: string;
    sender: { id: string; displayName: string };
    text: string;
    /** An object or JSON text. px reads `channel`, `date` (Unix seconds) and `group`. */
    metadata?: string | { [key: string]: Json };
  }
  /** Puts a message into px's inbox at once. */
  export function emitMessage(message: Message): void;

  /** What a held request brought: handed to `onWait`. */
  export type WaitAnswer = { ok: Response } | { err: HttpError };
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
    /** Text goes to the model as it is, anything else as JSON. A thrown error is told to the model. */
    // biome-ignore lint/suspicious/noExplicitAny: an author writes the type that the schema promises
    run(args: any): unknown;
  }
  /** `export const manifest`: what px should know before it runs the plugin. Egress and secrets are proposals for px.yaml, not grants. */
  export interface Manifest {
    name: string;
    version: string;
    description: string;
    egress?: string[];
    secrets?: Record<string, string[]>;
  }
}

/** What the engine gives a script beside the language itself. */
declare const console: Record<'log' | 'info' | 'warn' | 'error' | 'debug', (...values: unknown[]) => void>;
declare class TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean });
  readonly encoding: string;
  decode(bytes?: Uint8Array | ArrayBuffer): string;
}
declare class URLSearchParams implements Iterable<[string, string]> {
  constructor(init?: string | Record<string, string> | Iterable<[string, string]>);
  append(name: string, value: string): void;
  delete(name: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  [Symbol.iterator](): Iterator<[string, string]>;
  toString(): string;
}
declare class URL {
  constructor(url: string, base?: string | URL);
  static canParse(url: string, base?: string): boolean;
  readonly href: string;
  readonly origin: string;
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
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
declare const crypto: { getRandomValues<T extends Uint8Array>(array: T): T; randomUUID(): string };
