import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { asOwner, type Home, otherOwner } from '../config/config.ts';
import { PxError } from '../error/error.ts';

/** How long one start may take, in ms. */
const wallMs = 60_000;

const Checks = v.object({ checks: v.array(v.object({ name: v.string(), state: v.string(), text: v.string() })) });

/**
 * Starts an executable in a home that is thrown away, with this home's px.yaml: it must say its version, and its doctor must find nothing wrong
 * that the old one does not find wrong as well. Of a home that is not root's, root does not try it out itself: the thrown away one gets the same
 * owner, whom both become. Returns the version. Throws PxError `update.failed`.
 */
export async function tryOut(executable: string, old: string, home: Home): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'px-trial-'));
  try {
    const config = join(root, 'px.yaml');
    const given = readConfig(home);
    if (given) writeFileSync(config, given, { mode: 0o600 });
    const owner = otherOwner(home);
    if (owner) for (const path of given ? [config, root] : [root]) chownSync(path, owner.uid, owner.gid);
    const version = (await start([executable, '--version'], root)).trim();
    if (!/^\d+\.\d+\.\d+\S*$/.test(version))
      throw new PxError(
        'update.failed',
        `The new one does not say its version, but ${JSON.stringify(version.slice(0, 80))}.`,
      );
    const failed = await failures(executable, root);
    if (failed.length === 0) return version;
    const before = (await failures(old, root)).map(({ name }) => name);
    const fresh = failed.find(({ name }) => !before.includes(name));
    if (fresh) throw new PxError('update.failed', `px ${version} does not work here: ${fresh.name}: ${fresh.text}`);
    return version;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function readConfig(home: Home): Uint8Array | undefined {
  using _ = asOwner(home);
  return existsSync(home.config) ? readFileSync(home.config) : undefined;
}

async function failures(executable: string, root: string) {
  const text = await start([executable, '--home', root, 'doctor', '--json'], root, [0, 1]);
  const found = v.safeParse(Checks, parsed(text));
  if (!found.success) throw new PxError('update.failed', 'The doctor of the new one does not answer.');
  return found.output.checks.filter(({ state }) => state === 'fail');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a command says. Its environment holds nothing of this one. */
async function start(command: string[], root: string, good: number[] = [0]): Promise<string> {
  const child = Bun.spawn(command, {
    env: { HOME: root, PATH: '/usr/local/bin:/usr/bin:/bin' },
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: wallMs,
    killSignal: 'SIGKILL',
  });
  const [out, said, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (good.includes(code)) return out;
  const how = child.signalCode ?? `code ${code}`;
  throw new PxError('update.failed', `The new one does not start (${how}): ${said.trim().slice(0, 400)}`);
}
