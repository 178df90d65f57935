import { version } from '../package.json';

const [first, ...rest] = process.argv.slice(2);
/** What is asked for behind the flags every verb takes: `px --home DIR --version`. */
const asked = process.argv
  .slice(2)
  .find((word, at, all) => !/^--(home(=|$)|json$)/.test(word) && all[at - 1] !== '--home');

// The shortest ways first: nothing is imported to say the version, and a plugin's child gets its verb before all else.
if (asked === '--version' || asked === '-v') console.log(version);
else if (first === '__plugin') await (await import('./plugin/plugin.ts')).runPluginChild();
else if (first === '__prepare') await (await import('./plugin/plugin.ts')).runPrepareChild();
else if (first === '__index') await (await import('./memory/memory.ts')).indexForParent(rest[0] ?? '');
else if (first === '__complete') process.exit(await (await import('./cli/cli.ts')).runCompletion(rest));
else process.exit(await (await import('./cli/cli.ts')).runCli(process.argv.slice(2), version));
