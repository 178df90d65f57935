import { runPluginChild, runPrepareChild } from '../plugin.ts';

// The hidden verbs alone, for tests that run before or without the whole program.
await (process.argv[2] === '__plugin' ? runPluginChild() : runPrepareChild());
