import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from '../../client/client.ts';
import { table } from '../io.ts';

type Info = Awaited<ReturnType<Client['plugin']>>;
type Fn = Info['functions'][number];
type Schema = { [key: string]: unknown };

/** All a person may want to know of a plugin. */
export function pluginReport(info: Info, installed: boolean): string {
  const state = info.detail ? `${info.state}: ${info.detail}` : info.state;
  return [
    table([
      ['name', `${info.name} ${info.version}`],
      ...(info.manifest.description ? [['about', info.manifest.description]] : []),
      ['kind', `${info.kind}, ${sizeOf(info.bytes)}`],
      ['sha256', info.sha256],
      ['from', info.source],
      ...(info.signedBy ? [['signed by', info.signedBy]] : []),
      ['state', installed ? state : `not installed; px plugin add ${info.source}`],
      ['imports', info.kind === 'script' && !info.manifest.sealed ? 'px' : info.imports.join(', ') || 'nothing'],
      ['tools', toolNames(info)],
    ]),
    ...(info.functions.length > 0 ? ['', 'Functions', indent(functionList(info))] : []),
    ...wants(info, installed),
  ].join('\n');
}

/** What a person needs to know right after installing. */
export function installedReport(info: Info): string {
  const kind = info.kind === 'messaging' ? 'connector' : info.kind;
  return [
    `${info.name} ${info.version} is installed (${kind}, ${sizeOf(info.bytes)}).`,
    ...(info.kind === 'messaging' ? [] : [`Tools for the agent: ${toolNames(info)}`]),
    `\`px plugin inspect ${info.name}\` shows its functions.`,
    ...wants(info, true),
  ].join('\n');
}

/** What it asks for, in plain words, and how that is granted. */
function wants({ name, asks, manifest }: Info, installed: boolean): string[] {
  const setup = manifest.setup === '' ? [] : ['', 'To set it up, in its own words', indent(manifest.setup)];
  const little = manifest.sealed
    ? 'It is sealed: nothing of px or the world answers it, and each call has a process of its own.'
    : 'It asks for nothing: no network, no secrets.';
  if (asks.length === 0) return ['', little, ...setup];
  const list = asks.flatMap(({ text, rule, granted }) => [
    `  ${granted ? 'granted    ' : 'not granted'}  ${text}`,
    ...(granted ? [] : [`               '${rule}'`]),
  ]);
  const open = installed && asks.some((ask) => !ask.granted);
  return ['', 'It asks to', ...list, ...(open ? ['', `Grant it: px plugin grant ${name} --all`] : []), ...setup];
}

function toolNames({ tools, kind, functions }: Info): string {
  if (tools.length > 0) return tools.map((tool) => tool.name).join(', ');
  return kind === 'script' && !functions.some((f) => f.name === 'poll-events')
    ? 'none; a script offers those it exports as `tools`'
    : 'none';
}

/** Columns beyond which what is said of a function stands below it, so that one long signature does not push away all that is said. */
const longest = 60;

/** The functions, a line each, beside or below it what its author says of it, or why it cannot be called. */
function functionList({ functions, kind }: Info): string {
  const rows = functions.map((f): [string, string] => [
    signature(f, kind),
    f.notCallable ? `not callable: ${f.notCallable}` : (f.docs.split('\n')[0] ?? ''),
  ]);
  const isLong = (text: string) => Bun.stringWidth(text) > longest;
  const short = table(rows.filter(([text]) => !isLong(text))).split('\n');
  return rows
    .flatMap(([text, said]) => (isLong(text) ? [text, ...(said === '' ? [] : [`    ${said}`])] : [short.shift() ?? '']))
    .join('\n');
}

/** `sum-list(values: list of number)`; of a script the names only are known. */
function signature({ name, params, result }: Fn, kind: Info['kind']): string {
  if (kind === 'script') return `${name}(…)`;
  const given = params.map((p) => `${p.name}: ${typeOf(p.schema)}`).join(', ');
  return `${name}(${given})${result === null ? '' : ` → ${typeOf(result)}`}`;
}

/** A JSON Schema in a few words. */
function typeOf(schema: Schema): string {
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(options)) return options.map((option) => (isSchema(option) ? typeOf(option) : 'any')).join(' | ');
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ');
  const { type, items, properties } = schema;
  if (Array.isArray(type)) return type.join(' | ');
  if (type === 'array') return isSchema(items) ? `list of ${typeOf(items).replace(/^.* \| .*$/, '($&)')}` : 'list';
  if (type === 'object' && isSchema(properties)) return `{ ${Object.keys(properties).join(', ')} }`;
  return typeof type === 'string' ? type : 'any';
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A size as people read it. */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const indent = (text: string) => text.replace(/^/gm, '  ');

/** What px reads as a place in a registry, or would say how to write one: `HOST/NAME:TAG`, `HOST/NAME`, `NAMESPACE:NAME@1.0`. */
const isRegistry = (source: string): boolean =>
  /^(oci|px):/.test(source) ||
  /^[a-z0-9][a-z0-9.-]*[.:][a-z0-9.:-]*\/\S+[:@][^\s/]+$/.test(source) ||
  /^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?\/[\w/-]+$/.test(source) ||
  /^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*(@[\w.-]+)?$/.test(source);
const isUrl = (source: string): boolean => /^https?:\/\//.test(source);

/** A path on this machine as the daemon can find it from its own folder; URLs and names stay. */
export function sourceOf(source: string): string {
  if (isUrl(source) || (isRegistry(source) && !existsSync(source))) return source;
  return /[/\\.]/.test(source) || existsSync(source) ? resolve(source) : source;
}
