import { connect } from '../../client/client.ts';
import { type ConfigStore, explain, getPath, initHome, openConfig } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import { table } from '../io.ts';
import { type Context, group, verb } from '../verb.ts';

const get = verb({
  name: 'get',
  summary: 'Print a value that is in force, defaults included; without a key, all of them.',
  args: { key: { type: 'positional', required: false, description: 'Dotted: model.default' } },
  examples: ['px config get', 'px config get model.default', 'px config get plugins.telegram --json'],
  async run({ args, ...context }) {
    const config = await openConfig(context.home, context.env);
    // A wrong key is named with its nearest, rather than answered with nothing.
    if (args.key) explain(args.key);
    const value = args.key ? getPath(config.current, args.key) : config.current;
    config.close();
    if (context.json) context.io.data(value ?? null);
    else context.io.line(typeof value === 'string' ? value : await yamlOf(value));
    return 0;
  },
});

const set = verb({
  name: 'set',
  summary: 'Write a value to px.yaml, keeping comments and order; a running px takes it over at once.',
  args: {
    key: { type: 'positional', required: true, description: 'Dotted: model.default' },
    value: { type: 'positional', required: true, description: 'Text, a number, true, false, or JSON.' },
  },
  examples: [
    'px config set model.default ollama/qwen3:4b',
    'px config set channels.telegram.enabled true',
    `px config set plugins.weather.grants.egress '["GET https://api.open-meteo.com/v1/"]'`,
  ],
  async run({ args, ...context }) {
    const write = await writer(context);
    const parsed = parseValue(args.value);
    try {
      await write(args.key, parsed);
    } catch (thrown) {
      // A name that looks like a number (a chat's id) is text where text is expected.
      if (typeof parsed === 'string' || !(thrown instanceof PxError) || thrown.code !== 'config.invalid') throw thrown;
      await write(args.key, args.value).catch(() => {
        throw thrown;
      });
    }
    if (context.json) context.io.data({ key: args.key, set: true });
    else context.io.line(`${args.key} is set in ${context.home.config}`);
    return 0;
  },
});

const unset = verb({
  name: 'unset',
  summary: 'Take a key out of px.yaml, so that its default counts again.',
  args: { key: { type: 'positional', required: true, description: 'Dotted: model.default' } },
  examples: ['px config unset model.default', 'px config unset plugins.weather'],
  async run({ args, ...context }) {
    const client = await connect(context.home);
    if (client) await client.unsetConfig(args.key);
    else {
      await initHome(context.home);
      const store = await openConfig(context.home, context.env);
      await store.set(args.key, undefined);
      store.close();
    }
    if (context.json) context.io.data({ key: args.key, set: false });
    else context.io.line(`${args.key} is no longer set in ${context.home.config}`);
    return 0;
  },
});

const explainVerb = verb({
  name: 'explain',
  summary: 'Tell what a key of px.yaml does, what it may be and what it is.',
  args: { key: { type: 'positional', required: false, description: 'Dotted: gateway.port' } },
  examples: ['px config explain gateway.port', 'px config explain'],
  async run({ args, ...context }) {
    const about = explain(args.key ?? '');
    const config: ConfigStore | undefined = await openConfig(context.home, context.env).catch(() => undefined);
    const value = about.key === '' ? config?.current : config && getPath(config.current, about.key);
    config?.close();
    const { io } = context;
    if (context.json) {
      io.data({ ...about, value });
      return 0;
    }
    if (about.key) io.line(io.bold(about.key));
    if (about.description) io.line(about.description);
    if (about.keys.length > 0) {
      const base = about.key ? `${about.key}.` : '';
      io.line(table(about.keys.map((key) => [`  ${base}${key}`, explain(base + key).description])));
      return 0;
    }
    io.line(
      table([
        ['  takes', about.type],
        ['  default', about.default === undefined ? 'none' : JSON.stringify(about.default)],
        ['  now', value === undefined ? 'not set' : JSON.stringify(value)],
      ]),
    );
    return 0;
  },
});

const check = verb({
  name: 'check',
  summary: 'Check px.yaml: exit 1 and the place of what is wrong.',
  args: {},
  examples: ['px config check'],
  async run({ io, home, env, json }) {
    (await openConfig(home, env)).close();
    if (json) io.data({ ok: true, file: home.config });
    else io.line(`${home.config} is valid.`);
    return 0;
  },
});

/** `px config …`. */
export const config = group({
  name: 'config',
  summary: 'Read, change and check px.yaml.',
  examples: ['px config get', 'px config set model.default auto', 'px config explain gateway', 'px config check'],
  verbs: {
    get: async () => get,
    set: async () => set,
    unset: async () => unset,
    explain: async () => explainVerb,
    check: async () => check,
  },
});

/** Writes through the running px, so that the value is in force when the verb ends; else the file itself. */
async function writer(context: Context): Promise<(key: string, value: unknown) => Promise<unknown>> {
  const client = await connect(context.home);
  if (client) return client.setConfig;
  await initHome(context.home);
  return async (key, value) => {
    // Opened for one write: it must not matter here whether the rest of the file is right, set itself judges that.
    const store = await openConfig(context.home, context.env);
    await store.set(key, value);
    store.close();
  };
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function yamlOf(value: unknown): Promise<string> {
  if (value === undefined) return '';
  return typeof value === 'object' ? Bun.YAML.stringify(value, null, 2) : String(value);
}
