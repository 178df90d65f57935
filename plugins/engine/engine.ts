/** The script engine's guest side, called by src/plugin/child/script.ts. One instance runs one script. */
import type * as Px from 'px';
import './globals.ts';
import { hostApi, parse, source, stringify } from './host.ts';
import { httpError, messageJson, plain, px, reason, request, response } from './px.ts';
import { forgetTimers, runTimer } from './timer.ts';

type Exports = Record<string, unknown>;
let script: Exports | undefined;

export { connect } from './host.ts';

type Callable = (...args: unknown[]) => unknown;
/** What the script exports that can be called, by its name in kebab-case. */
const callable = new Map<string, Callable>();

/** Evaluates the script once and tells what it exports. */
export function load(): string {
  const exports = evaluated();
  const tools = toolsOf(exports);
  return stringify({
    functions: [...callable.keys()],
    tools: tools.map(({ name, description, parameters }) => ({ name, description, parameters })),
    manifest: exports['manifest'] ?? null,
  });
}

/** What the call under way came to, once its promise has settled. */
let outcome: { ok: string } | { err: string } | undefined;

/** As `call`, with the arguments as a JSON array. */
export function invoke(name: string, args: string): string {
  let given: unknown;
  try {
    given = parse(args);
    if (!Array.isArray(given)) throw new TypeError('arguments must be a JSON array');
  } catch (e) {
    throw told(e);
  }
  return call(name, ...given);
}

/**
 * Calls an exported function (kebab-case or camelCase). Gives its result as JSON, or as it is after a `=` when it is text: each step more takes a
 * part of a plain call's time that can be measured. An empty text means that it returned a promise: `settle` tells what becomes of it.
 */
export function call(name: string, ...given: unknown[]): string {
  outcome = undefined;
  forgetTimers();
  try {
    evaluated();
    const wanted = callable.has(name) ? name : kebab(name);
    const fn = callable.get(wanted);
    if (fn === undefined) throw new TypeError(`the plugin has no function ${name}`);
    const input = read.has(wanted) ? given.map((value, at) => argument(wanted, at, value)) : given;
    const output: unknown = fn.apply(undefined, input);
    if (!isThenable(output)) return written(wanted, output);
    Promise.resolve(output)
      .then((value) => {
        outcome = { ok: written(wanted, value) };
      })
      .catch((e: unknown) => {
        outcome = { err: told(e) };
      });
    return '';
  } catch (e) {
    throw told(e);
  }
}

/** Does what `call` does with a tool, but for the call: what is not done for some milliseconds, the processor has to fetch again. */
export function rehearse(name: string, _tool: string, args: string): string {
  if (script === undefined) return '';
  return callable.has(name) ? written(name, parse(args)) : written('', parse(args));
}

/**
 * Goes on with a call that returned a promise; whoever calls this has run the engine's waiting jobs before. Gives the call's
 * result; `~` and a number when it has to be called again after that many milliseconds.
 */
export function settle(): string {
  if (!outcome) {
    const wait = next();
    if (wait === undefined) throw 'the promise it returned never settles: nothing is left that could settle it';
    return `~${wait}`;
  }
  const done = outcome;
  outcome = undefined;
  forgetTimers();
  if ('ok' in done) return done.ok;
  throw done.err;
}

/** Runs the timer that is due, or tells in how many ms one is. */
function next(): number | undefined {
  try {
    return runTimer();
  } catch (e) {
    throw told(e);
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

function written(wanted: string, output: unknown): string {
  const shaped = contract.get(wanted);
  const value = shaped ? shaped(output) : output;
  if (typeof value === 'string' && value.isWellFormed()) return `=${value}`;
  return stringify(value, typeof value === 'object' || typeof value === 'bigint' ? bytesAsBase64 : undefined) ?? 'null';
}

/** What the host is told of a thrown value; where it was thrown goes to the log. */
function told(e: unknown): string {
  if (e instanceof Error && e.stack) hostApi.log('debug', plain(`${e.name}: ${e.message}\n${e.stack}`));
  return text(e);
}

function evaluated(): Exports {
  if (script) return script;
  const modules: Record<string, unknown> = {
    px,
    'project-x:core/host-api': hostApi,
    'project-x:core/host-api@0.1.0': hostApi,
  };
  try {
    const made: unknown = new Function('__px_import', source())((id: string) => modules[id]);
    script = typeof made === 'object' && made !== null ? { ...made } : {};
    collect(script);
    return script;
  } catch (e) {
    throw text(e);
  }
}

/** Writes down what can be called, once: a call must not look for it. */
function collect(exports: Exports): void {
  for (const [name, value] of Object.entries(exports)) {
    const known = kebab(name);
    if (typeof value === 'function' && !callable.has(known)) callable.set(known, value as Callable);
  }
  const tools = toolsOf(exports);
  if (tools.length === 0) return;
  const list = () => tools.map((t) => ({ name: t.name, description: t.description, inputSchema: t.parameters }));
  if (!callable.has('list-tools')) callable.set('list-tools', list);
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const callTool = (name: string, args: string) => {
    const tool = byName.get(name);
    if (!tool) throw new TypeError(`the plugin has no tool ${name}`);
    return tool.run(parse(args || '{}'));
  };
  if (!callable.has('call-tool')) callable.set('call-tool', callTool as Callable);
}

/** What the host is told: a result's `err` is text. */
function text(e: unknown): string {
  return e instanceof SyntaxError || e instanceof ReferenceError || e instanceof TypeError
    ? plain(`${e.name}: ${e.message}`)
    : reason(e) || 'error';
}

function toolsOf(exports: Exports): Px.Tool[] {
  const tools: unknown = exports['tools'];
  return Array.isArray(tools) ? tools.filter((t) => typeof t?.run === 'function') : [];
}

/** The contract's functions that take what a script reads in another shape. */
const read = new Set(['on-wait', 'on-sent', 'on-webhook']);

/** An argument of those as a script reads it. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of px, in the shape of wit/core.wit
function argument(name: string, at: number, value: any): unknown {
  if ((name === 'on-wait' && at === 0) || (name === 'on-sent' && at === 2)) return waitAnswer(value);
  if (name !== 'on-webhook' || at !== 0) return value;
  const { text, json, header } = response(200, value.headers, bytesOf(value.body ?? ''));
  return { ...value, body: bytesOf(value.body ?? ''), text, json, header };
}

/** The JSON of a held request's answer as a script reads it: `{ok: Response}` or `{err: HttpError}`. */
function waitAnswer(json: {
  ok?: { status: number; headers: [string, string][]; body: string };
  err?: unknown;
}): unknown {
  if (!json?.ok) return { err: httpError(json?.err) };
  const { status, headers, body } = json.ok;
  const binary = atob(body);
  const answer = response(status, headers, new Uint8Array());
  let bytes: Uint8Array | undefined;
  const whole = () => (bytes ??= Uint8Array.from(binary, (c) => c.charCodeAt(0)));
  Object.defineProperty(answer, 'body', { get: whole, enumerable: true });
  // What is nothing but ASCII is its own text: to decode it byte by byte takes most of a call's time here.
  const text = () => (/[\x80-\xff]/.test(binary) ? response(status, headers, whole()).text() : binary);
  return { ok: Object.assign(answer, { text, json: () => parse(text()) }) };
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/** A request as the host's JSON mapping wants it. */
function requestJson(from: Px.Request | string): unknown {
  const said = typeof from === 'object' && typeof from.body === 'string' ? from.body : undefined;
  // Text that is nothing but ASCII needs no encoding byte by byte, which takes long here.
  if (typeof from === 'object' && said !== undefined && !/[^\x00-\x7f]/.test(said)) {
    const { timeoutMs, body: _, ...rest } = request({ ...from, body: '' });
    return { ...rest, body: btoa(said), timeout_ms: timeoutMs ?? null };
  }
  const { timeoutMs, body, ...rest } = request(from);
  return { ...rest, body: body ?? null, timeout_ms: timeoutMs ?? null };
}

// biome-ignore lint/suspicious/noExplicitAny: what a script returned; a wrong shape is reported by the host's schema
type Returned = any;

const messages = (value: Returned) => (value ?? []).map(messageJson);

/** The contract's functions: what each returns, spelt as the host's JSON mapping wants it. Any other's result stays as it is. */
const contract = new Map<string, (value: Returned) => unknown>([
  ['poll-events', messages],
  ['on-wait', messages],
  ['get-history', messages],
  ['next-wait', (value) => (value ? requestJson(value) : null)],
  ['next-send', requestJson],
  ['fetch-file', requestJson],
  ['on-sent', (value) => ('again' in value ? { again: requestJson(value.again) } : { done: `${value.done ?? ''}` })],
  [
    'on-webhook',
    (value) => ({
      response: { status: value.status ?? 200, headers: value.headers ?? [], body: value.body ?? '' },
      messages: messages(value.messages),
    }),
  ],
  ['next-socket', (value) => (value ? socketJson(value) : null)],
  ['on-socket', (value) => socketAnswer(value ?? {})],
  ['describe', (value) => ({ platform: `${value.platform}`, max_text: value.maxText ?? value.max_text })],
  [
    'list-tools',
    (value) =>
      value.map((t: { name: string; description: string; inputSchema: unknown }) => ({
        name: t.name,
        description: t.description,
        input_schema:
          typeof t.inputSchema === 'string' ? t.inputSchema : stringify(t.inputSchema ?? { type: 'object' }),
      })),
  ],
  ['call-tool', (value) => (typeof value === 'string' ? value : (stringify(value, bytesAsBase64) ?? ''))],
]);

/** The WebSocket of `next-socket`, with everything filled in. */
function socketJson({ url, headers, protocols = [], wake = [], cursor, send = [] }: Px.Socket): unknown {
  return {
    url: `${url}`,
    headers: Array.isArray(headers) ? headers : Object.entries(headers ?? {}),
    protocols,
    wake: wake.map(asText),
    cursor: cursor ?? null,
    send: send.map(asText),
  };
}

/** The answer of `on-socket`. */
function socketAnswer({
  messages = [],
  keep = {},
  cursor,
  wake,
  send = [],
  heartbeat,
  ready,
  reconnect,
}: Px.SocketAnswer) {
  return {
    messages: messages.map(messageJson),
    keep: Object.entries(keep).map(([key, value]) => [key, value ?? null]),
    cursor: cursor === undefined ? null : stringify(cursor),
    wake: wake?.map(asText) ?? null,
    send: send.map(asText),
    heartbeat: heartbeat
      ? {
          every_ms: Math.round(heartbeat.everyMs),
          message: asText(heartbeat.message),
          answer: heartbeat.answer === undefined ? null : asText(heartbeat.answer),
        }
      : null,
    ready: ready === true,
    reconnect: reconnect === true,
  };
}

/** A message or a pattern: text as it is, anything else as JSON. */
const asText = (value: unknown) => (typeof value === 'string' ? value : stringify(value));

function bytesAsBase64(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Uint8Array)) return value;
  let binary = '';
  for (let i = 0; i < value.length; i += 4096) binary += String.fromCharCode(...value.subarray(i, i + 4096));
  return btoa(binary);
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`).replaceAll('_', '-');
}
