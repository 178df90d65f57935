import { relative, resolve } from 'node:path';
import { openConfig } from '../../config/config.ts';
import { loadAuthor } from '../../plugin/plugin.ts';
import { withProgress } from '../progress.ts';
import { type Context, verb } from '../verb.ts';
import { sizeOf } from './plugin-report.ts';

/** The folder or script a verb works on. */
export const source = {
  source: {
    type: 'positional',
    required: false,
    description: 'The folder of the plugin, or one script. Left out: this folder.',
    default: '.',
  },
} as const;

/** How this home locks processes. Throws PxError `config.*`. */
export async function lockOf({ home, env }: Pick<Context, 'home' | 'env'>) {
  const config = await openConfig(home, env);
  config.close();
  return { env, mode: config.current.sandbox.mode };
}

/** A path as a person types it. */
export const shownPath = (path: string) => relative('.', path) || '.';

/** `px plugin new`. */
export const create = verb({
  name: 'new',
  summary: 'Begin a plugin: source, manifest, and a test that passes.',
  details:
    'TypeScript and JavaScript need nothing but px. Rust, Go, Python and C are built with their own toolchains: px plugin build says what is missing.',
  args: {
    name: { type: 'positional', required: true, description: 'Small letters, digits and dashes.' },
    lang: {
      type: 'enum',
      options: ['ts', 'js', 'rust', 'go', 'python', 'c'],
      default: 'ts',
      description: 'The language: ts, js, rust, go, python or c.',
    },
    kind: {
      type: 'enum',
      options: ['tool', 'messaging'],
      default: 'tool',
      description: 'tool (for the agent) or messaging (connects a platform).',
    },
    into: { type: 'string', description: 'The folder it is written into. Left out: NAME.', valueHint: 'DIR' },
  },
  examples: ['px plugin new weather', 'px plugin new weather --lang rust', 'px plugin new my-chat --kind messaging'],
  async run({ args, ...context }) {
    const folder = resolve(args.into ?? args.name);
    const files = await (await loadAuthor()).newPlugin(folder, args.name, args.lang, args.kind);
    if (context.json) {
      context.io.data({ folder, files });
      return 0;
    }
    const { io } = context;
    io.line(`${args.name} is begun in ${shownPath(folder)}: ${files.join(', ')}`);
    io.line();
    io.line(`  cd ${shownPath(folder)}`);
    io.line('  px plugin test     # runs plugin.test.yaml against a scripted host');
    io.line('  px plugin dev      # reloads it into a running px at each change');
    return 0;
  },
});

/** `px plugin build`. */
export const build = verb({
  name: 'build',
  summary: 'Build a plugin with its language’s own toolchain, into one file.',
  details:
    'Rust, Go, Python and C become NAME.wasm with the manifest inside. A .ts or .js plugin needs no build to be installed; what is built of it is one NAME.js with all it imports, to pass on.',
  args: source,
  examples: ['px plugin build', 'px plugin build ./weather'],
  async run({ args, ...context }) {
    const { buildPlugin, openProject } = await loadAuthor();
    const project = await openProject(args.source);
    // How far a compiler has come only it knows: a person sees that it works, and for how long.
    const building = buildPlugin(project, await lockOf(context));
    const built = await withProgress(context.io, `building ${project.name}`, building, () => undefined);
    if (context.json) context.io.data({ file: built.file, bytes: built.bytes, ms: Math.round(built.ms) });
    else context.io.line(builtLine(built));
    return 0;
  },
});

/** What was built, in a line. */
export function builtLine({ file, bytes, ms }: { file: string; bytes: number; ms: number }): string {
  return `${shownPath(file)} is built (${sizeOf(bytes)}, ${(ms / 1000).toFixed(1)} s).`;
}

/** `px plugin types`. */
export const types = verb({
  name: 'types',
  summary: 'Write px.d.ts, and tsconfig.json where there is none: what an editor needs for .ts and .js plugins.',
  args: { folder: { type: 'positional', required: false, description: 'Left out: this folder.', default: '.' } },
  examples: ['px plugin types', 'px plugin types ./weather'],
  async run({ args, ...context }) {
    const files = await (await loadAuthor()).writeTypes(resolve(args.folder));
    if (context.json) context.io.data({ files });
    else context.io.line(`${files.join(' and ')} ${files.length > 1 ? 'are' : 'is'} written.`);
    return 0;
  },
});
