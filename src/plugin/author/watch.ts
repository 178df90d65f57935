import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Folders whose content a build makes or a package manager brings. */
const made = /^(node_modules|target|wit_world|__pycache__|build|dist)$/;
/** Files that a build writes beside its sources. */
const written = /^(Cargo\.lock|go\.sum|.*\.(wasm|sig|pyc|pyi))$|~$/;
/** More files than a plugin has; further ones are not looked at. */
const maxFiles = 5000;

/**
 * What the sources in a folder look like now: it differs when one was changed, added or taken away. Hidden files, packages, what a build
 * makes and `apart` (files and folders, by their paths) are left out, so that a build never looks like a change, nor what px itself writes.
 */
export function fingerprint(folder: string, apart: ReadonlySet<string>): string {
  const seen: string[] = [];
  const look = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const { name } = entry;
      if (name.startsWith('.') || seen.length > maxFiles) continue;
      const path = join(at, name);
      if (apart.has(path)) continue;
      if (entry.isDirectory()) {
        if (!made.test(name)) look(path);
      } else if (!written.test(name)) {
        // Gone between the two looks is a change, too.
        const { mtimeMs = 0, size = -1 } = statSync(path, { throwIfNoEntry: false }) ?? {};
        seen.push(`${path} ${mtimeMs} ${size}`);
      }
    }
  };
  look(folder);
  return new Bun.CryptoHasher('sha256').update(seen.sort().join('\n')).digest('hex');
}

/** Resolves when the sources are not as they were, and have been at rest for a moment; at once when that is so now. */
export async function changed(look: () => string, was: string, signal: AbortSignal): Promise<string> {
  for (let last = was; !signal.aborted; ) {
    const now = look();
    if (now !== was && now === last) return now;
    last = now;
    await Bun.sleep(lookEveryMs);
  }
  return was;
}

/** Between two looks, in ms: an editor that writes a file in several steps is done by then. */
const lookEveryMs = 150;
