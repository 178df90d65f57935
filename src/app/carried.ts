import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../config/config.ts';
import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Plugins } from '../plugin/plugin.ts';

/** A plugin in the executable, and the digest of its file. */
export interface Carried {
  name: string;
  sha256: string;
}

/**
 * Installs the plugins px carries into a home that was never offered them, and brings those it has up to the version in this
 * executable. One that a person removed stays away; one of the same name from elsewhere is left alone. A failure is logged.
 */
export async function installCarried(
  carried: Carried[],
  { plugins, home, log }: { plugins: Pick<Plugins, 'add' | 'list'>; home: Home; log: Log },
): Promise<void> {
  const path = join(home.state, 'carried.json');
  const offered = readOffered(path);
  for (const { name, sha256 } of carried) {
    if (offered[name] === sha256) continue;
    const installed = plugins.list().find((plugin) => plugin.name === name);
    const ours = installed !== undefined && offered[name] !== undefined && installed.sha256 === offered[name];
    const fresh = installed === undefined && offered[name] === undefined;
    if (fresh || ours) {
      const begun = performance.now();
      try {
        const info = await plugins.add(name, { replace: true });
        log.info(`plugin ${name} ${info.version} ${fresh ? 'installed' : 'updated'}`, {
          ms: Math.round(performance.now() - begun),
        });
      } catch (thrown) {
        const { code, message, hint } = toPxError(thrown);
        log.warn(`plugin ${name} could not be installed: ${message}`, {
          code,
          ...(hint === undefined ? {} : { hint }),
        });
        continue;
      }
    }
    offered[name] = sha256;
    writeFileSync(path, `${JSON.stringify(offered, null, 2)}\n`, { mode: 0o600 });
  }
}

/** What this home was offered before: digests by name. Nothing readable means nothing was. */
function readOffered(path: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).flatMap(([k, v]) => (typeof v === 'string' ? [[k, v]] : [])));
  } catch {
    return {};
  }
}
