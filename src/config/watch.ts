import { type FSWatcher, lstatSync, realpathSync, unwatchFile, watch, watchFile } from 'node:fs';
import { dirname } from 'node:path';

/** How long a file has to be quiet before it is read, in ms: an editor writes, truncates and renames in several steps. */
const quietMs = 50;
const pollMs = 1_000;

/**
 * Calls back when a file may have changed, also when an editor replaces it by another one: the folder is watched, not the
 * file. Where it is a symbolic link, the folder of what it points to is watched too; where the system cannot watch, it is
 * looked at once a second. Returns stop.
 */
export function watchConfigFile(file: string, changed: () => void): () => void {
  const watchers: FSWatcher[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let polling = false;
  const touched = () => {
    clearTimeout(timer);
    timer = setTimeout(changed, quietMs);
  };
  const poll = () => {
    if (polling) return;
    polling = true;
    watchFile(file, { interval: pollMs, persistent: false }, touched);
  };
  for (const folder of folders(file)) {
    try {
      const watcher = watch(folder, { persistent: false }, touched);
      watcher.on('error', poll);
      watchers.push(watcher);
    } catch {
      poll();
    }
  }
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
    if (polling) unwatchFile(file, touched);
  };
}

function folders(file: string): Set<string> {
  const found = new Set([dirname(file)]);
  try {
    if (lstatSync(file).isSymbolicLink()) found.add(dirname(realpathSync(file)));
  } catch {
    // There is no file yet: its folder tells when it comes.
  }
  return found;
}
