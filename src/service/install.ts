import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { connect } from '../client/client.ts';
import { PxError } from '../error/error.ts';
import { controlService, serviceState } from './manage.ts';
import { checkManager, must, type Place, placeOf, run } from './place.ts';
import { plistText } from './plist.ts';
import type { Installed, InstallOptions } from './service.ts';
import { isBelowHomes, mark, unitText } from './unit.ts';

/** How long a px that was just started is waited for, in ms. */
const readyMs = 15_000;

/**
 * Makes px of this home a service that starts with the machine (or when the user signs in), starts again when it fails, and starts it now.
 * Doing it again brings the unit up to date. Throws PxError `service.unavailable`, `service.failed`, `conflict`, `usage`.
 */
export async function installService(options: InstallOptions): Promise<Installed> {
  const { home, env, start = true } = options;
  const place = placeOf(options);
  const { executable } = env;
  if (executable === undefined)
    throw new PxError('service.unavailable', 'Only the compiled px can be a service.', {
      hint: 'Build it with scripts/build, and type dist/px service install',
    });
  await checkManager(place);
  const foreign = existsSync(place.file) && !readFileSync(place.file, 'utf8').includes(mark);
  if (foreign)
    throw new PxError('conflict', `${place.file} is not of px: it was written by somebody else.`, {
      hint: 'Name the service otherwise: px service install --name px-2',
    });
  const user = place.scope === 'system' ? await systemUser(options, place, executable) : undefined;
  const before = await serviceState(options);
  const other = before.running ? undefined : await connect(home);
  if (other && start) {
    const { pid } = await other.status();
    throw new PxError('conflict', `px runs for ${home.root} already (process ${pid}), and not as this service.`, {
      hint: `Stop it first: kill ${pid}`,
    });
  }

  const parts = { executable, home: home.root, ...(user === undefined ? {} : { user }) };
  const { name, log } = place;
  const text = place.manager === 'systemd' ? unitText(parts) : plistText({ ...parts, name, log });
  writeWhole(place.file, text);
  if (place.manager === 'systemd') {
    await must([...place.command, 'daemon-reload']);
    await must([...place.command, 'enable', `${name}.service`]);
  }
  if (start) await controlService('restart', options);
  const url = start ? await answered(options) : undefined;
  const { manager, scope, file } = place;
  return {
    manager,
    scope,
    name,
    file,
    ...(url === undefined ? {} : { url }),
    hints: await hintsFor(options, place, user),
  };
}

/** Who a service of the whole machine runs as: there, and owner of the home. */
async function systemUser(options: InstallOptions, place: Place, executable: string): Promise<string> {
  const { home, user = 'px' } = options;
  const again = `sudo ${executable} service install --system`;
  if (place.uid !== 0)
    throw new PxError('usage', 'A service of the whole machine is installed by root.', { hint: again });
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user))
    throw new PxError('usage', `${JSON.stringify(user)} is no name of a user.`);
  const find = async () => {
    const [uid, gid] = await Promise.all([run(['id', '-u', user]), run(['id', '-g', user])]);
    return uid.code === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
  };
  let found = await find();
  if (!found && place.manager === 'systemd') {
    const shell = existsSync('/usr/sbin/nologin') ? '/usr/sbin/nologin' : '/bin/false';
    await must([
      'useradd',
      '--system',
      '--user-group',
      '--home-dir',
      home.root,
      '--no-create-home',
      '--shell',
      shell,
      user,
    ]);
    found = await find();
  }
  if (!found) throw new PxError('not-found', `There is no user ${user} here.`, { hint: `${again} --user NAME` });
  if (isBelowHomes(executable) && ![0, found.uid].includes(statSync(executable).uid))
    throw new PxError(
      'service.failed',
      `${executable} belongs to neither root nor ${user}: who owns it could change what the machine runs.`,
      {
        hint: `sudo install -m 755 ${executable} /usr/local/bin/px && sudo px service install --system`,
      },
    );
  if (!existsSync(home.root)) {
    mkdirSync(home.root, { recursive: true, mode: 0o700 });
    chownSync(home.root, found.uid, found.gid);
  } else if (statSync(home.root).uid !== found.uid)
    throw new PxError('conflict', `${home.root} belongs to somebody else than ${user}.`, {
      hint: `Choose its owner with --user, or: sudo chown -R ${user}: ${home.root}`,
    });
  return user;
}

function writeWhole(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, text, { mode: 0o644 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new PxError('service.failed', `${path} cannot be written.`, { cause });
  }
}

/** The address of the px that was started, once it answers. */
async function answered({ home }: InstallOptions): Promise<string | undefined> {
  const end = Date.now() + readyMs;
  for (;;) {
    const client = await connect(home);
    if (client) return client.url;
    if (Date.now() > end) return undefined;
    await Bun.sleep(100);
  }
}

async function hintsFor(
  { env, start = true }: InstallOptions,
  place: Place,
  user: string | undefined,
): Promise<string[]> {
  const hints: string[] = [];
  if (!start) hints.push(`Start it: px service start${place.scope === 'system' ? ' --system' : ''}`);
  const keys = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY'].filter((key) => env.get(key));
  for (const key of keys) hints.push(`A service does not see ${key} of your shell. Store it: px secret set ${key}`);
  if (place.manager === 'systemd' && user === undefined) {
    const lingers = await run(['loginctl', 'show-user', String(place.uid), '--property=Linger', '--value']);
    if (lingers.stdout.trim() !== 'yes')
      hints.push(
        'It runs while you are signed in. For always, also after a restart of the machine: loginctl enable-linger',
      );
  }
  return hints;
}
