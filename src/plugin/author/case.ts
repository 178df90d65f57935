import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as v from 'valibot';
import { nearest } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import type { Json } from '../../wire/wire.ts';

const text = v.pipe(v.string(), v.minLength(1));
const anything = v.custom<Json>((value) => value !== undefined, 'expected a value');
const headers = v.record(v.string(), v.string());

/** What is answered: a text with status 200, or in parts. `fail` is no answer at all. */
const Answer = v.union(
  [
    v.string(),
    v.strictObject({
      status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599))),
      headers: v.optional(headers),
      text: v.optional(v.string()),
      json: v.optional(anything),
      base64: v.optional(v.string()),
      fail: v.optional(v.picklist(['timeout', 'network'])),
    }),
  ],
  'expected a text, or status, headers and text, json or base64; or fail: timeout',
);

/** What a file holds. */
const Content = v.union(
  [v.string(), v.strictObject({ base64: v.pipe(v.string(), v.base64('expected base64')) })],
  'expected a text, or base64: BYTES',
);

const Http = v.strictObject({
  /** `GET https://api.example.com/v1/?q=Graz`: method and URL exactly as they go out. */
  request: v.pipe(v.string(), v.regex(/^[A-Z]+ https?:\/\/\S+$/, 'expected METHOD URL')),
  /** Headers that have to be sent, secrets filled in. */
  headers: v.optional(headers),
  /** The body that has to be sent, as text or as JSON. */
  body: v.optional(v.string()),
  json: v.optional(anything),
  answer: v.optional(Answer, ''),
});

const Call = v.strictObject({
  /** An exported function with a list of arguments, or a tool with an object of them. */
  call: v.optional(text),
  tool: v.optional(text),
  args: v.optional(anything),
  /** What it gives: objects may hold more than is written here. */
  result: v.optional(anything),
  /** Text in what it gives. */
  contains: v.optional(text),
  /** Text in the error it ends with. */
  error: v.optional(text),
});

const world = {
  /** Which of the plugin's asks are granted; all when left out. */
  grants: v.optional(v.union([v.picklist(['all', 'none']), v.array(text)], 'expected all, none or a list of asks')),
  settings: v.optional(v.record(v.string(), anything)),
  secrets: v.optional(v.record(v.string(), v.string())),
  /** The plugin's store before the first call. */
  kv: v.optional(v.record(v.string(), v.union([v.string(), v.number()], 'expected a text'))),
  /** What stands in its folders before the first call, by path as the plugin writes it: `notes/plan.md`. */
  files: v.optional(v.record(v.string(), Content)),
  /** The time the first call begins at. */
  clock: v.optional(
    v.pipe(
      v.union([v.string(), v.date()]),
      v.transform((given) => new Date(given).getTime()),
      v.check((at) => !Number.isNaN(at), 'expected a time: 2026-01-31T12:00:00Z'),
    ),
  ),
  http: v.optional(v.array(Http)),
};

const Case = v.strictObject({
  name: text,
  ...world,
  calls: v.pipe(v.array(Call), v.minLength(1, 'expected at least one call')),
  /** Keys of the store after the last call; null: there is none of this name. */
  kv_after: v.optional(v.record(v.string(), v.nullable(v.union([v.string(), v.number()], 'expected a text or null')))),
  /** Files in its folders after the last call; null: there is nothing of this name. */
  files_after: v.optional(v.record(v.string(), v.nullable(Content))),
  /** Texts in lines of its log. */
  log: v.optional(v.array(text)),
  /** What it pushed with emit-message, in order. */
  messages: v.optional(v.array(anything)),
});

const File = v.strictObject({ ...world, tests: v.pipe(v.array(Case), v.minLength(1, 'expected at least one test')) });

/** One request the plugin may make, and what is answered. */
export type ScriptedRequest = v.InferOutput<typeof Http>;
/** One test: what stands around the plugin, what is called, and what has to come of it. */
export type Case = v.InferOutput<typeof Case>;
/** What a file of a test holds: a text, or bytes. */
export type Content = v.InferOutput<typeof Content>;
/** One call of a test. */
export type Call = v.InferOutput<typeof Call>;

/**
 * Reads a test file. What stands beside `tests` holds for each of them; a test's own settings, secrets, keys and files are added to those.
 * Throws PxError `not-found`, `plugin.test` naming the key.
 */
export function readCases(path: string): Case[] {
  if (!existsSync(path))
    throw new PxError('not-found', `There is no test ${path}.`, {
      hint: 'px plugin new writes one to begin with; docs/write-a-plugin.md says what may stand in it.',
    });
  let raw: unknown;
  try {
    raw = Bun.YAML.parse(readFileSync(path, 'utf8'));
  } catch (thrown) {
    throw new PxError('plugin.test', `${basename(path)} is not YAML: ${thrown instanceof Error ? thrown.message : ''}`);
  }
  const parsed = v.safeParse(File, raw);
  if (!parsed.success) throw wrong(basename(path), parsed.issues[0]);
  const { tests, ...shared } = parsed.output;
  return tests.map((test) => {
    for (const [i, call] of test.calls.entries()) checkCall(call, `${basename(path)}: ${test.name}: calls.${i}`);
    return {
      ...shared,
      ...test,
      settings: { ...shared.settings, ...test.settings },
      secrets: { ...shared.secrets, ...test.secrets },
      kv: { ...shared.kv, ...test.kv },
      files: { ...shared.files, ...test.files },
      http: [...(test.http ?? []), ...(shared.http ?? [])],
    };
  });
}

function checkCall({ call, tool, args }: Call, where: string): void {
  const fail = (message: string) => {
    throw new PxError('plugin.test', `${where}: ${message}`);
  };
  if ((call === undefined) === (tool === undefined)) fail('expected call: FUNCTION or tool: NAME');
  if (args === undefined) return;
  if (call !== undefined && !Array.isArray(args)) fail('args of a call is a list, in the order of its parameters');
  if (tool !== undefined && (typeof args !== 'object' || args === null || Array.isArray(args)))
    fail('args of a tool is an object');
}

function wrong(file: string, issue: v.BaseIssue<unknown>): PxError {
  const path = (issue.path ?? []).map(({ key }) => String(key));
  const where = path.join('.') || 'it';
  if (issue.type !== 'strict_object' || issue.expected !== 'never')
    return new PxError('plugin.test', `${file}: ${where}: ${issue.message}`.slice(0, 1000));
  const known =
    path.length === 1 ? File : path[0] === 'tests' && path.length === 3 ? Case : path.includes('http') ? Http : Call;
  const near = nearest(path.at(-1) ?? '', Object.keys(known.entries));
  return new PxError('plugin.test', `${file}: ${where}: nobody knows this key`, {
    hint: near ? `Did you mean ${near}?` : `There are: ${Object.keys(known.entries).join(', ')}`,
  });
}
