import type { Client } from '../../client/client.ts';
import { toPxError } from '../../error/error.ts';
import { type Finding, fine } from './finding.ts';

/** Whether each plugin's file is the one that was installed, nothing stopped it, and what it asks for is decided. */
export async function pluginFindings(client: Client): Promise<Finding[]> {
  const plugins = await client.plugins();
  const found = await Promise.all(plugins.map((plugin) => look(client, plugin)));
  const bad = found.flat();
  if (bad.length > 0) return bad;
  const names = plugins.map((plugin) => plugin.name);
  return [fine('plugins', names.length === 0 ? 'none' : `${names.join(', ')}: as they were installed`)];
}

type Plugin = Awaited<ReturnType<Client['plugins']>>[number];

async function look(client: Client, { name, state, detail, source }: Plugin): Promise<Finding[]> {
  const plugin = `plugin ${name}`;
  const broken = await client.checkPlugin(name).then(
    () => undefined,
    (thrown: unknown) => toPxError(thrown),
  );
  if (broken) {
    // Only what px carries is known to be the same as before.
    const carried = source === `px:${name}`;
    return [
      {
        name: plugin,
        state: 'fail',
        text: broken.message,
        hint: carried ? 'px carries it and can install it again.' : `px plugin add ${source} --replace`,
        ...(carried
          ? { fix: { what: `install ${name} again`, run: () => client.addPlugin(name, { replace: true }) } }
          : {}),
      },
    ];
  }
  if (state !== 'quarantined') return [];
  return [
    {
      name: plugin,
      state: 'warn',
      text: `it is stopped: ${detail}`,
      hint: `px plugin logs ${name} shows why; then: px plugin resume ${name}`,
      fix: { what: `let ${name} run again`, run: () => client.resumePlugin(name) },
    },
  ];
}
