import { dirname, join } from 'node:path';
import { connect } from '../../client/client.ts';
import { homeAt, machineHome } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import type { ServiceOptions } from '../../service/service.ts';
import { table } from '../io.ts';
import { type Context, group, verb } from '../verb.ts';

const common = {
  system: { type: 'boolean', description: 'The service of the whole machine, not of this user. Needs root.' },
  name: { type: 'string', description: 'Name of the service, for more than one px.', valueHint: 'NAME', default: 'px' },
} as const;

const load = () => import('../../service/service.ts');

/** The words that name a service which is not the usual one. */
const flagsOf = (args: { system?: boolean | undefined; name: string }) =>
  `${args.system ? ' --system' : ''}${args.name === 'px' ? '' : ` --name ${args.name}`}`;

/** A service of the whole machine has its home where such things are kept, unless another is named. */
function optionsOf(
  context: Context,
  args: { system?: boolean | undefined; name: string; home?: unknown },
): ServiceOptions {
  const { home, env } = context;
  const system = args.system === true;
  const named = args.home !== undefined || env.home !== undefined;
  return {
    env,
    name: args.name,
    system,
    home: system && !named ? homeAt(join(dirname(machineHome), args.name)) : home,
  };
}

const install = verb({
  name: 'install',
  asRoot: true,
  summary: 'Run px by itself: now, after a failure, and when the machine starts.',
  details:
    'Writes a systemd unit (launchd on a Mac) for this home and starts it. Typed again, it brings the unit up to date. With --system px has a user of its own and the home /var/lib/px.',
  args: {
    ...common,
    user: {
      type: 'string',
      description: 'With --system: who it runs as. Left out: px, who is made when missing.',
      valueHint: 'USER',
    },
    start: { type: 'boolean', default: true, description: 'Only write and enable it; do not start it now.' },
  },
  examples: [
    'px service install',
    'sudo px service install --system',
    'px service install --home ~/work-px --name px-work',
  ],
  async run({ args, ...context }) {
    if (args.user !== undefined && !args.system)
      throw new PxError('usage', '--user belongs to --system.', {
        hint: 'sudo px service install --system --user NAME',
      });
    const { installService } = await load();
    const options = {
      ...optionsOf(context, args),
      ...(args.user === undefined ? {} : { user: args.user }),
      start: args.start,
    };
    const done = await installService(options);
    const { io } = context;
    if (context.json) {
      io.data(done);
      return 0;
    }
    io.line(`${done.file} is written.`);
    const flags = flagsOf(args);
    const { root } = options.home;
    const found = args.system ? root === machineHome : args['home'] === undefined;
    const portal = `${args.system ? 'sudo ' : ''}px ${found ? '' : `--home ${root} `}portal`;
    if (args.start)
      io.line(
        done.url === undefined
          ? `It is started, and does not answer yet: px service status${flags}`
          : `px runs at ${done.url}. Sign in with \`${portal}\`; its log: px service logs -f${flags}`,
      );
    for (const hint of done.hints) io.line(io.dim(hint));
    return 0;
  },
});

const status = verb({
  name: 'status',
  asRoot: true,
  summary: 'Show whether the service is installed and runs. Exit 1 when it does not.',
  args: common,
  examples: ['px service status', 'px service status --system --json'],
  async run({ args, ...context }) {
    const { serviceState } = await load();
    const options = optionsOf(context, args);
    const state = await serviceState(options);
    const client = await connect(options.home);
    const { io } = context;
    if (context.json) {
      io.data({ ...state, url: client?.url ?? null });
      return state.running ? 0 : 1;
    }
    const flags = flagsOf(args);
    const next = !state.installed
      ? `px service install${flags}`
      : state.running
        ? `px service logs -f${flags}`
        : `px service logs${flags}, then px service start${flags}`;
    io.line(
      table([
        ['service', `${state.name}, ${state.manager}, ${state.scope === 'user' ? 'of this user' : 'of the machine'}`],
        ['unit', state.installed ? `${state.file}${state.enabled ? '' : ' (not enabled)'}` : 'not installed'],
        ['state', `${state.detail}${state.pid === undefined ? '' : `, process ${state.pid}`}`],
        ...(state.restarts ? [['restarts', String(state.restarts)]] : []),
        ['address', client?.url ?? 'does not answer'],
        ['next', next],
      ]),
    );
    return state.running ? 0 : 1;
  },
});

const logs = verb({
  name: 'logs',
  asRoot: true,
  summary: 'Show the log of the service.',
  details: 'With --json each line is an object as the journal of systemd has it; launchd keeps lines of text only.',
  args: {
    ...common,
    follow: { type: 'boolean', alias: 'f', description: 'Go on with what comes, until Ctrl-C.' },
    lines: { type: 'string', alias: 'n', default: '100', description: 'How many lines of before.', valueHint: 'N' },
  },
  examples: ['px service logs', 'px service logs -f', 'px service logs -n 500 --system'],
  async run({ args, ...context }) {
    if (!/^\d{1,6}$/.test(args.lines)) throw new PxError('usage', `-n takes a number, not "${args.lines}".`);
    const { serviceLogs } = await load();
    const command = serviceLogs(optionsOf(context, args), Number(args.lines), args.follow === true, context.json);
    // Ctrl-C is for the program that shows the log; px ends with it.
    process.on('SIGINT', () => {});
    const child = Bun.spawn(command, { stdio: ['inherit', 'inherit', 'inherit'] });
    const code = await child.exited;
    return child.signalCode === 'SIGINT' || code === 130 ? 130 : code === 0 ? 0 : 1;
  },
});

const uninstall = verb({
  name: 'uninstall',
  asRoot: true,
  summary: 'Stop the service and take its unit away. The home stays.',
  args: common,
  examples: ['px service uninstall'],
  async run({ args, ...context }) {
    const { uninstallService } = await load();
    const options = optionsOf(context, args);
    const { file } = await uninstallService(options);
    if (context.json) context.io.data({ removed: file });
    else context.io.line(`${file} is gone, and px is stopped. ${options.home.root} stays as it is.`);
    return 0;
  },
});

function control(name: 'start' | 'stop' | 'restart', summary: string, done: string) {
  return verb({
    name,
    asRoot: true,
    summary,
    args: common,
    examples: [`px service ${name}`],
    async run({ args, ...context }) {
      const { controlService } = await load();
      await controlService(name, optionsOf(context, args));
      if (context.json) context.io.data({ [name]: args.name });
      else context.io.line(done);
      return 0;
    },
  });
}

/** `px service …`. */
export const service = group({
  name: 'service',
  summary: 'Run px by itself, under systemd or launchd.',
  examples: ['px service install', 'px service status', 'px service logs -f'],
  verbs: {
    install: async () => install,
    status: async () => status,
    logs: async () => logs,
    start: async () => control('start', 'Start the service.', 'px is started.'),
    stop: async () => control('stop', 'Stop the service: turns that run are finished first.', 'px is stopped.'),
    restart: async () =>
      control('restart', 'Stop and start the service: turns that run are finished first.', 'px is started again.'),
    uninstall: async () => uninstall,
  },
});
