import { version } from '../package.json';

const [first, ...rest] = process.argv.slice(2);

// The shortest ways first: nothing is imported to say the version, and a plugin's child gets its verb before all else.
if (first === '--version' || first === '-v') console.log(version);
else if (first === '__plugin') await (await import('./plugin/plugin.ts')).runPluginChild();
else if (first === '__prepare') await (await import('./plugin/plugin.ts')).runPrepareChild();
else if (first === '__index') await (await import('./memory/memory.ts')).indexOnce(rest[0] ?? '');
else process.exit(await (await import('./cli/cli.ts')).runCli(process.argv.slice(2), version));
