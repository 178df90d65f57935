import * as v from 'valibot';
import { defaultPlugin } from '../../../src/config/config.ts';
import { PxError } from '../../../src/error/error.ts';
import { capModules } from '../../../src/plugin/child/core.ts';
import { embeddedManifest, embedManifest } from '../../../src/plugin/embedded.ts';
import { encodeFrame, FrameCutter, FrameError, parseFrame } from '../../../src/plugin/frame.ts';
import { describeFunction } from '../../../src/plugin/functions.ts';
import { completeManifest, readManifest } from '../../../src/plugin/manifest.ts';
import { FromPrepare, readFromChild } from '../../../src/plugin/protocol.ts';
import { fromWit, toWit } from '../../../src/plugin/wit/json.ts';
import { readComponent } from '../../../src/plugin/wit/read.ts';
import type { WitFunction } from '../../../src/plugin/wit/types.ts';
import { asksOf } from '../../../src/policy/policy.ts';
import type { Json } from '../../../src/wire/wire.ts';
import type { Random } from './random.ts';

/*
 * Each target takes bytes that may be anything. It returns when px did right: an answer, or a refusal with a code of its own. It throws when
 * px did not: another kind of error, too much time, or a promise that does not hold.
 */

const longestMs = 3000;
const memoryMb = 8;

/** Runs one step; gives nothing when px refused as it may. */
function allowed<T>(codes: RegExp, work: () => T): T | undefined {
  const begun = performance.now();
  let made: T | undefined;
  try {
    made = work();
  } catch (e) {
    if (!(e instanceof PxError && codes.test(e.code))) throw e;
  }
  const took = performance.now() - begun;
  must(took <= longestMs, `it took ${Math.round(took)} ms`);
  return made;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken promise: ${what}`);
}

/** The WIT reader, and the types it read as schemas and values. */
export function readTypes(bytes: Uint8Array, random: Random): void {
  const types = allowed(/^plugin\.invalid$/, () => readComponent(bytes));
  if (!types) return;
  must(JSON.stringify(types).length < 8_000_000, 'what is read of a component stays small');
  for (const fn of types.functions) {
    JSON.stringify(describeFunction(fn));
    if (fn.notCallable === '') useTypes(fn, random);
  }
}

const values: [Json, ...Json[]] = [
  null,
  true,
  0,
  -1,
  2 ** 53,
  1.5,
  '',
  'red',
  'AAEC',
  [],
  [0, 1],
  [['a', 'b']],
  {},
  { x: 1, y: 2, tags: [] },
];

function useTypes(fn: WitFunction, random: Random): void {
  for (const { type } of fn.params) {
    const made = allowed(/^plugin\.function$/, () => ({ value: toWit(type, random.pick(values)) }));
    // What is understood can be written again.
    if (made) JSON.stringify(fromWit(type, made.value));
  }
  allowed(/^plugin\./, () =>
    fromWit(fn.result, random.pick<unknown>([undefined, null, 1, 'x', [], {}, { tag: 'ok', val: 1 }])),
  );
}

/** The manifest in a file: px itself reads it, unlocked, before anything else is done with the file. */
export function readManifests(bytes: Uint8Array): void {
  const found = allowed(/^plugin\.invalid$/, () => ({ manifest: embeddedManifest(bytes) }));
  if (found?.manifest !== undefined) {
    const read = allowed(/^plugin\.invalid$/, () => readManifest(found.manifest, 'it'));
    const whole = read && allowed(/^plugin\.invalid$/, () => completeManifest(read, 'fuzz'));
    if (whole) JSON.stringify(asksOf(whole, defaultPlugin()));
  }
  // Whatever else stands in it: what is put in comes out.
  const packed = allowed(/^plugin\.invalid$/, () => embedManifest(bytes, manifest));
  if (packed) must(Bun.deepEquals(embeddedManifest(packed), manifest), 'a manifest that was put in is there');
}

const manifest = {
  name: 'fuzz',
  version: '1.2.3',
  egress: ['GET,POST https://*.example.com:8443/v1/', '* https://*/'],
  private_hosts: ['localhost:8123'],
  secrets: { KEY: ['bearer,query:key https://api.example.com/'] },
  files: { notes: 'write ~/notes' },
  schedule: { refresh: '*/10 * * * *' },
  limits: { memory_mb: 128 },
  setup: 'Do this first.\n',
};

/** A component with a manifest, to be broken. */
export const withManifest = (component: Uint8Array): Uint8Array => embedManifest(component, manifest);

const safe = /^[A-Za-z0-9_.:/@#$[\]()<>=+,|\- ]*$/;

/** The name check and the cap rewriter, on one core module. */
export function capCore(bytes: Uint8Array): void {
  const capped = allowed(/^plugin\.(invalid|unsafe|memory)$/, () => capModules([['m.wasm', bytes]], memoryMb)[0]?.[1]);
  if (!capped || !WebAssembly.validate(new Uint8Array(bytes))) return;
  const copy = new Uint8Array(capped);
  must(WebAssembly.validate(copy), 'a valid module stays valid');
  const again = capModules([['m.wasm', capped]], memoryMb)[0]?.[1];
  must(again !== undefined && Buffer.compare(again, capped) === 0, 'what is capped needs no further cap');
  const module = new WebAssembly.Module(copy);
  const names = [
    ...WebAssembly.Module.exports(module).map((e) => e.name),
    ...WebAssembly.Module.imports(module).flatMap((i) => [i.module, i.name]),
  ];
  must(
    names.every((name) => safe.test(name)),
    'no unsafe core name is let through',
  );
}

/** The frame decoder: bytes as a child's stream, cut at any place. */
export function readFrames(bytes: Uint8Array, random: Random): void {
  const read = (chunk: () => number) => {
    const cutter = new FrameCutter(65_536);
    const seen: unknown[] = [];
    try {
      for (let at = 0; at < bytes.length; ) {
        const end = at + Math.max(1, chunk());
        cutter.add(bytes.subarray(at, end));
        for (let payload = cutter.next(); payload; payload = cutter.next()) {
          const frame = parseFrame(payload);
          seen.push(readFromChild(frame) ?? null, v.safeParse(FromPrepare, frame).success);
        }
        at = end;
      }
      seen.push('end');
    } catch (e) {
      if (!(e instanceof FrameError)) throw e;
      seen.push('broken');
    }
    return JSON.stringify(seen);
  };
  must(read(() => bytes.length) === read(() => random.below(9)), 'frames do not depend on how the stream is cut');
}

/** Frames of a well-behaved child, to be broken. */
export const goodFrames = Buffer.concat([
  encodeFrame({ t: 'locked', layers: { seccomp: 'active' } }),
  encodeFrame({ t: 'ready' }),
  encodeFrame({ t: 'host', n: 1, fn: 'kv-get', args: ['key', 'AAEC'] }),
  encodeFrame({ t: 'done', id: 1, ok: { text: 'grüße', list: [1, [2, [3]]] } }),
  encodeFrame({ t: 'prepared', imports: ['a:b/c'], functions: [], files: ['plugin.js', 'm.core.wasm'] }, [
    new Uint8Array([1, 2, 3]),
  ]),
  encodeFrame({ t: 'refused', code: 'plugin.invalid', message: 'no', hint: 'h' }),
]);

/** The transpiler, and what its output is made of once names are checked. */
export type Generate = (component: Uint8Array) => { files: [name: string, bytes: Uint8Array][] };

/** Translates a component as the preparing process does; `panicked` is called when the transpiler is broken from now on. */
export function translate(bytes: Uint8Array, generate: Generate, panicked: () => void): 'made' | 'refused' {
  const codes = /^plugin\.(invalid|unsafe|memory)$/;
  if (!allowed(codes, () => readComponent(bytes))) return 'refused';
  let files: [string, Uint8Array][];
  try {
    files = generate(bytes).files.filter(([name]) => name === 'plugin.js' || name.endsWith('.wasm'));
  } catch (e) {
    // In its process each of these is a refusal.
    if (e instanceof WebAssembly.RuntimeError || e instanceof RangeError) panicked();
    return 'refused';
  }
  const made = allowed(codes, () => capModules(files, memoryMb));
  if (!made) return 'refused';
  must(
    made.every(([name]) => /^[\w.-]{1,80}$/.test(name)),
    'names of files are names',
  );
  const code = new TextDecoder().decode(made.find(([name]) => name === 'plugin.js')?.[1]);
  must(!outsideStrings(code).includes('PLANTED'), 'no name becomes code');
  new Function(code.replace(/^export /gm, ''));
  return 'made';
}

/** JavaScript without what stands in its strings and comments. */
export function outsideStrings(code: string): string {
  return code.replace(
    /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|`(?:[^`\\]|\\[\s\S])*`|\/\/[^\n\u2028\u2029]*|\/\*[\s\S]*?\*\//g,
    (found) => (found.startsWith('`') ? (found.match(/\$\{[^}]*\}/g) ?? []).join() : ''),
  );
}

/** The core modules that stand in a component, as bytes. */
export function coreModules(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  const text = Buffer.from(bytes);
  const magic = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  for (let at = text.indexOf(magic); at >= 0; at = text.indexOf(magic, at + 1)) {
    // The section's length stands before it.
    for (let back = 1; back <= 5; back++) {
      let length = 0;
      for (let i = 0; i < back; i++) length += ((bytes[at - back + i] ?? 0) & 0x7f) * 2 ** (7 * i);
      if (bytes[at - back - 1] === 1 && length > 8 && at + length <= bytes.length) {
        found.push(bytes.subarray(at, at + length));
        break;
      }
    }
  }
  return found;
}
