import { PxError } from '../../error/error.ts';
import type { Json } from '../../wire/wire.ts';
import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { group, verb } from '../verb.ts';
import { pluginReport, sourceOf } from './plugin-report.ts';

const name = { type: 'positional', required: true, description: 'An installed plugin.' } as const;

const list = verb({
  name: 'list',
  summary: 'List installed plugins.',
  args: {},
  examples: ['px plugin list'],
  async run({ io, json, ...context }) {
    await using backend = await openBackend({ io, json, ...context });
    const plugins = await backend.client.plugins();
    if (json) io.data(plugins);
    else if (plugins.length === 0) io.line('No plugins. Add one: px plugin add FILE');
    else io.line(table(plugins.map((p) => [io.bold(p.name), p.version, p.kind, p.state, p.detail])));
    return 0;
  },
});

const inspect = verb({
  name: 'inspect',
  summary: 'Show what a plugin exports, imports and asks for.',
  details:
    'Of an installed plugin, or of a file, folder or URL that is not installed: nothing of it runs outside a locked process.',
  args: {
    name: {
      type: 'positional',
      required: true,
      description: 'An installed plugin, a file, a folder, a URL, one of a registry, or one px carries.',
    },
  },
  examples: ['px plugin inspect telegram', 'px plugin inspect ./weather.wasm'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const { client } = backend;
    // An installed plugin is meant rather than a folder that happens to have its name.
    const installed = (await client.plugins()).some((one) => one.name === args.name);
    const info = installed ? await client.plugin(args.name) : await client.inspectPlugin(sourceOf(args.name));
    if (context.json) context.io.data(info);
    else context.io.line(pluginReport(info, installed));
    return 0;
  },
});

const call = verb({
  name: 'call',
  summary: "Call a plugin's function and print its result as JSON.",
  args: {
    name,
    function: { type: 'positional', required: true, description: 'An exported function; inspect lists them.' },
    arguments: { type: 'positional', default: '[]', description: 'A JSON array of arguments.' },
  },
  examples: ['px plugin call clock now', `px plugin call dice roll '["2d6+1"]'`],
  async run({ args, ...context }) {
    const given = argumentsOf(args.arguments);
    await using backend = await openBackend(context);
    context.io.data(await backend.client.callPlugin(args.name, args.function, given));
    return 0;
  },
});

const remove = verb({
  name: 'remove',
  summary: 'Remove a plugin.',
  details: 'What it stored goes with it, and what px.yaml grants for its asks; its settings stay.',
  args: { name },
  examples: ['px plugin remove weather'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.removePlugin(args.name);
    if (context.json) context.io.data({ removed: args.name });
    else context.io.line(`Removed ${args.name}.`);
    return 0;
  },
});

const logs = verb({
  name: 'logs',
  summary: 'Show what a plugin has logged lately.',
  args: { name },
  examples: ['px plugin logs telegram'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const lines = await backend.client.pluginLogs(args.name);
    if (context.json) context.io.data(lines);
    else if (lines.length === 0) context.io.note(`${args.name} has logged nothing lately.`);
    else
      for (const line of lines)
        context.io.line(`${new Date(line.at).toISOString()} ${line.level} ${line.message.replaceAll('\n', '\n  | ')}`);
    return 0;
  },
});

const resume = verb({
  name: 'resume',
  summary: 'Let a plugin run again that failed too often.',
  args: { name },
  examples: ['px plugin resume weather'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.resumePlugin(args.name);
    if (context.json) context.io.data({ resumed: args.name });
    else context.io.line(`${args.name} runs again.`);
    return 0;
  },
});

/** `px plugin …`. */
export const plugin = group({
  name: 'plugin',
  summary: 'Install, inspect, call and write plugins.',
  examples: ['px plugin add ./weather.wasm', 'px plugin list', 'px plugin call clock now', 'px plugin new my-plugin'],
  verbs: {
    add: async () => (await import('./plugin-install.ts')).add,
    update: async () => (await import('./plugin-install.ts')).update,
    grant: async () => (await import('./plugin-install.ts')).grant,
    list: async () => list,
    inspect: async () => inspect,
    call: async () => call,
    remove: async () => remove,
    logs: async () => logs,
    resume: async () => resume,
    new: async () => (await import('./plugin-author.ts')).create,
    test: async () => (await import('./plugin-test.ts')).test,
    dev: async () => (await import('./plugin-dev.ts')).dev,
    build: async () => (await import('./plugin-author.ts')).build,
    types: async () => (await import('./plugin-author.ts')).types,
    pack: async () => (await import('./plugin-sign.ts')).pack,
    sign: async () => (await import('./plugin-sign.ts')).sign,
    keygen: async () => (await import('./plugin-sign.ts')).keygen,
  },
});

/** A whole number too large for a number of JavaScript stays as it was written: 64-bit parameters take it as text. */
function exact(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && source
    ? source
    : value;
}

function argumentsOf(text: string): Json[] {
  let value: Json | undefined;
  try {
    value = JSON.parse(text, exact) as Json;
  } catch {
    // Falls through to the one complaint below.
  }
  if (Array.isArray(value)) return value;
  throw new PxError('usage', 'The arguments must be a JSON array.', {
    hint: `px plugin call NAME FUNCTION '["text", 7]'`,
  });
}
