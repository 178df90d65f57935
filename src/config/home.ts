import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PxError } from '../error/error.ts';
import type { Environment, Home } from './config.ts';
import { starterConfig } from './starter.ts';

/** The folders and files of a home at this place. */
export function homeAt(root: string): Home {
  const at = resolve(root);
  return {
    root: at,
    config: join(at, 'px.yaml'),
    memory: join(at, 'memory'),
    plugins: join(at, 'plugins'),
    state: join(at, 'state'),
  };
}

/** The home of a px that runs for the whole machine (`px service install --system`). */
export const machineHome = '/var/lib/px';

/**
 * Where this px lives. The first that holds:
 * 1. `--home DIR`;
 * 2. `PX_HOME`;
 * 3. the folder of the executable, when only its owner (or a group) can write to it and it either holds a `px.yaml`, or is
 *    writable for us and is a folder of its own: not on `PATH`, not named like a place for programs or downloads, not the user's
 *    home folder itself;
 * 4. `~/.px`, or for root who has none: {@link machineHome}, when it is there.
 * The executable is never `bun` itself. Nothing is made or changed.
 */
export function resolveHome(env: Environment, flag?: string): Home {
  if (flag !== undefined && flag.trim() === '')
    throw new PxError('usage', '--home needs a folder', { hint: 'Type `px --home DIR …`.' });
  const chosen = flag ?? env.home;
  if (chosen !== undefined) return homeAt(expand(chosen, env));
  const beside = env.executable && dirname(env.executable);
  if (beside && isOwnFolder(beside, env)) return homeAt(beside);
  const own = join(env.userHome, '.px');
  return homeAt(process.geteuid?.() === 0 && !existsSync(own) && existsSync(machineHome) ? machineHome : own);
}

/** `~` is written by people in files that no shell expands (a service's unit, a crontab). */
function expand(path: string, env: Environment): string {
  return path === '~' || path.startsWith('~/') ? join(env.userHome, path.slice(1)) : path;
}

const sharedNames = new Set(['bin', 'sbin', '.bin', 'libexec', 'downloads', 'desktop', 'tmp']);
const system = /^\/(?:bin|sbin|boot|dev|etc|lib\w*|proc|run|sys|usr|snap|nix)(?:\/|$)|^\/$/;

function isOwnFolder(folder: string, env: Environment): boolean {
  try {
    const real = realpathSync(folder);
    // Whoever may write there could plant a px.yaml.
    if (statSync(real).mode & 0o002) return false;
    if (existsSync(join(real, 'px.yaml'))) return true;
    if (system.test(real) || sharedNames.has(basename(real).toLowerCase())) return false;
    const onPath = (env.get('PATH') ?? '').split(':').filter((entry) => entry !== '');
    if ([env.userHome, ...onPath].some((entry) => sameFolder(entry, real))) return false;
    accessSync(real, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function sameFolder(path: string, real: string): boolean {
  try {
    return realpathSync(path) === real;
  } catch {
    return false;
  }
}

/**
 * Makes what is missing of a home: its folders (0700) and a px.yaml whose every line is a comment. `created` tells whether
 * there was no px.yaml. Throws PxError `config.unreadable` when the place cannot be written.
 */
export async function initHome(home: Home): Promise<{ created: boolean }> {
  try {
    for (const folder of [home.root, home.memory, home.plugins, home.state])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Keys and messages in flight: closed even when somebody made the folder before us.
    chmodSync(home.state, 0o700);
    writeFileSync(home.config, starterConfig, { flag: 'wx', mode: 0o600 });
    return { created: true };
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST' && existsSync(home.config))
      return { created: false };
    throw new PxError('config.unreadable', `the home ${home.root} cannot be made: ${message(thrown)}`, {
      cause: thrown,
      hint: 'Choose a folder you may write to: `px --home DIR …`.',
    });
  }
}

function message(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
