import { type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from 'citty';
import type { Environment, Home } from '../config/config.ts';
import type { Io } from './io.ts';

/** Flags every verb takes. */
export const common = {
  home: { type: 'string', description: 'The home folder of this px.', valueHint: 'DIR' },
  json: { type: 'boolean', description: 'Print JSON, errors too.' },
} as const satisfies ArgsDef;

/** What a verb is run in. */
export interface Context {
  io: Io;
  env: Environment;
  home: Home;
  json: boolean;
  version: string;
}

/** A verb's definition: data for the parser, the help, and the reference. */
export interface VerbSpec<T extends ArgsDef> {
  name: string;
  summary: string;
  /** Further words for the help, a paragraph. */
  details?: string;
  args: T;
  /** Command lines that work, most useful first. */
  examples: string[];
  /** Further words belong to the last positional argument. */
  variadic?: boolean;
  /** Typed by root for the home of somebody else, it goes on as root: what it does needs that, and it keeps the home's owner itself. */
  asRoot?: boolean;
  /** The exit code; 0 when nothing is returned. */
  run(given: Context & { args: ParsedArgs<T>; words: string[] }): Promise<number | undefined>;
}

/** A verb, as the parser, the help and the reference read it. */
export interface Verb {
  name: string;
  summary: string;
  details: string;
  examples: string[];
  variadic: boolean;
  asRoot: boolean;
  args: ArgsDef;
  /** citty's command, which parses the arguments and runs. */
  command: CommandDef<ArgsDef>;
  /** The verbs of a group, loaded when asked for. */
  verbs?: Record<string, () => Promise<Verb>>;
}

/** Declares a verb; `--home` and `--json` are added. */
export function verb<const T extends ArgsDef>(spec: VerbSpec<T>): Verb {
  const args: ArgsDef = { ...spec.args, ...common };
  const command = defineCommand({
    meta: { name: spec.name, description: spec.summary },
    args,
    run: ({ args, data }) => {
      const context: Context = data;
      // citty parsed these by the very same definitions; its type cannot follow the merge with `common`.
      return spec.run({ ...context, args: args as unknown as ParsedArgs<T>, words: args._ });
    },
  });
  const { name, summary, details = '', examples, variadic = false, asRoot = false } = spec;
  return { name, summary, details, examples, variadic, asRoot, args, command };
}

/** Declares a verb that only holds others: `px plugin …`. */
export function group(spec: Pick<Verb, 'name' | 'summary' | 'examples'> & { verbs: NonNullable<Verb['verbs']> }): Verb {
  const args: ArgsDef = { ...common };
  const command = defineCommand({ meta: { name: spec.name, description: spec.summary }, args });
  return { ...spec, details: '', variadic: false, asRoot: false, args, command };
}
