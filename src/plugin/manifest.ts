import * as v from 'valibot';
import { ConfigSchema } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import { printable } from '../log/log.ts';
import { parseEgress, parseFolder, parseSecretTarget } from '../policy/policy.ts';
import type { PluginManifest } from './plugin.ts';

/** A plugin's name: also a key of px.yaml, a file name and the first part of its tools' names. No object has it by nature. */
export const namePattern = /^(?!constructor$)[a-z][a-z0-9-]{0,62}$/;

/** Text without line ends and control characters: what stands in a list stays in its line. */
const oneLine = (given: string) => printable(given.replace(/\s+/g, ' ')).trim();
const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
/** More than anybody reads through. */
const maxAsks = 64;
const lines = v.nullish(v.pipe(v.array(text(1000)), v.maxLength(maxAsks)));
const size = (map: object) => Object.keys(map).length;
/** A list by name. What is counted is what a person would be shown: in YAML one line can be written once and stand in it a thousand times. */
const few = <T>(count: (map: Record<string, T>) => number) =>
  v.check((map: Record<string, T>) => count(map) <= maxAsks, `expected at most ${maxAsks} of them`);
const Manifest = v.object({
  name: v.optional(text(63)),
  version: v.optional(
    v.pipe(
      v.union([v.string(), v.number()]),
      v.transform((version) => oneLine(String(version)).slice(0, 64)),
    ),
  ),
  description: v.optional(v.pipe(text(1000), v.transform(oneLine))),
  egress: lines,
  private_hosts: lines,
  secrets: v.nullish(
    v.pipe(
      v.record(text(128), v.pipe(v.array(text(1000)), v.maxLength(maxAsks))),
      few((map: Record<string, string[]>) => Object.values(map).flat().length),
    ),
  ),
  files: v.nullish(v.pipe(v.record(text(64), text(1000)), few<string>(size))),
  schedule: v.nullish(v.pipe(v.record(text(64), text(200)), few<string>(size))),
  limits: v.nullish(v.record(text(64), v.number())),
  /** Gives up every host function; each of its calls has a process of its own. */
  sealed: v.optional(v.boolean()),
  /** What a person has to do before it is of use. */
  setup: v.optional(
    v.pipe(
      text(2000),
      v.transform((given) => printable(given.trimEnd())),
    ),
  ),
  /** Name of the plugin's file beside the manifest, when the folder holds several. */
  file: v.optional(v.pipe(text(200), v.regex(/^[\w][\w.-]*$/))),
});

/** A manifest as it was written: anything may be missing. */
export type PartialManifest = v.InferOutput<typeof Manifest>;

/** Checks a manifest from `plugin.yaml`, a component or a script. Throws PxError `plugin.invalid` naming the key. */
export function readManifest(value: unknown, where: string): PartialManifest {
  const parsed = v.safeParse(Manifest, value);
  if (!parsed.success) throw wrong(where, parsed.issues[0]);
  const { egress, private_hosts, secrets, files, schedule, limits, sealed } = parsed.output;
  // What it asks for has the very form in which px.yaml grants it, so that a grant can be written down as it was shown.
  const asked = {
    grants: defined({ egress, private_hosts, secrets, files, schedule }),
    limits: limits ?? {},
  };
  if (Object.keys(asked.grants).length + Object.keys(asked.limits).length > 0) {
    const grantable = v.safeParse(ConfigSchema.entries.plugins, { asked });
    if (!grantable.success) throw wrong(where, grantable.issues[0], 1);
  }
  if (sealed && Object.values(asked.grants).some((list) => Object.keys(list).length > 0))
    throw new PxError('plugin.invalid', `${where}: sealed: what is sealed asks for nothing`, {
      hint: 'Leave out sealed, or what it asks for; limits are fine.',
    });
  try {
    for (const rule of egress ?? []) parseEgress(rule);
    for (const line of Object.values(secrets ?? {}).flat()) parseSecretTarget(line);
    for (const rule of Object.values(files ?? {})) parseFolder(rule);
  } catch (thrown) {
    const { message, hint } = toPxError(thrown);
    throw new PxError('plugin.invalid', `${where}: ${message}`, hint === undefined ? {} : { hint });
  }
  return parsed.output;
}

function wrong(where: string, issue: v.BaseIssue<unknown>, skip = 0): PxError {
  const path = (issue.path ?? []).map(({ key }) => String(key)).slice(skip);
  const key = (path[0] === 'grants' ? path.slice(1) : path).join('.') || 'it';
  const shape = issue.kind === 'validation' && issue.type === 'regex';
  const expected =
    issue.expected === 'never' ? 'nobody knows this key' : shape ? `expected ${issue.message}` : issue.message;
  return new PxError('plugin.invalid', `${where}: ${key}: ${expected}`.slice(0, 1000), {
    hint: 'It asks in the words in which px.yaml grants: docs/plugins.md',
  });
}

function defined<T extends object>(given: Record<string, T | null | undefined>): Record<string, T> {
  return Object.fromEntries(Object.entries(given).flatMap(([key, value]) => (value ? [[key, value]] : [])));
}

/** A name a plugin may have. Throws PxError `plugin.invalid`. */
export function pluginName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new PxError('plugin.invalid', `${JSON.stringify(name.slice(0, 80))} is no plugin name`, {
    hint: 'Small letters, digits and dashes, a letter first. Give one with --name.',
  });
}

/** A whole manifest: what was given, else what the file's name says. Throws PxError `plugin.invalid` for a bad name. */
export function completeManifest(given: PartialManifest, name: string): PluginManifest {
  return {
    name: pluginName(name),
    version: given.version ?? '0.0.0',
    description: given.description ?? '',
    egress: given.egress ?? [],
    private_hosts: given.private_hosts ?? [],
    secrets: given.secrets ?? {},
    files: given.files ?? {},
    schedule: given.schedule ?? {},
    limits: given.limits ?? {},
    setup: given.setup ?? '',
    sealed: given.sealed ?? false,
  };
}

/** The plugin name a file's name suggests: `My_Tool.component.wasm` → `my-tool`. */
export function nameFromFile(filename: string): string {
  return filename
    .replace(/\.(component\.)?(wasm|[cm]?[jt]s)$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 63);
}
