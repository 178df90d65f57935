import { existsSync, readFileSync, rmSync } from 'node:fs';
import { PxError } from '../error/error.ts';
import { checkManager, must, type Place, placeOf, run } from './place.ts';
import type { ServiceOptions, ServiceState } from './service.ts';
import { mark } from './unit.ts';

/** How the service is. Throws PxError `service.unavailable` where there is no service manager. */
export async function serviceState(options: ServiceOptions): Promise<ServiceState> {
  const place = placeOf(options);
  const { manager, scope, name, file } = place;
  const installed = existsSync(file);
  const known = { manager, scope, name, file, installed };
  if (manager === 'launchd') {
    const { code, stdout } = await run([...place.command, 'print', `${place.domain}/${name}`]);
    const state = /^\s*state = (.+)$/m.exec(stdout)?.[1] ?? 'not loaded';
    const pid = Number(/^\s*pid = (\d+)$/m.exec(stdout)?.[1] ?? 0) || undefined;
    return { ...known, enabled: code === 0, running: pid !== undefined, detail: state, pid, restarts: undefined };
  }
  await checkManager(place);
  const wanted = ['ActiveState', 'SubState', 'UnitFileState', 'MainPID', 'NRestarts', 'Result'];
  const text = await must([...place.command, 'show', `${name}.service`, `--property=${wanted.join(',')}`]);
  const found = new Map(text.split('\n').map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]));
  const active = found.get('ActiveState') ?? 'unknown';
  const result = found.get('Result') ?? '';
  return {
    ...known,
    enabled: found.get('UnitFileState') === 'enabled',
    running: ['active', 'reloading', 'activating', 'deactivating'].includes(active),
    detail: `${active} (${active === 'failed' && result !== '' ? result : (found.get('SubState') ?? '')})`,
    pid: Number(found.get('MainPID')) || undefined,
    restarts: Number(found.get('NRestarts') ?? 0),
  };
}

/** Starts, stops or restarts the service; a px that is told to stop finishes its turns first. Throws PxError `service.*`, `not-found`. */
export async function controlService(what: 'start' | 'stop' | 'restart', options: ServiceOptions): Promise<void> {
  const place = installedPlace(options);
  const { name, command, domain, file, scope, uid } = place;
  const flags = scope === 'system' ? ' --system' : '';
  if (place.manager === 'systemd') {
    await checkManager(place);
    // One that failed too often is not started again before this.
    if (what !== 'stop') await run([...command, 'reset-failed', `${name}.service`]);
    await must(
      [...command, what, `${name}.service`],
      scope === 'system' && uid !== 0 ? `sudo px service ${what}${flags}` : `Its log says why: px service logs${flags}`,
    );
    return;
  }
  const target = `${domain}/${name}`;
  const loaded = async () => (await run([...command, 'print', target])).code === 0;
  if (what !== 'start' && (await loaded())) {
    const { code, said } = await run([...command, 'bootout', target]);
    // It does not wait for a px that finishes its turns, and to start one that is not gone is refused.
    if (code !== 0 && code !== inProgress) throw new PxError('service.failed', `launchctl bootout failed: ${said}`);
    for (const end = Date.now() + goneMs; await loaded(); await Bun.sleep(200))
      if (Date.now() > end) throw new PxError('service.failed', `${target} does not end.`);
  }
  if (what === 'stop' || (await loaded())) return;
  await run([...command, 'enable', target]);
  await must(
    [...command, 'bootstrap', domain, file],
    scope === 'system'
      ? undefined
      : 'Sign in at the Mac itself once, or for the whole machine: sudo px service install --system',
  );
}

/** What `launchctl bootout` ends with when the process is still there. */
const inProgress = 36;
/** How long that may take: a little more than ExitTimeOut, in ms. */
const goneMs = 45_000;

/** Stops the service and takes its unit away; the home stays as it is. Throws PxError `not-found`, `service.*`. */
export async function uninstallService(options: ServiceOptions): Promise<{ file: string }> {
  const place = installedPlace(options);
  const { name, command, file } = place;
  if (!readFileSync(file, 'utf8').includes(mark))
    throw new PxError('conflict', `${file} is not of px: it was written by somebody else.`);
  await controlService('stop', options);
  if (place.manager === 'systemd') await must([...command, 'disable', `${name}.service`]);
  rmSync(file, { force: true });
  if (place.manager === 'systemd') await must([...command, 'daemon-reload']);
  return { file };
}

/** The command that shows the service's log; as a JSON object a line where the journal is systemd's. Throws PxError `service.unavailable`, `not-found`. */
export function serviceLogs(options: ServiceOptions, lines: number, follow: boolean, json = false): string[] {
  const place = installedPlace(options);
  if (place.manager === 'launchd') return ['tail', '-n', String(lines), ...(follow ? ['-F'] : []), place.log];
  const unit = place.scope === 'user' ? '--user-unit' : '--unit';
  return [
    'journalctl',
    `${unit}=${place.name}.service`,
    `--lines=${lines}`,
    `--output=${json ? 'json' : 'short-iso'}`,
    // Nothing about logs of the machine, which are not asked for.
    '--quiet',
    follow ? '--follow' : '--no-pager',
  ];
}

function installedPlace(options: ServiceOptions): Place {
  const place = placeOf(options);
  if (existsSync(place.file)) return place;
  const flags = `${place.scope === 'system' ? ' --system' : ''}${place.name === 'px' ? '' : ` --name ${place.name}`}`;
  throw new PxError('not-found', `px is not installed as a service: there is no ${place.file}.`, {
    hint: `${place.scope === 'system' ? 'sudo ' : ''}px service install${flags}`,
  });
}
