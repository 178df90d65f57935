import type { ArgDef } from 'citty';
import { broken, table } from './io.ts';
import { spelled } from './parse.ts';
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

/** The help of a verb, its sentences broken at `columns`; command lines are not, they are to be copied. */
export function renderHelp(usage: Usage, columns = Number.POSITIVE_INFINITY): string {
  const block = (title: string, rows: string[][]) => (rows.length === 0 ? [] : ['', title, indent(table(rows))]);
  const named = (title: string, rows: [string, string][]) => {
    const hang = Math.max(...rows.map(([name]) => name.length)) + 2;
    return block(title, rows).map((text) =>
      text
        .split('\n')
        .map((line) => broken(line, columns, hang + 2))
        .join('\n'),
    );
  };
  return [
    broken(usage.summary, columns),
    '',
    `  ${usage.line}`,
    ...(usage.details === '' ? [] : ['', broken(usage.details, columns)]),
    ...named('Verbs', usage.verbs),
    ...named('Words', usage.words),
    ...named('Flags', usage.flags),
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
  const short = 'alias' in def && def.alias ? `-${[def.alias].flat().join(', -')}, ` : '';
  if (def.type === 'boolean') return short + spelled(name, def);
  const hint = 'options' in def && def.options ? def.options.join('|') : (def.valueHint ?? name.toUpperCase());
  return `${short}--${name} ${hint}`;
}

function describeFlag(def: ArgDef): string {
  const text = def.description ?? '';
  return def.default === undefined || def.default === true ? text : `${text} (${String(def.default)} when left out)`;
}
