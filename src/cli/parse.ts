import type { ArgDef, ArgsDef } from 'citty';
import { nearest } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import { meantBy } from './meant.ts';
import { common, type Verb } from './verb.ts';

/** A verb that was found, and what is left of the command line for it. */
export interface Found {
  verb: Verb;
  /** `['plugin', 'add']`. */
  path: string[];
  rest: string[];
  help: boolean;
}

/** Finds the verb of a command line. Throws PxError `usage` with the nearest name. */
export async function findVerb(root: Verb, argv: string[]): Promise<Found> {
  let verb = root;
  const path: string[] = [];
  let rest = argv;
  while (verb.verbs) {
    const at = firstWord(rest, common);
    const word = at < 0 ? undefined : rest[at];
    if (word === undefined) break;
    const load = Object.hasOwn(verb.verbs, word) ? verb.verbs[word] : undefined;
    if (!load) {
      if (word === 'help') return { ...(await findVerb(root, rest.toSpliced(at, 1))), help: true };
      const command = ['px', ...path].join(' ');
      const meant = await meantBy(word, verb.verbs, path.length === 0);
      throw new PxError('usage', `There is no "${command} ${word}".`, {
        hint:
          meant.length > 0
            ? `Did you mean ${meant.map((one) => `\`${command} ${one}\``).join(' or ')}?`
            : `\`${command} --help\` lists what there is.`,
      });
    }
    verb = await load();
    path.push(word);
    rest = rest.toSpliced(at, 1);
  }
  const end = rest.indexOf('--');
  const flags = end < 0 ? rest : rest.slice(0, end);
  return { verb, path, rest, help: flags.includes('--help') || flags.includes('-h') };
}

/** Refuses flags a verb does not have, and words it has no place for. Throws PxError `usage`. */
export function checkWords(found: Found): void {
  const { verb, path, rest } = found;
  const command = ['px', ...path].join(' ');
  const fail = (message: string, hint = helpHint(path)) => {
    throw new PxError('usage', message, { hint });
  };
  let words = 0;
  for (let i = 0; i < rest.length; i++) {
    const token = rest[i] ?? '';
    if (token === '--') {
      words += rest.length - i - 1;
      break;
    }
    if (!token.startsWith('-') || token === '-') {
      words++;
      continue;
    }
    const name = flagName(token);
    const def = flagOf(verb.args, name)?.def;
    if (!def) {
      const near = nearest(
        name,
        Object.keys(verb.args).filter((key) => verb.args[key]?.type !== 'positional'),
      );
      fail(`${command} has no ${token.split('=')[0]}.`, near ? `Did you mean --${near}?` : undefined);
    } else if (takesValue(def) && !token.includes('=')) {
      if (rest[i + 1] === undefined) fail(`${token} needs a value.`);
      i++;
    }
  }
  const places = Object.values(verb.args).filter((def) => def.type === 'positional').length;
  const most = places === 0 ? 'no words' : places === 1 ? 'one word' : `at most ${places} words`;
  if (words > places && !verb.variadic)
    fail(`${command} takes ${most}, and ${words} ${words === 1 ? 'was' : 'were'} given.`);
}

/** Where a person reads how a verb is used. */
export const helpHint = (path: string[]): string => `\`${['px', ...path].join(' ')} --help\` shows how it is used.`;

function firstWord(argv: string[], args: ArgsDef): number {
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i] ?? '';
    if (token === '--') return -1;
    if (!token.startsWith('-')) return i;
    const def = flagOf(args, flagName(token))?.def;
    if (def && takesValue(def) && !token.includes('=')) i++;
  }
  return -1;
}

const flagName = (token: string): string => token.replace(/^--?/, '').replace(/=.*$/s, '');
/** Whether a value follows the flag. */
export const takesValue = (def: ArgDef): boolean => def.type === 'string' || def.type === 'enum';

/** A flag as it is typed: what is so by itself can only be switched off. */
export const spelled = (name: string, def: ArgDef): string =>
  def.type === 'boolean' && def.default === true ? `--no-${name}` : `--${name}`;

/** The flag a verb has by this name or by a short one of it, without dashes. */
export function flagOf(args: ArgsDef, name: string): { name: string; def: ArgDef } | undefined {
  if (name === 'help' || name === 'h') return { name: 'help', def: { type: 'boolean' } };
  for (const [key, def] of Object.entries(args)) {
    if (def.type === 'positional') continue;
    const aliases = 'alias' in def && def.alias ? [def.alias].flat() : [];
    if (name === key || aliases.includes(name)) return { name: key, def };
    if (def.type === 'boolean' && name === `no-${key}`) return { name: key, def };
  }
  return undefined;
}
