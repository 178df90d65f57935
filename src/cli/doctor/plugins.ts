import type { Client } from '../../client/client.ts';
import { toPxError } from '../../error/error.ts';
import type { Status } from '../../wire/wire.ts';
import { type Finding, fine } from './finding.ts';

/** Whether each plugin's file is the one that was installed, nothing stopped it, it has what it asks for, and whether a plugin starts at all. */
export async function pluginFindings(client: Client, channels: Status['channels']): Promise<Finding[]> {
  const plugins = await client.plugins();
  if (plugins.length === 0) return [fine('plugins', 'none')];
  const found = (await Promise.all(plugins.map((plugin) => look(client, plugin, channels)))).flat();
  const broken = found.filter((finding) => finding.name !== grants);
  const whole = plugins.filter((plugin) => !broken.some((finding) => finding.name === which(plugin)));
  const names = plugins.map((plugin) => plugin.name).join(', ');
  return [
    ...found,
    ...(broken.length > 0 ? [] : [fine('plugins', `${names}: as they were installed`)]),
    ...(await startFinding(client, whole)),
  ];
}

const grants = 'grants';
const which = (plugin: Plugin) => `plugin ${plugin.name}`;

type Plugin = Awaited<ReturnType<Client['plugins']>>[number];

async function look(client: Client, plugin: Plugin, channels: Status['channels']): Promise<Finding[]> {
  const { name, state, detail, source } = plugin;
  const broken = await client.checkPlugin(name).then(
    () => undefined,
    (thrown: unknown) => toPxError(thrown),
  );
  if (broken) {
    // Only what px carries is known to be the same as before.
    const carried = source === `px:${name}`;
    return [
      {
        name: which(plugin),
        state: 'fail',
        text: broken.message,
        hint: carried ? 'px carries it and can install it again.' : `px plugin add ${source} --replace`,
        ...(carried
          ? { fix: { what: `install ${name} again`, run: () => client.addPlugin(name, { replace: true }) } }
          : {}),
      },
    ];
  }
  if (state === 'quarantined')
    return [
      {
        name: which(plugin),
        state: 'warn',
        text: `it is stopped: ${detail}`,
        hint: `px plugin logs ${name} shows why; then: px plugin resume ${name}`,
        fix: { what: `let ${name} run again`, run: () => client.resumePlugin(name) },
      },
    ];
  const used = channels.some((channel) => channel.plugin === name && channel.state !== 'off');
  return state === 'disabled' ? [] : grantFinding(client, name, used);
}

/** What it asks for and has not got. To grant it is for a person to decide. */
async function grantFinding(client: Client, name: string, used: boolean): Promise<Finding[]> {
  const { asks, functions } = await client.plugin(name);
  const missing = asks.filter((ask) => !ask.granted);
  const [first] = missing;
  // What a connector asks for is of no use while its channel is off.
  if (!first || (!used && functions.some((one) => one.name === 'post-message'))) return [];
  const more = missing.length > 1 ? `, and ${missing.length - 1} more` : '';
  return [
    {
      name: grants,
      state: 'warn',
      text: `${name} asks to ${first.text}${more}, and may not`,
      hint: `px plugin inspect ${name} lists it; if it is to: px plugin grant ${name} --all`,
    },
  ];
}

/** Questions that change nothing, by the function that answers them: px's own clock, and what every tool plugin and connector can tell of itself. */
const questions: [fn: string, args: null[]][] = [
  ['now', [null]],
  ['list-tools', []],
  ['describe', []],
];

/** Starts one plugin for real, the smallest that can be asked something harmless: its process, its lock, its memory, an answer. */
async function startFinding(client: Client, plugins: Plugin[]): Promise<Finding[]> {
  const name = 'plugin start';
  const ready = plugins
    .filter(({ state }) => state === 'idle' || state === 'working')
    .sort((a, b) => a.bytes - b.bytes);
  for (const plugin of ready) {
    const { functions } = await client.plugin(plugin.name);
    const question = questions.find(
      ([fn]) => functions.some((one) => one.name === fn) && (fn !== 'now' || plugin.source === 'px:clock'),
    );
    if (!question) continue;
    try {
      await client.callPlugin(plugin.name, ...question);
      return [fine(name, `${plugin.name} starts, and answers`)];
    } catch (thrown) {
      const { message, hint } = toPxError(thrown);
      return [
        {
          name,
          state: 'fail',
          text: `${plugin.name} was started and does not answer: ${message}`,
          ...(hint ? { hint } : {}),
        },
      ];
    }
  }
  return [];
}
