import { describe, root, type Usage, type Verb } from '../src/cli/cli.ts';

/** docs/reference/cli.md: every verb, made from the commands themselves. */
export async function cliReference(): Promise<string> {
  const out = [
    '# Commands',
    '',
    'Made from the commands in `src/cli/`. Every verb takes `--home DIR` and `--json`; with `--json` errors are printed as',
    '`{"error":{"code","message","hint","retryable"}}`. Exit codes: 0 done, 1 failure, 2 usage, 130 interrupted.',
  ];
  const visit = async (verb: Verb, path: string[]): Promise<void> => {
    if (path.length > 0) out.push('', ...section(await describe(verb, path), path));
    for (const [name, load] of Object.entries(verb.verbs ?? {})) await visit(await load(), [...path, name]);
  };
  await visit(root, []);
  return `${out.join('\n')}\n`;
}

function section(usage: Usage, path: string[]): string[] {
  const own = usage.flags.filter(([flag]) => !/^--(home|json)\b/.test(flag));
  const rows = [...usage.words, ...own].map(([name, text]) => `| \`${name.replaceAll('|', '\\|')}\` | ${text} |`);
  return [
    `${'#'.repeat(path.length + 1)} px ${path.join(' ')}`,
    '',
    usage.summary,
    ...(usage.details ? ['', usage.details] : []),
    ...(usage.verbs.length > 0 ? [] : ['', `    ${usage.line}`]),
    ...(rows.length > 0 ? ['', '| | |', '|---|---|', ...rows] : []),
    '',
    '```sh',
    ...usage.examples,
    '```',
  ];
}

if (import.meta.main) await Bun.write('docs/reference/cli.md', await cliReference());
