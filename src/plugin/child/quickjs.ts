import type { Anchors } from '../engine/engine.ts';
import { applyPicture, stateOf } from './picture.ts';

/*
 * QuickJS as the npm package quickjs-wasi has built it: one WebAssembly module whose functions take and give addresses of values. Of its
 * functions px calls those named here, without the package's JavaScript, which is made for values of all kinds: here only text goes in and out.
 */

/** The address of a value; whoever gets one gives it back with `qjs_free_value`. */
type Value = number;

/** What px calls of the module's exports. */
interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  qjs_init(): number;
  /** In bytes. */
  qjs_set_max_stack_size(size: number): void;
  wasm_malloc(size: number): number;
  wasm_free(at: number): void;
  qjs_eval(code: number, length: number, filename: number, flags: number): Value;
  qjs_new_string(at: number, length: number): Value;
  /** The text as UTF-8 until it is freed, its length in bytes at `lengthAt`; 0 when it is none. */
  qjs_get_string_len(value: Value, lengthAt: number): number;
  qjs_free_cstring(at: number): void;
  qjs_new_host_function(name: number, length: number, parameters: number): Value;
  qjs_get_prop_string(value: Value, name: number): Value;
  qjs_get_undefined(): Value;
  qjs_call(fn: Value, self: Value, count: number, values: number): Value;
  qjs_is_exception(value: Value): number;
  qjs_get_exception(): Value;
  qjs_free_value(value: Value): void;
  qjs_is_job_pending(): number;
  qjs_execute_pending_job(): number;
}

/** What a script threw, as text. */
class ScriptError extends Error {
  // By which it is known: a minified class has another.
  static override readonly name = 'ScriptError';
  readonly payload: string;
  constructor(payload: string) {
    super(payload);
    this.payload = payload;
  }
}

/** All that the engine can reach outside itself. */
export interface Outside {
  /** Answers a script's host call: `{"ok": …}` or `{"err": …}` for a function and the JSON array of its arguments. */
  host(fn: string, args: string): string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Fills bytes at random, from which the engine's own numbers start. */
  random(bytes: Uint8Array<ArrayBuffer>): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Bytes for a text that goes in; a longer one gets its own place. */
const roomBytes = 8192;
/** Arguments of a call at most. */
const lineLength = 4;
/** WASI's `badf`: the engine has no files. */
const noFile = 8;
/** Bytes of stack a script may use before it is told so: a deeper recursion would be a trap of the engine. */
const stackBytes = 640 * 1024;

/** A script in an instance of the engine; after a trap it is not used again. */
export class Script {
  readonly instance: WebAssembly.Instance;
  readonly #js: Exports;
  #view: DataView;
  #at: Anchors = { load: 0, call: 0, invoke: 0, settle: 0, rehearse: 0, undefined: 0, room: 0, line: 0, length: 0 };

  constructor(module: WebAssembly.Module, outside: Outside) {
    this.instance = new WebAssembly.Instance(module, {
      env: {
        host_call: (_name: number, _length: number, _self: Value, count: number, values: number) =>
          this.#hosted(outside, count, values),
        host_interrupt: () => 0,
        host_promise_rejection() {},
        host_module_normalize: () => 0,
        host_module_load: () => 0,
        host_get_timezone_offset: () => 0,
      },
      wasi_snapshot_preview1: {
        clock_time_get: (_clock: number, _precision: bigint, at: number) => {
          this.#memory().setBigUint64(at, BigInt(Math.round(outside.now() * 1000)) * 1000n, true);
          return 0;
        },
        random_get: (at: number, length: number) => {
          outside.random(new Uint8Array(this.#js.memory.buffer, at, length));
          return 0;
        },
        fd_close: () => noFile,
        fd_fdstat_get: () => noFile,
        fd_seek: () => noFile,
        fd_write: () => noFile,
      },
    });
    this.#js = this.instance.exports as unknown as Exports;
    this.#view = new DataView(this.#js.memory.buffer);
  }

  /** Evaluates px's part of the engine, an expression that gives `connect` and the functions among the anchors: once, when px is built. */
  begin(code: string): Anchors {
    const js = this.#js;
    js._initialize();
    if (js.qjs_init() !== 0) throw new Error('the engine does not start');
    js.qjs_set_max_stack_size(stackBytes);
    this.#at = {
      ...this.#at,
      undefined: js.qjs_get_undefined(),
      room: js.wasm_malloc(roomBytes),
      line: js.wasm_malloc(4 * lineLength),
      length: js.wasm_malloc(4),
    };
    const [text, length] = this.#copy(`${code}\0`);
    const [name] = this.#copy('px:engine\0');
    const exported = this.#checked(js.qjs_eval(text, length - 1, name, 0));
    js.wasm_free(text);
    const named = (key: string) => this.#checked(js.qjs_get_prop_string(exported, this.#copy(`${key}\0`)[0]));
    const [host, hostLength] = this.#copy('host\0');
    this.#call(named('connect'), [this.#checked(js.qjs_new_host_function(host, hostLength - 1, 2))]);
    this.#at = {
      ...this.#at,
      load: named('load'),
      call: named('call'),
      invoke: named('invoke'),
      settle: named('settle'),
      rehearse: named('rehearse'),
    };
    return this.#at;
  }

  /** Goes on where `begin` ended, in an instance of the same module. */
  resume(picture: Uint8Array, anchors: Anchors): void {
    applyPicture(stateOf([this.instance]), picture);
    this.#at = anchors;
  }

  /** What the script exports, as JSON. Throws ScriptError. */
  load(): string {
    return this.#call(this.#at.load, []);
  }

  /** Calls an exported function with a JSON array of arguments; gives the JSON of what it or its promise came to. Throws ScriptError. */
  invoke(name: string, args: string): string {
    const given: unknown = JSON.parse(args);
    // Texts, as a tool's call has them, go in as they are.
    let answer =
      Array.isArray(given) &&
      given.length < lineLength &&
      given.every((one) => typeof one === 'string' && one.isWellFormed())
        ? this.#call(
            this.#at.call,
            [name, ...given].map((one) => this.#text(one)),
          )
        : this.#call(this.#at.invoke, [this.#text(name), this.#text(args)]);
    // Nothing, or how many ms to sleep, while a promise has not settled.
    while (answer === '' || answer.startsWith('~')) {
      if (answer.length > 1 && answer !== '~0') Bun.sleepSync(Number(answer.slice(1)));
      this.#runJobs();
      answer = this.#call(this.#at.settle, []);
    }
    return answer.startsWith('=') ? JSON.stringify(answer.slice(1)) : answer;
  }

  /** Does what a tool's call does, but for the call, once the script was evaluated. */
  rehearse(): void {
    const args = ['call-tool', 'tool', '{"text":"text"}'];
    try {
      this.#call(
        this.#at.rehearse,
        args.map((one) => this.#text(one)),
      );
    } catch (thrown) {
      // Nobody waits for it: what is wrong shows in the call.
      if (!(thrown instanceof ScriptError)) throw thrown;
    }
  }

  #runJobs(): void {
    while (this.#js.qjs_is_job_pending()) if (this.#js.qjs_execute_pending_job() < 0) this.#thrown();
  }

  /** Calls a function with values it then frees; gives what it returned as text. */
  #call(fn: Value, values: Value[]): string {
    const js = this.#js;
    const memory = this.#memory();
    values.forEach((value, i) => {
      memory.setUint32(this.#at.line + 4 * i, value, true);
    });
    const result = js.qjs_call(fn, this.#at.undefined, values.length, this.#at.line);
    for (const value of values) js.qjs_free_value(value);
    return this.#take(this.#checked(result));
  }

  /** A value that is no exception; otherwise that is thrown. */
  #checked(value: Value): Value {
    if (!this.#js.qjs_is_exception(value)) return value;
    this.#js.qjs_free_value(value);
    return this.#thrown();
  }

  #thrown(): never {
    throw new ScriptError(this.#take(this.#js.qjs_get_exception()));
  }

  /** The text of a value, which is given back. */
  #take(value: Value): string {
    try {
      return this.#read(value);
    } finally {
      this.#js.qjs_free_value(value);
    }
  }

  /** A text as a value. */
  #text(text: string): Value {
    const js = this.#js;
    const { room } = this.#at;
    if (text.length * 3 <= roomBytes) {
      const { written } = encoder.encodeInto(text, new Uint8Array(js.memory.buffer, room, roomBytes));
      return this.#checked(js.qjs_new_string(room, written));
    }
    const [at, length] = this.#copy(text);
    const value = js.qjs_new_string(at, length);
    js.wasm_free(at);
    return this.#checked(value);
  }

  /** Copies a text into a place of its own. */
  #copy(text: string): [at: number, length: number] {
    const bytes = encoder.encode(text);
    const at = this.#js.wasm_malloc(bytes.length);
    if (at === 0) throw new ScriptError('out of memory');
    new Uint8Array(this.#js.memory.buffer).set(bytes, at);
    return [at, bytes.length];
  }

  /** The text of a value. */
  #read(value: Value): string {
    const { length } = this.#at;
    const at = this.#js.qjs_get_string_len(value, length);
    if (at === 0) throw new ScriptError('out of memory');
    const text = decoder.decode(new Uint8Array(this.#js.memory.buffer, at, this.#memory().getUint32(length, true)));
    this.#js.qjs_free_cstring(at);
    return text;
  }

  /** A host call of the script. */
  #hosted({ host }: Outside, count: number, values: number): Value {
    if (count !== 2) throw new Error('the engine asks the host for one function with its arguments');
    try {
      const fn = this.#read(this.#memory().getUint32(values, true));
      return this.#text(host(fn, this.#read(this.#memory().getUint32(values + 4, true))));
    } catch (thrown) {
      if (!(thrown instanceof ScriptError)) throw thrown;
      return this.#noRoom();
    }
  }

  /** The answer to a host call for which the memory is too small: an error thrown from here would leave the engine in the middle of the call. */
  #noRoom(): Value {
    try {
      return this.#text(JSON.stringify({ err: 'out of memory' }));
    } catch (cause) {
      // A trap.
      throw new Error('it is out of memory in a host call', { cause });
    }
  }

  /** The memory as it is now: another one after it grew. */
  #memory(): DataView {
    if (this.#view.buffer !== this.#js.memory.buffer) this.#view = new DataView(this.#js.memory.buffer);
    return this.#view;
  }
}
