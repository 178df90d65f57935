import type { ArgDef } from 'citty';
import { flagOf, spelled, takesValue } from './parse.ts';
import type { Verb } from './verb.ts';

/** Something that may stand where the cursor is. */
export interface Candidate {
  value: string;
  /** One line; may be empty. */
  summary: string;
}

/** What a shell offers: candidates that begin as what is typed, and whether files of its own may stand there, too. */
export interface Completion {
  candidates: Candidate[];
  files: boolean;
}

/** What a word may be: asked with the verb (`plugin call`), the word's name in the help (`NAME`), and the words before it. */
export type Values = (verb: string, word: string, before: string[]) => Promise<Completion>;

/** Completes a command line: `words` are those behind `px`, the last one is being typed. Flags are offered once a dash is typed. */
export async function complete(root: Verb, words: string[], values: Values): Promise<Completion> {
  const typed = words.at(-1) ?? '';
  let verb = root;
  const path: string[] = [];
  const places: string[] = [];
  let open: [string, ArgDef] | undefined;
  let plain = false;
  for (const word of words.slice(0, -1)) {
    if (open) open = undefined;
    else if (plain) places.push(word);
    else if (word === '--') plain = true;
    else if (word.startsWith('-')) open = word.includes('=') ? undefined : withValue(verb, word);
    else if (verb.verbs) {
      const load = Object.hasOwn(verb.verbs, word) ? verb.verbs[word] : undefined;
      if (!load) return { candidates: [], files: false };
      verb = await load();
      path.push(word);
    } else places.push(word);
  }
  const named = async ([name, def]: [string, ArgDef], text: string, prefix = '') => {
    const options = 'options' in def && def.options ? def.options.map((value) => ({ value, summary: '' })) : undefined;
    const found = options
      ? { candidates: options, files: false }
      : await values(path.join(' '), def.valueHint ?? name.toUpperCase(), places);
    return { ...found, candidates: matching(found.candidates, text, prefix) };
  };
  if (open) return named(open, typed);
  const [, flag, value] = /^(--?[\w-]+)=(.*)$/s.exec(typed) ?? [];
  const valued = flag === undefined || plain ? undefined : withValue(verb, flag);
  if (valued) return named(valued, value ?? '', `${flag}=`);
  if (typed.startsWith('-') && !plain) return { candidates: matching(flagsOf(verb), typed), files: false };
  if (verb.verbs) return { candidates: matching(await verbsOf(verb), typed), files: false };
  const positional = Object.entries(verb.args).filter(([, def]) => def.type === 'positional');
  const place = positional[places.length] ?? (verb.variadic ? positional.at(-1) : undefined);
  return place ? named(place, typed) : { candidates: [], files: false };
}

const matching = (all: Candidate[], typed: string, prefix = '') =>
  all.filter(({ value }) => value.startsWith(typed)).map((one) => ({ ...one, value: prefix + one.value }));

/** The flag of this name, when a value follows it. */
function withValue(verb: Verb, flag: string): [string, ArgDef] | undefined {
  const found = flagOf(verb.args, flag.replace(/^--?/, ''));
  return found && takesValue(found.def) ? [found.name, found.def] : undefined;
}

function flagsOf(verb: Verb): Candidate[] {
  const own = Object.entries(verb.args).filter(([, def]) => def.type !== 'positional');
  return [
    ...own.map(([name, def]) => ({ value: spelled(name, def), summary: def.description ?? '' })),
    { value: '--help', summary: 'How it is used.' },
  ];
}

async function verbsOf(verb: Verb): Promise<Candidate[]> {
  return Promise.all(
    Object.entries(verb.verbs ?? {}).map(async ([value, load]) => ({ value, summary: (await load()).summary })),
  );
}
