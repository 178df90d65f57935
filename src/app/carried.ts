import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Home } from '../config/config.ts';
import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Plugins } from '../plugin/plugin.ts';

/** A plugin in the executable, and the digest of its file. */
interface Carried {
  name: string;
  sha256: string;
  /** Whether a new home gets it without being asked: a tool that few need would be in every request to a model. */
  given: boolean;
}

/** What the install works with. */
export interface CarriedOptions {
  /** Reads what is in the executable: only asked when the build is another than last time. */
  carried(): Promise<Carried[]>;
  plugins: Pick<Plugins, 'add' | 'list'>;
  home: Home;
  log: Log;
  version: string;
  /** The compiled executable; undefined when run from source. */
  executable: string | undefined;
}

/** The build of this executable, by version and file; undefined when run from source, which may change at any time. */
function buildOf(version: string, executable: string | undefined): string | undefined {
  const file = executable === undefined ? undefined : statSync(executable, { throwIfNoEntry: false });
  return file && `${version} ${file.size} ${Math.round(file.mtimeMs)}`;
}

/**
 * Installs the plugins that a new home gets into one that was never offered them, and brings all it has of those px carries up to the
 * version in this executable. One that a person removed stays away; one of the same name from elsewhere is left alone. A failure is logged.
 */
export async function installCarried(options: CarriedOptions): Promise<void> {
  const { plugins, home, log } = options;
  const path = join(home.state, 'carried.json');
  const { build, offered } = readOffered(path);
  const current = buildOf(options.version, options.executable);
  if (current !== undefined && build === current) return;
  let failed = false;
  for (const { name, sha256, given } of await options.carried()) {
    if (offered[name] === sha256) continue;
    const installed = plugins.list().find((plugin) => plugin.name === name);
    const ours = installed?.source === `px:${name}` && installed.sha256 !== sha256;
    const fresh = given && installed === undefined && offered[name] === undefined;
    if (!given && !ours) continue;
    if (fresh || ours) {
      try {
        await plugins.add(name, { replace: true });
      } catch (thrown) {
        const { code, message, hint } = toPxError(thrown);
        log.warn(`plugin ${name} could not be installed: ${message}`, {
          code,
          ...(hint === undefined ? {} : { hint }),
        });
        // One that waits for a person's leave is not tried again at each start: `px plugin update NAME` does it.
        if (code !== 'plugin.asks') {
          failed = true;
          continue;
        }
      }
    }
    offered[name] = sha256;
    write(path, { build, offered });
  }
  write(path, { build: failed ? undefined : current, offered });
}

/** `state/carried.json`. */
const Offered = v.object({
  /** The build that was last looked through without a failure. */
  build: v.optional(v.string()),
  /** Digest of what was offered, by plugin. */
  offered: v.record(v.string(), v.string()),
});
type Offered = v.InferOutput<typeof Offered>;

function write(path: string, value: { build: string | undefined; offered: Offered['offered'] }): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

/** What this home was offered before. Nothing readable means nothing was. */
function readOffered(path: string): Offered {
  try {
    return v.parse(Offered, JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return { offered: {} };
  }
}
