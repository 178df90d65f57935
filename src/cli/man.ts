import { describe, type Usage } from './help.ts';
import type { Verb } from './verb.ts';

/** The manual page `px(1)` in roff (man macros, groff_man(7)), made from the verbs. */
export async function manual(root: Verb, version: string): Promise<string> {
  const verbs: Usage[] = [];
  const visit = async (verb: Verb, path: string[]): Promise<void> => {
    if (path.length > 0 && !verb.verbs) verbs.push(await describe(verb, path));
    for (const [name, load] of Object.entries(verb.verbs ?? {})) await visit(await load(), [...path, name]);
  };
  await visit(root, []);
  return `${[
    `.TH PX 1 "" "px ${version}" "px"`,
    '.SH NAME',
    'px \\- a personal AI agent in one file',
    '.SH SYNOPSIS',
    '.B px',
    'VERB [WORDS] [\\-\\-flags]',
    '.SH DESCRIPTION',
    'Messaging gateway, switcher of language models, sandboxed plugins, and a memory in Markdown, in one executable.',
    'Every verb talks to the px that runs for its home, or opens the home itself when none runs.',
    '.SH VERBS',
    ...verbs.flatMap(section),
    '.SH FLAGS OF EVERY VERB',
    ...rows([
      [
        '--home DIR',
        'The home folder of this px. Left out: PX_HOME, else the folder px stands in when it holds a px.yaml, else ~/.px.',
      ],
      ['--json', 'Print JSON, errors too: {"error":{"code","message","hint","retryable"}}.'],
      ['--help', 'How the verb is used, with examples.'],
    ]),
    '.SH EXIT STATUS',
    ...rows([
      ['0', 'Done.'],
      ['1', 'Failure; the message and what to do next are on standard error.'],
      ['2', 'The command line is not right.'],
      ['130', 'Interrupted.'],
    ]),
    '.SH ENVIRONMENT',
    ...rows([
      ['PX_HOME', 'The home folder, where no --home is given.'],
      ['NO_COLOR', 'No colours.'],
      ['OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY', 'A provider to answer with, when px.yaml names none.'],
    ]),
    '.SH FILES',
    ...rows([
      ['px.yaml', 'The configuration.'],
      ['memory/', 'Everything px knew, thought and did, in Markdown.'],
      ['plugins/', 'Installed plugins.'],
      ['state/', 'Databases, keys, caches.'],
    ]),
  ].join('\n')}\n`;
}

function section(usage: Usage): string[] {
  const own = [...usage.words, ...usage.flags.filter(([flag]) => !/^--(home|json)\b/.test(flag))];
  return [
    `.SS "${roff(usage.line)}"`,
    roff(usage.summary),
    ...(usage.details === '' ? [] : ['.PP', roff(usage.details)]),
    ...rows(own),
    '.PP',
    '.EX',
    ...usage.examples.map(roff),
    '.EE',
  ];
}

const rows = (of: [string, string][]) => of.flatMap(([name, text]) => ['.TP', `.B ${roff(name)}`, roff(text)]);

/** Text as roff takes it: no line of it is a request, no character of it an escape. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/^(['.])/gm, '\\&$1');
}
