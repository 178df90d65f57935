import { join, resolve, sep } from 'node:path';
import { type Client, type Events, openEvents } from '../../client/client.ts';
import { PxError, toPxError } from '../../error/error.ts';
import { loadAuthor } from '../../plugin/plugin.ts';
import type { PxEvent } from '../../wire/wire.ts';
import { runningPx } from '../backend.ts';
import { withProgress } from '../progress.ts';
import { nextSignal } from '../signal.ts';
import { type Context, verb } from '../verb.ts';
import { agreeing, askPerson, asksIn, canAsk, choiceOf, openOf } from './plugin-agree.ts';
import { lockOf, shownPath, source } from './plugin-author.ts';
import { sourceOf } from './plugin-report.ts';

type Choice = ReturnType<typeof choiceOf>;
/** What the flags say. */
interface How {
  choice: Choice;
  replace: boolean;
}
type Info = Awaited<ReturnType<Client['addPlugin']>>;

/** `px plugin dev`. */
export const dev = verb({
  name: 'dev',
  summary: 'Work on a plugin: build it and load it into the running px at each change, and show what it does there.',
  details:
    'A call that is under way ends on the old version. What it asks for is granted as with px plugin add: on a terminal px asks; --yes and --grant answer beforehand. A build that fails is shown and the version before stays. Ctrl-C ends it; the plugin stays installed.',
  args: {
    ...source,
    replace: { type: 'boolean', description: 'Put it in the place of an installed one of its name from elsewhere.' },
    ...agreeing,
  },
  examples: ['px plugin dev', 'px plugin dev ./weather --yes'],
  async run({ args, ...context }) {
    const { changed, fingerprint, openProject } = await loadAuthor();
    const stop = new AbortController();
    const signal = nextSignal().then((name) => {
      stop.abort();
      return name;
    });
    const watcher = await follow(context);
    const project = await openProject(args.source);
    const script = project.language === 'ts' || project.language === 'js';
    const { config, memory, plugins, state } = context.home;
    const built = join(project.folder, `${project.name}.${script ? 'js' : 'wasm'}`);
    const apart = new Set([config, memory, plugins, state]);
    // A script alone may have the very name of what is built of it.
    if (built !== project.script) apart.add(built);
    const look = () => fingerprint(project.folder, apart);
    const how = { choice: choiceOf(args), replace: args.replace ?? false };
    let name = '';
    try {
      for (let seen = look(); !stop.signal.aborted; seen = await changed(look, seen, stop.signal)) {
        const loaded = load(args.source, context, how, watcher).then(
          (loaded) => {
            name = loaded;
          },
          (thrown: unknown) => complain(context, thrown),
        );
        // A person who is asked something may press Ctrl-C there, too.
        await Promise.race([loaded, signal]);
      }
    } finally {
      watcher.close();
    }
    if (!context.json) context.io.line(name === '' ? 'Nothing was loaded.' : `${name} stays installed.`);
    return (await signal) === 'SIGINT' ? 130 : 0;
  },
});

/** Builds the plugin and puts it into the running px; its name. */
async function load(given: string, context: Context, how: How, watcher: Watcher): Promise<string> {
  const { io, json } = context;
  const { buildPlugin, openProject } = await loadAuthor();
  const project = await openProject(given);
  let plugin = sourceOf(given);
  let took = '';
  if (project.language !== 'ts' && project.language !== 'js') {
    const building = buildPlugin(project, await lockOf(context));
    const built = await withProgress(io, `building ${project.name}`, building, () => undefined);
    plugin = built.file;
    took = `, built in ${(built.ms / 1000).toFixed(1)} s`;
  }
  const client = await watcher.client();
  if (watcher.name() === '' && !how.replace) await refuseOther(plugin, resolve(given), client);
  const info = await put(plugin, client, context, how.choice, watcher.name() === '');
  watcher.watch(info.name);
  if (json) io.data({ loaded: info.name, version: info.version, sha256: info.sha256 });
  else {
    io.line(
      `${clock(Date.now())} ${io.bold(`${info.name} ${info.version}`)} is loaded from ${shownPath(plugin)}${took}`,
    );
    const left = info.asks.filter((ask) => !ask.granted).map((ask) => ask.text);
    if (left.length > 0)
      io.line(`         not granted: ${left.join('; ')}. Grant it: px plugin grant ${info.name} --all`);
  }
  return info.name;
}

/** Refuses to take the place of an installed plugin that is not this one at work, whatever this one is called. Throws PxError `conflict`. */
async function refuseOther(plugin: string, given: string, client: Client): Promise<void> {
  const { instead } = await openOf(client, await client.inspectPlugin(plugin));
  // A folder, and a file in it.
  if (!instead || instead.source.startsWith(given + sep) || given.startsWith(instead.source + sep)) return;
  throw new PxError('conflict', `A plugin ${instead.name} is installed already, from ${instead.source}.`, {
    hint: 'Put yours in its place with --replace, or give it another name in its manifest.',
  });
}

/** Installs a file; what it asks for and is not granted is asked on the terminal, first of all and when it is more than before. */
async function put(plugin: string, client: Client, context: Context, choice: Choice, first: boolean): Promise<Info> {
  if (choice !== undefined) return client.addPlugin(plugin, { replace: true, grant: choice });
  if (!canAsk(context)) return client.addPlugin(plugin, { replace: true, grant: 'none' });
  const ask = async (what: string, asks: Info['asks'], sha256: string) => {
    const grant = await askPerson(context, what, asks, 'load it without');
    if (grant === undefined)
      throw new PxError('interrupted', `${what} is not loaded.`, { hint: 'The next change asks again.' });
    return client.addPlugin(plugin, { replace: true, grant, sha256 });
  };
  if (first) {
    const seen = await client.inspectPlugin(plugin);
    const { asks } = await openOf(client, seen);
    if (asks.length > 0) return ask(`${seen.name} ${seen.version}`, asks, seen.sha256);
  }
  return client.addPlugin(plugin, { replace: true }).catch((thrown: unknown) => {
    const more = asksIn(thrown);
    if (!more) throw thrown;
    return ask(`${more.name} ${more.version}`, more.asks, more.sha256);
  });
}

/** A build that failed is told; the next change tries again. */
function complain({ io, json }: Context, thrown: unknown): void {
  const { message, hint, code } = toPxError(thrown);
  if (json) {
    io.data({ error: { code, message } });
    return;
  }
  io.note(`${clock(Date.now())} ${message.replaceAll('\n', '\n  | ')}`);
  if (hint) io.note(`         ${hint}`);
}

/** Shows what a plugin does in the running px: its log, its calls, and what it was denied. */
interface Watcher {
  /** The px that runs now, which may be another than at the beginning. */
  client(): Promise<Client>;
  watch(name: string): void;
  name(): string;
  close(): void;
}

async function follow(context: Context): Promise<Watcher> {
  const { io, json } = context;
  let name = '';
  let events: Events | undefined;
  const dial = async () => {
    const client = await runningPx(context);
    events ??= openEvents(client, {
      ready: () => {},
      event(event) {
        const line = lineOf(event, name);
        if (line === undefined) return;
        if (json) io.data(event);
        else io.line(`${clock(event.at)} ${line}`);
      },
      closed(error) {
        events = undefined;
        io.note(`${error.message} The next change looks for it again.`);
      },
    });
    return client;
  };
  await dial();
  return {
    client: dial,
    watch(which) {
      name = which;
    },
    name: () => name,
    close: () => events?.close(),
  };
}

function lineOf(event: PxEvent, name: string): string | undefined {
  if (event.type === 'log')
    return event.entry.scope === `plugin/${name}`
      ? `${event.entry.level.padEnd(5)} ${event.entry.message.replaceAll('\n', '\n  | ')}`
      : undefined;
  if (!('plugin' in event) || event.plugin !== name) return undefined;
  if (event.type === 'plugin.denied') return `denied ${event.capability}: ${event.detail}`;
  if (event.type !== 'plugin.call') return undefined;
  const how = event.ok ? 'ok' : `failed: ${event.error?.message ?? ''}`;
  return `call  ${event.function} ${how} (${Math.round(event.ms)} ms)`;
}

const clock = (at: number) => new Date(at).toTimeString().slice(0, 8);
