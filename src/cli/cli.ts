import { runCommand } from 'citty';
import { enterHome, loadEnvironment, resolveHome } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import { printable } from '../log/log.ts';
import { describe, renderHelp } from './help.ts';
import { type Io, processIo } from './io.ts';
import { checkWords, type Found, findVerb, helpHint } from './parse.ts';
import { root } from './tree.ts';
import type { Context } from './verb.ts';

export { describe, type Usage } from './help.ts';
export { root } from './tree.ts';
export type { Verb } from './verb.ts';

/** Runs one command line. The exit code: 0 done, 1 failure, 2 usage, 130 interrupted. Prints errors itself; never throws. */
export async function runCli(argv: string[], version: string): Promise<number> {
  const env = loadEnvironment();
  const io = processIo(!env.get('NO_COLOR'));
  const json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');
  try {
    const found = await findVerb(root, argv);
    if (found.help || found.verb.verbs) {
      const usage = await describe(found.verb, found.path);
      if (json && !found.help)
        throw new PxError('usage', `${['px', ...found.path].join(' ')} needs a verb.`, { hint: helpHint(found.path) });
      const text = renderHelp(usage, io.columns);
      // Asked for, it is the answer; typed too short, it is a complaint.
      if (json) io.data(usage);
      else if (found.help) io.line(text);
      else
        io.note(
          found.path.length > 0
            ? text
            : `${text}\n\nNew here? \`px setup\` asks what it must. Or start it with \`px serve\`, and in another terminal: px chat "what time is it?"`,
        );
      return found.help ? 0 : 2;
    }
    checkWords(found);
    const home = resolveHome(env, flagValue(found.rest, 'home'));
    if (!found.verb.asRoot) enterHome(home);
    const context: Context = { io, env, home, json, version };
    const { result } = await runCommand(found.verb.command, { rawArgs: found.rest, data: context }).catch((thrown) =>
      asUsage(thrown, found),
    );
    return typeof result === 'number' ? result : 0;
  } catch (thrown) {
    return complain(io, toPxError(thrown), json);
  } finally {
    await io.flush();
  }
}

/**
 * What a shell asks at each tab: candidates as `value TAB summary`, a line each; `:files` where files of the person's own may stand.
 * Prints nothing when it is in doubt.
 */
export async function runCompletion(words: string[]): Promise<number> {
  const io = processIo(false);
  const [{ complete }, { valuesOf }] = await Promise.all([import('./complete.ts'), import('./complete-values.ts')]);
  try {
    // The last word is still being typed, and may be the home's.
    const home = resolveHome(loadEnvironment(), flagValue(words.slice(0, -1), 'home'));
    const { candidates, files } = await complete(root, words, valuesOf(home));
    for (const { value, summary } of candidates) {
      // Names of notes are a person's own: one that would not be one word, or that a terminal acts on, is not offered.
      if (/[\t\n]/.test(value) || printable(value) !== value) continue;
      io.line(`${value}\t${shortened(summary.replace(/\s+/g, ' '))}`);
    }
    if (files) io.line(':files');
  } catch {
    // At a tab nobody reads errors.
  }
  await io.flush();
  return 0;
}

/** A sentence beside a candidate: as much of it as a terminal has room for, in whole words. */
const shortened = (text: string) => (text.length <= 72 ? text : `${text.slice(0, 72).replace(/\s\S*$/, '')}…`);

/** Prints an error as message and hint, or as JSON; its exit code. */
function complain(io: Io, error: PxError, json: boolean): number {
  if (json) io.data({ error: error.toJSON() });
  else {
    // Lines of a plugin's own are marked: none of them can look like a hint of px.
    const mark = error.code.startsWith('plugin.') ? '\n  | ' : '\n';
    io.note(`px: ${error.message.replaceAll('\n', mark)}`);
    if (error.hint) io.note(`    ${error.hint.replaceAll('\n', '\n    ')}`);
  }
  if (error.code === 'usage') return 2;
  return error.code === 'interrupted' ? 130 : 1;
}

/** What citty and the gateway say about the words and flags of a command line, as ours. */
function asUsage(thrown: unknown, { path, verb }: Pick<Found, 'path' | 'verb'>): never {
  const hint = helpHint(path);
  if (thrown instanceof Error && thrown.name === 'CLIError') {
    const said = Bun.stripANSI(thrown.message).replace(/\.$/, '');
    const [, missing] = /^Missing required positional argument: (.*)/.exec(said) ?? [];
    if (missing !== undefined)
      throw new PxError('usage', `${['px', ...path].join(' ')} needs ${missing}.`, { hint: verb.examples[0] ?? hint });
    const [, flag, typed, known] =
      /^Invalid value for argument: (\S+) \((.*)\)\. Expected one of: (.*)/s.exec(said) ?? [];
    throw new PxError('usage', known === undefined ? `${said}.` : `${flag} takes ${known}, not ${typed}.`, { hint });
  }
  const refused = thrown instanceof PxError && thrown.code === 'gateway.bad-request' ? thrown.message : '';
  const [, what] = /^(?:path|query|body)(?:, |: )(.*)$/s.exec(refused) ?? [];
  if (what !== undefined) throw new PxError('usage', what, { hint, cause: thrown });
  throw thrown;
}

function flagValue(argv: string[], name: string): string | undefined {
  for (const [i, token] of argv.entries()) {
    if (token === '--') return undefined;
    if (token === `--${name}`) return argv[i + 1];
    if (token.startsWith(`--${name}=`)) return token.slice(name.length + 3);
  }
  return undefined;
}
