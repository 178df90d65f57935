import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import type { PluginManifest } from './plugin.ts';

/** A plugin's name: also a key of px.yaml, a file name and the first part of its tools' names. */
export const namePattern = /^[a-z][a-z0-9-]{0,62}$/;

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const Manifest = v.object({
  name: v.optional(text(63)),
  version: v.optional(
    v.pipe(
      v.union([v.string(), v.number()]),
      v.transform((version) => String(version).slice(0, 64)),
    ),
  ),
  description: v.optional(text(1000)),
  egress: v.nullish(v.pipe(v.array(text(1000)), v.maxLength(64))),
  secrets: v.nullish(v.record(text(128), v.pipe(v.array(text(1000)), v.maxLength(64)))),
  /** Name of the plugin's file beside the manifest, when the folder holds several. */
  file: v.optional(v.pipe(text(200), v.regex(/^[\w][\w.-]*$/))),
});

/** A manifest as it was written: anything may be missing. */
export type PartialManifest = v.InferOutput<typeof Manifest>;

/** Checks a manifest from `plugin.yaml` or a script. Throws PxError `plugin.invalid` naming the key. */
export function readManifest(value: unknown, where: string): PartialManifest {
  const parsed = v.safeParse(Manifest, value);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw new PxError('plugin.invalid', `${where}: ${v.getDotPath(issue) ?? 'it'}: ${issue.message}`);
}

/** A whole manifest: what was given, else what the file's name says. Throws PxError `plugin.invalid` for a bad name. */
export function completeManifest(given: PartialManifest, name: string): PluginManifest {
  if (!namePattern.test(name))
    throw new PxError('plugin.invalid', `${JSON.stringify(name.slice(0, 80))} is no plugin name`, {
      hint: 'Small letters, digits and dashes, a letter first. Give one with --name.',
    });
  return {
    name,
    version: given.version ?? '0.0.0',
    description: given.description ?? '',
    egress: given.egress ?? [],
    secrets: given.secrets ?? {},
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
