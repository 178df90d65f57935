import { join } from 'node:path';
import { PxError } from '../error/error.ts';
import type { Manager, ServiceOptions } from './service.ts';

/** The service manager of this machine, and where it keeps what is about this service. */
export interface Place {
  manager: Manager;
  scope: 'user' | 'system';
  name: string;
  /** The unit or property list. */
  file: string;
  uid: number;
  /** `systemctl --user` or `launchctl`, as words. */
  command: string[];
  /** launchd only: `gui/501`, `system`. */
  domain: string;
  /** launchd only, journald has it otherwise: where the log goes. */
  log: string;
}

const namePattern = /^[a-z][a-z0-9-]{0,40}$/;

/** Where the service belongs; nothing is run or changed. Throws PxError `usage`, `service.unavailable`. */
export function placeOf(options: ServiceOptions): Place {
  const { env, name = 'px', system = false } = options;
  const platform = options.platform ?? process.platform;
  const uid = options.uid ?? process.getuid?.() ?? 0;
  const scope = system ? 'system' : 'user';
  if (!namePattern.test(name))
    throw new PxError('usage', `${JSON.stringify(name)} is no name for a service.`, {
      hint: 'Use small letters, digits and `-`: --name px-work.',
    });
  const tool = (command: string) => Bun.which(command, { PATH: env.get('PATH') ?? '' });
  if (platform === 'darwin') {
    const launchctl = tool('launchctl') ?? '/bin/launchctl';
    const library = system ? '/Library' : join(env.userHome, 'Library');
    const file = join(library, system ? 'LaunchDaemons' : 'LaunchAgents', `${name}.plist`);
    const domain = system ? 'system' : `gui/${uid}`;
    const log = join(library, 'Logs', `${name}.log`);
    return { manager: 'launchd', scope, name, file, uid, command: [launchctl], domain, log };
  }
  const systemctl = platform === 'linux' ? tool('systemctl') : null;
  if (!systemctl) throw unavailable(platform === 'linux' ? 'systemctl is not on PATH' : `px knows none on ${platform}`);
  const folder = system
    ? '/etc/systemd/system'
    : join(env.get('XDG_CONFIG_HOME') || join(env.userHome, '.config'), 'systemd/user');
  const command = system ? [systemctl] : [systemctl, '--user'];
  return { manager: 'systemd', scope, name, file: join(folder, `${name}.service`), uid, command, domain: '', log: '' };
}

/** Refuses where the manager itself does not answer. Throws PxError `service.unavailable`. */
export async function checkManager(place: Place): Promise<void> {
  if (place.manager === 'launchd') return;
  const answer = await run([...place.command, 'show', '--property=Version']);
  if (answer.code === 0) return;
  const why = answer.said.split('\n')[0] ?? '';
  if (place.scope === 'user' && /bus|medium|XDG_RUNTIME_DIR/i.test(why))
    throw new PxError('service.unavailable', `systemd does not answer for this user: ${why}`, {
      hint: 'Sign in as this user (ssh, not su or sudo) and type it again, or for the whole machine: sudo px service install --system',
    });
  throw unavailable(why);
}

function unavailable(why: string): PxError {
  return new PxError('service.unavailable', `There is no service manager px can work with here: ${why}`, {
    hint: 'Let what starts your programs run `px serve` and restart it when it ends (OpenRC, runit, a container); or for now: nohup px serve >px.log 2>&1 &',
  });
}

/** What a command said. */
interface Ran {
  code: number;
  stdout: string;
  /** Its words on standard error, or else on standard output, without space around. */
  said: string;
}

/** Runs a command of the service manager. Never throws: a command that cannot be started has code 127. */
export async function run(command: string[]): Promise<Ran> {
  try {
    const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, said: stderr.trim() || stdout.trim() };
  } catch (thrown) {
    return { code: 127, stdout: '', said: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** The same, for what must succeed. Throws PxError `service.failed`. */
export async function must(command: string[], hint?: string): Promise<string> {
  const { code, stdout, said } = await run(command);
  if (code === 0) return stdout;
  const [program = '', ...words] = command;
  throw new PxError(
    'service.failed',
    `${[program.split('/').at(-1), ...words].join(' ')} failed: ${said || `code ${code}`}`,
    {
      ...(hint === undefined ? {} : { hint }),
    },
  );
}
