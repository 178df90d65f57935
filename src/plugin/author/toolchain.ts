import { PxError } from '../../error/error.ts';

/** Longest text of a compiler that is passed on, in characters: its first complaints are those that count. */
const maxSaid = 12_000;

/** What a command said. */
interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command in a folder with px's own environment and these variables besides. */
export async function say(command: string[], cwd: string, variables: Record<string, string> = {}): Promise<Said> {
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const child = Bun.spawn(set.length > 0 ? ['env', ...set, ...command] : command, {
    cwd,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/**
 * Runs a compiler; gives its standard output. Throws PxError `plugin.build` with what it said, or `plugin.toolchain` when what it said means
 * that a part of it is not installed.
 */
export async function compile(
  command: string[],
  cwd: string,
  options: { variables?: Record<string, string>; lacks?: [said: RegExp, what: string, install: string][] } = {},
): Promise<string> {
  const { code, stdout, stderr } = await say(command, cwd, options.variables);
  if (code === 0) return stdout;
  const said = Bun.stripANSI(stderr.trim() || stdout.trim());
  for (const [pattern, what, install] of options.lacks ?? []) if (pattern.test(said)) throw missing(what, install);
  const more = said.length > maxSaid ? `${said.slice(0, maxSaid)}\n… (${said.length} characters)` : said;
  const [program = '', verb = ''] = command;
  throw new PxError('plugin.build', `${verb.startsWith('-') ? program : `${program} ${verb}`} failed:\n${more}`);
}

/** A part of a toolchain that is not installed. */
export function missing(what: string, install: string): PxError {
  return new PxError('plugin.toolchain', `${what} is not installed.`, { hint: `Install it: ${install}` });
}
