import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadAuthor } from '../../plugin/plugin.ts';
import type { Io } from '../io.ts';
import { withProgress } from '../progress.ts';
import { verb } from '../verb.ts';
import { builtLine, lockOf, source } from './plugin-author.ts';

type Author = Awaited<ReturnType<typeof loadAuthor>>;
type Project = Awaited<ReturnType<Author['openProject']>>;
type Result = Awaited<ReturnType<Author['testPlugin']>>[number];

/** `px plugin test`. */
export const test = verb({
  name: 'test',
  summary: 'Run a plugin’s tests against a scripted host.',
  details:
    'It runs in the same locked process and under the same grants as in a running px; what plugin.test.yaml scripts is what lies outside: answers from the web, the clock, settings, secrets, the store and files. No px has to run, and nothing of yours is touched. Exit code 1 when a test fails.',
  args: {
    ...source,
    only: { type: 'string', description: 'Only tests with this text in their name.', valueHint: 'TEXT' },
  },
  examples: ['px plugin test', 'px plugin test ./weather.ts', 'px plugin test --only greets'],
  async run({ args, ...context }) {
    const { io, json } = context;
    const { buildPlugin, openProject, testPlugin } = await loadAuthor();
    const project = await openProject(args.source);
    const lock = await lockOf(context);
    let plugin = args.source;
    if (project.language !== 'ts' && project.language !== 'js') {
      const building = buildPlugin(project, lock);
      const built = await withProgress(io, `building ${project.name}`, building, () => undefined);
      if (!json) io.line(builtLine(built));
      plugin = built.file;
    }
    const onResult = (result: Result) => (json ? undefined : report(io, result));
    const results = await testPlugin(plugin, { ...lock, cases: casesOf(project), only: args.only, onResult });
    const failed = results.filter(({ ok }) => !ok).length;
    const passed = results.length - failed;
    if (json) io.data({ passed, failed, tests: results });
    else io.line(`\n${passed} passed, ${failed} failed`);
    return failed > 0 ? 1 : 0;
  },
});

/** `weather.test.yaml` beside the script `weather.ts`, where there is one or it is a script alone; else `plugin.test.yaml`. */
function casesOf({ folder, script, manifest }: Project): string {
  const usual = join(folder, 'plugin.test.yaml');
  const name = script === undefined ? 'plugin' : basename(script).replace(/\.[cm]?[jt]s$/, '');
  if (name === 'plugin' || name === 'index') return usual;
  const own = join(folder, `${name}.test.yaml`);
  return existsSync(own) || manifest === undefined ? own : usual;
}

function report(io: Io, { name, ok, ms, problems, log }: Result): void {
  io.line(`${ok ? '✓' : '✗'} ${ok ? name : io.bold(name)} ${io.dim(`${ms} ms`)}`);
  if (ok) return;
  for (const problem of problems) io.line(`    ${problem.replaceAll('\n', '\n    ')}`);
  if (log.length > 0) io.line(io.dim('    its log:'));
  for (const line of log) io.line(io.dim(`      ${line.trimEnd().replaceAll('\n', '\n      ')}`));
}
