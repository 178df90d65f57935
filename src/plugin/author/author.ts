/** What the author of a plugin needs: begin, build, test. Loaded by its verbs alone. */
export { buildPlugin } from './build.ts';
export { openProject, type Project } from './project.ts';
export { kinds, languages, newPlugin, writeTypes } from './template.ts';
export { type CaseResult, testPlugin } from './test.ts';
export { changed, fingerprint } from './watch.ts';
