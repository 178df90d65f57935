import type { ArgDef } from 'citty';
import { table } from './io.ts';
import type { Verb } from './verb.ts';

/** What a verb does and takes, as data: the help and docs/reference/cli.md are written from it. */
export interface Usage {
  /** `px plugin call NAME FUNCTION [ARGUMENTS]`. */
  line: string;
  summary: string;
  details: string;
  words: [string, string][];
  flags: [string, string][];
  verbs: [string, string][];
  examples: string[];
}

/** Describes a verb; of those below it only name and summary. */
export async function describe(verb: Verb, path: string[]): Promise<Usage> {
  const command = ['px', ...path].join(' ');
  const entries = Object.entries(verb.args);
  const words = entries.filter(([, def]) => def.type === 'positional');
  const flags = entries.filter(([, def]) => def.type !== 'positional');
  const places = words.map(([name, def]) => wordOf(name, def)).join(' ');
  const verbs = await Promise.all(
    Object.entries(verb.verbs ?? {}).map(
      async ([name, load]): Promise<[string, string]> => [name, (await load()).summary],
    ),
  );
  return {
    line: [command, verbs.length > 0 ? 'VERB' : '', places + (verb.variadic ? '…' : ''), '[--flags]']
      .filter(Boolean)
      .join(' '),
    summary: verb.summary,
    details: verb.details,
    words: words.map(([name, def]) => [name.toUpperCase(), def.description ?? '']),
    flags: flags.map(([name, def]) => [flagOf(name, def), describeFlag(def)]),
    verbs,
    examples: verb.examples,
  };
}

/** The help of a verb, for a terminal. */
export function renderHelp(usage: Usage): string {
  const block = (title: string, rows: string[][]) => (rows.length === 0 ? [] : ['', title, indent(table(rows))]);
  return [
    usage.summary,
    '',
    `  ${usage.line}`,
    ...(usage.details === '' ? [] : ['', usage.details]),
    ...block('Verbs', usage.verbs),
    ...block('Words', usage.words),
    ...block('Flags', usage.flags),
    ...block(
      'Examples',
      usage.examples.map((line) => [line]),
    ),
  ].join('\n');
}

const indent = (text: string) => text.replace(/^/gm, '  ');

function wordOf(name: string, def: ArgDef): string {
  return def.required === false || def.default !== undefined ? `[${name.toUpperCase()}]` : name.toUpperCase();
}

function flagOf(name: string, def: ArgDef): string {
  // What is so by itself can only be switched off.
  if (def.type === 'boolean') return def.default === true ? `--no-${name}` : `--${name}`;
  const hint = 'options' in def && def.options ? def.options.join('|') : (def.valueHint ?? name.toUpperCase());
  return `--${name} ${hint}`;
}

function describeFlag(def: ArgDef): string {
  const text = def.description ?? '';
  return def.default === undefined || def.default === true ? text : `${text} (${String(def.default)} when left out)`;
}
