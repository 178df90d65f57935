import { existsSync, linkSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../client/client.ts';
import { asOwner, type Environment, type Home } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import { nameOfKey } from '../plugin/plugin.ts';
import { controlService, type ServiceOptions, serviceState } from '../service/service.ts';
import { snapshotDatabase } from '../store/store.ts';
import { stageRelease } from './stage.ts';
import { tryOut } from './trial.ts';
import type { Updated, UpdateOptions } from './update.ts';

/** How long a px that was started again may take until it can take messages, in ms. */
const readyMs = 60_000;

/**
 * Puts a new px in the place of this one: signature and machine checked, tried out in a home that is thrown away, moved into place in one step, the
 * service started with it and watched until it is ready. When it does not get ready, the old one is put back and started again, and `px.db` with
 * it where the new one has made it one that the old one cannot read.
 * Throws PxError `update.signature`, `update.failed`, `conflict`, `service.*`.
 */
export async function updatePx(options: UpdateOptions): Promise<Updated> {
  const { home, env, version, source, step = () => {} } = options;
  const executable = executableOf(env);
  const next = `${executable}.new`;
  try {
    step(`fetching ${source}`);
    const { sha256, signer } = await stageRelease(source, next, options, step);
    step('starting it in a home that is thrown away');
    const to = await tryOut(next, executable, home);
    if (!options.force && Bun.semver.order(to, version) <= 0)
      throw new PxError('conflict', `${source} is px ${to}, and this is px ${version}.`, {
        hint: 'Older ones may lack repairs. If you want it all the same, add --force.',
      });
    const known = {
      from: version,
      to,
      signer: await nameOfKey(signer, options.keys),
      sha256,
      executable,
      old: oldOf(executable),
    };
    if (options.check) return { ...known, changed: false, daemon: 'none' };
    const running = await findRunning(home, env);
    keepDatabase(home);
    replace(executable, next);
    const { service } = running;
    if (!service) return { ...known, changed: true, ...foreground(running.pid) };
    step('starting the service again');
    try {
      await restart(service, home, to);
    } catch (thrown) {
      step('putting the old one back');
      renameSync(known.old, executable);
      const back = await restart(service, home, version)
        .catch(() => restartWithDatabase(service, home, version))
        .then(
          (without) => `px ${version} is back and runs${without ?? ''}.`,
          (again: unknown) => `px ${version} is back, but does not start either: ${toPxError(again).message}`,
        );
      throw new PxError('update.failed', `px ${to} did not get ready: ${toPxError(thrown).message} ${back}`, {
        hint: `Its log says why: px service logs${service.system ? ' --system' : ''}${service.name === 'px' ? '' : ` --name ${service.name}`}`,
        cause: thrown,
      });
    }
    return { ...known, changed: true, daemon: 'restarted' };
  } finally {
    rmSync(next, { force: true });
  }
}

/** Puts the px back that was there before the last update. Throws PxError `not-found`, `update.failed`, `service.*`. */
export async function rollBackPx({
  home,
  env,
}: {
  home: Home;
  env: Environment;
}): Promise<Pick<Updated, 'executable' | 'daemon' | 'pid'>> {
  const executable = executableOf(env);
  const old = oldOf(executable);
  if (!existsSync(old)) throw new PxError('not-found', `There is no ${old} to go back to.`);
  const running = await findRunning(home, env);
  renameSync(old, executable);
  if (!running.service) return { executable, ...foreground(running.pid) };
  await restart(running.service, home);
  return { executable, daemon: 'restarted' };
}

const oldOf = (executable: string) => `${executable}.old`;

function executableOf(env: Environment): string {
  if (env.executable !== undefined) return realpathSync(env.executable);
  throw new PxError('update.failed', 'Only the compiled px can be updated.', { hint: 'git pull && scripts/build' });
}

/** The new file takes the old one's name in one step; the old one keeps a name of its own. */
function replace(executable: string, next: string): void {
  try {
    rmSync(oldOf(executable), { force: true });
    linkSync(executable, oldOf(executable));
    renameSync(next, executable);
  } catch (cause) {
    throw new PxError('update.failed', `${executable} cannot be replaced: ${String(cause)}`, {
      cause,
      hint: 'Type it as the user who owns that folder: sudo px update …',
    });
  }
}

const databaseOf = ({ state }: Home) => {
  const db = join(state, 'px.db');
  return { db, kept: `${db}.before-update`, newer: `${db}.of-newer` };
};

/** A px.db that a newer px has changed is refused by an older one: as it was before, it is kept beside it. */
function keepDatabase(home: Home): void {
  using _ = asOwner(home);
  const { db, kept } = databaseOf(home);
  rmSync(kept, { force: true });
  if (existsSync(db)) snapshotDatabase(db, kept);
}

/** The same with px.db as it was when the update began. The one of the newer px, which never got ready, is kept under another name. */
async function restartWithDatabase(service: ServiceOptions, home: Home, version: string): Promise<string> {
  await controlService('stop', service);
  const { db, kept, newer } = databaseOf(home);
  {
    using _ = asOwner(home);
    for (const end of ['', '-wal', '-shm']) {
      rmSync(newer + end, { force: true });
      if (existsSync(db + end)) renameSync(db + end, newer + end);
    }
    renameSync(kept, db);
  }
  await restart(service, home, version);
  return `, with px.db as it was before (the other is ${newer})`;
}

interface Running {
  pid?: number;
  /** The service it runs as; left out when it is none. */
  service?: ServiceOptions;
}

/** The px that runs for this home, and which service it is. */
async function findRunning(home: Home, env: Environment): Promise<Running> {
  const client = await connect(home);
  if (!client) return {};
  const { pid } = await client.status();
  for (const system of [false, true]) {
    const service = { home, env, system, name: serviceNameOf(pid) };
    const state = await serviceState(service).catch(() => undefined);
    if (state?.running && state.pid === pid) return { pid, service };
  }
  return { pid };
}

/** The unit a process belongs to, as its control group says; `px` where there are none. */
function serviceNameOf(pid: number): string {
  try {
    return /\/([a-z][a-z0-9-]{0,40})\.service$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? 'px';
  } catch {
    return 'px';
  }
}

const foreground = (pid: number | undefined) =>
  pid === undefined ? { daemon: 'none' as const } : { daemon: 'yours' as const, pid };

/** Starts the service again, and waits until it can take messages and is of this version. */
async function restart(service: ServiceOptions, home: Home, version?: string): Promise<void> {
  await controlService('restart', service);
  const end = Date.now() + readyMs;
  for (;;) {
    const client = await connect(home);
    const status = client && (await client.status().catch(() => undefined));
    if (client && status && (version === undefined || status.version === version)) {
      const ready = await fetch(`${client.url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (ready) return;
    }
    if (Date.now() > end) throw new PxError('update.failed', 'It does not answer.');
    await Bun.sleep(200);
  }
}
