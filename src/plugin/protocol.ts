import * as v from 'valibot';
import { type Json, tooDeep } from '../wire/wire.ts';
import type { WitFunction } from './wit/types.ts';

/*
 * What daemon and child say to each other. The daemon trusts nothing of it: every frame from a child passes `FromChild`,
 * and which plugin speaks is known by the pipe it comes from, never by what it says.
 */

/** Anything JSON.parse can give; frames are parsed before they are checked. */
const json = v.custom<Json>(() => true);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const words = v.pipe(v.string(), v.maxLength(4096));
const maxFunctionName = 64;

/** First frame of any child: it is locked, with these layers. */
const Locked = v.object({ t: v.literal('locked'), layers: v.record(v.string(), words) });

/** A frame from a plugin's process. */
export const FromChild = v.variant('t', [
  Locked,
  v.object({ t: v.literal('ready') }),
  v.object({
    t: v.literal('host'),
    n: count,
    fn: v.pipe(v.string(), v.maxLength(maxFunctionName)),
    args: v.array(json),
  }),
  v.object({ t: v.literal('done'), id: count, ok: json }),
  v.object({ t: v.literal('failed'), id: count, err: json }),
  v.object({ t: v.literal('refused'), id: count, why: v.picklist(['arguments', 'value', 'output']), message: words }),
  v.object({ t: v.literal('trap'), message: words }),
]);
export type FromChild = v.InferOutput<typeof FromChild>;

/**
 * A child's frame, checked: exactly what `FromChild` lets through, or undefined. The two that every call is made of are looked at by
 * hand, because a schema takes longer than the call itself.
 */
export function readFromChild(frame: unknown): FromChild | undefined {
  if (typeof frame !== 'object' || frame === null || tooDeep(frame)) return undefined;
  if ('t' in frame && frame.t === 'done') {
    if (!('id' in frame && isCount(frame.id) && 'ok' in frame)) return undefined;
    return { t: 'done', id: frame.id, ok: frame.ok as Json };
  }
  if ('t' in frame && frame.t === 'host') {
    const { n, fn, args } = frame as { n?: unknown; fn?: unknown; args?: unknown };
    if (!isCount(n) || typeof fn !== 'string' || fn.length > maxFunctionName || !Array.isArray(args)) return undefined;
    return { t: 'host', n, fn, args };
  }
  const parsed = v.safeParse(FromChild, frame);
  return parsed.success ? parsed.output : undefined;
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;

/** A frame from the process that prepares a plugin. After `prepared` each of `files` follows as a blob. */
export const FromPrepare = v.variant('t', [
  Locked,
  v.object({
    t: v.literal('prepared'),
    imports: v.array(words),
    functions: v.array(v.record(v.string(), v.unknown())),
    files: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[\w.-]{1,80}$/))), v.maxLength(256)),
  }),
  v.object({ t: v.literal('bundled'), code: v.string() }),
  v.object({
    t: v.literal('refused'),
    code: v.picklist(['plugin.invalid', 'plugin.imports', 'plugin.unsafe', 'plugin.memory']),
    message: words,
    hint: v.optional(words),
  }),
]);
export type FromPrepare = v.InferOutput<typeof FromPrepare>;

/**
 * What a plugin's process is given after it is locked. Blobs follow: each of `modules`, the generated code, the script's
 * text (empty when the plugin is a component of its own), and the picture when one is given.
 */
export interface LoadFrame {
  t: 'load';
  /** Core modules by the name the code asks for. */
  modules: string[];
  functions: WitFunction[];
  imports: string[];
  /** The plugin's settings, each as JSON: when they change the process is replaced. */
  settings: [key: string, json: string][];
  /** The time it is told at its start, in ms since 1970, when that is another than the machine's: the clock of a test. */
  clock?: number;
  /** Largest JSON of one result, in bytes. */
  outputBytes: number;
  /** Of a script: whether the state it has once it is evaluated follows, or will be asked for. */
  picture: 'none' | 'given' | 'wanted';
}

/** One call of an exported function. */
export interface CallFrame {
  t: 'call';
  id: number;
  fn: string;
  args: Json[];
}

/** A call is likely to come within a moment; nothing is answered. */
export interface SoonFrame {
  t: 'soon';
}

/** The answer to a host call: a value, or the error arm of its result. */
export interface AnswerFrame {
  t: 'answer';
  n: number;
  ok?: Json;
  err?: Json;
}

/** What the preparing process is given after it is locked; the file follows as a blob. */
export interface PrepareFrame {
  t: 'prepare';
  memoryMb: number;
  /** Of a script: decides between TypeScript and JavaScript. */
  filename: string;
}
