import { PxError } from '../../error/error.ts';
import { openBackend } from '../backend.ts';
import { withDownload } from '../download.ts';
import { verb } from '../verb.ts';
import { agreeing, askPerson, asksIn, canAsk, choiceOf, openOf, rulesOf } from './plugin-agree.ts';
import { installedReport, sourceOf } from './plugin-report.ts';

/** `px plugin add`. */
export const add = verb({
  name: 'add',
  summary:
    'Install a plugin: a .wasm, .ts or .js file, a folder with plugin.yaml, an https URL, HOST/OWNER/NAME:TAG of a registry, or one px carries.',
  details:
    'Everything is checked in a locked process first. On a terminal px shows what it asks for and asks you; without one, and without --yes or --grant, it is installed with nothing granted.',
  args: {
    source: { type: 'positional', required: true, description: 'File, folder, URL, registry or carried plugin.' },
    name: { type: 'string', description: 'The name it gets. Left out: from its manifest or file.', valueHint: 'NAME' },
    replace: { type: 'boolean', description: 'Put it in the place of an installed one.' },
    ...agreeing,
  },
  examples: [
    'px plugin add ./weather.wasm',
    'px plugin add ./notes.ts --name notes --grant none',
    'px plugin add ghcr.io/owner/weather:1 --yes',
    'px plugin add telegram --replace',
  ],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const { client } = backend;
    const source = sourceOf(args.source);
    const named = args.name === undefined ? {} : { name: args.name };
    let agreed = withGrant(choiceOf(args));
    if (agreed.grant === undefined && canAsk(context)) {
      const seen = await withDownload(context.io, backend, () => client.inspectPlugin(source, args.name));
      const { asks, instead } = await openOf(client, seen);
      if (instead && args.replace)
        context.io.line(`It takes the place of ${instead.name} ${instead.version}, which is from ${instead.source}.`);
      // One that would not be installed is not asked about.
      if (asks.length > 0 && (args.replace || !instead)) {
        const choice = await askPerson(context, `${seen.name} ${seen.version}`, asks, 'install without');
        if (choice === undefined) return nothing(context.io);
        agreed = { grant: choice, sha256: seen.sha256 };
      }
    }
    const info = await withDownload(context.io, backend, () =>
      client.addPlugin(source, {
        ...named,
        ...(args.replace === undefined ? {} : { replace: args.replace }),
        ...agreed,
      }),
    );
    if (context.json) context.io.data(info);
    else context.io.line(installedReport(info));
    return 0;
  },
});

/** `px plugin update`. */
export const update = verb({
  name: 'update',
  summary: 'Install what the source of a plugin has now.',
  details:
    'A call that is under way ends on the old version. A new version that asks for more than is granted is installed only when you agree: on a terminal px asks. One that fails before it has answered once gives way to the old one.',
  args: {
    name: { type: 'positional', required: false, description: 'An installed plugin.' },
    all: { type: 'boolean', description: 'Every installed plugin.' },
    ...agreeing,
  },
  examples: ['px plugin update weather', 'px plugin update --all'],
  async run({ args, ...context }) {
    if ((args.name === undefined) === !args.all)
      throw new PxError('usage', 'Name a plugin, or say --all.', { hint: 'px plugin update NAME' });
    await using backend = await openBackend(context);
    const { client } = backend;
    const before = new Map((await client.plugins()).map((plugin) => [plugin.name, plugin.version]));
    const names = args.name === undefined ? [...before.keys()] : [args.name];
    let code = 0;
    for (const name of names) {
      try {
        let options = withGrant(choiceOf(args));
        const done = await withDownload(context.io, backend, () => client.updatePlugin(name, options)).catch(
          async (thrown: unknown) => {
            const more = asksIn(thrown);
            if (!more || !canAsk(context)) throw thrown;
            const choice = await askPerson(context, `${name} ${more.version}`, more.asks, 'update without');
            if (choice === undefined) throw thrown;
            options = { grant: choice, sha256: more.sha256 };
            return client.updatePlugin(name, options);
          },
        );
        if (context.json) context.io.data({ name, updated: done.updated, version: done.plugin.version });
        else if (done.updated && before.get(name) === done.plugin.version)
          context.io.line(`${name} ${done.plugin.version} is another file now, of the same version.`);
        else if (done.updated) context.io.line(`${name} ${before.get(name) ?? ''} → ${done.plugin.version}`);
        else context.io.line(`${name} ${done.plugin.version} is what its source has.`);
      } catch (thrown) {
        if (args.name !== undefined) throw thrown;
        // The others are updated all the same.
        code = 1;
        context.io.note(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
    }
    return code;
  },
});

/** `px plugin grant`. */
export const grant = verb({
  name: 'grant',
  summary: 'Grant an installed plugin what it asks for, or take it back. Written into px.yaml.',
  details: '`px plugin inspect` lists what it asks for; each line is one ask, to be given in quotes.',
  args: {
    name: { type: 'positional', required: true, description: 'An installed plugin.' },
    asks: { type: 'positional', required: false, description: 'Its asks, each in quotes.' },
    all: { type: 'boolean', description: 'All it asks for.' },
    revoke: { type: 'boolean', description: 'Take them back.' },
  },
  variadic: true,
  examples: [
    'px plugin grant weather --all',
    `px plugin grant weather 'egress GET https://api.open-meteo.com/v1/forecast'`,
    'px plugin grant weather --all --revoke',
  ],
  async run({ args, words, ...context }) {
    const rules = rulesOf(words.slice(1));
    if ((rules.length === 0) === !args.all)
      throw new PxError('usage', 'Name what is granted, or say --all.', {
        hint: `px plugin inspect ${args.name} lists what it asks for.`,
      });
    await using backend = await openBackend(context);
    const choice = args.all ? 'all' : rules;
    const info = await backend.client.grantPlugin(args.name, args.revoke ? { revoke: choice } : { grant: choice });
    if (context.json) context.io.data(info);
    else for (const ask of info.asks) context.io.line(`${ask.granted ? 'granted    ' : 'not granted'}  ${ask.text}`);
    return 0;
  },
});

const withGrant = (grant: ReturnType<typeof choiceOf>): { grant?: 'all' | 'none' | string[]; sha256?: string } =>
  grant === undefined ? {} : { grant };

function nothing(io: { line(text: string): void }): number {
  io.line('Nothing was installed.');
  return 1;
}
