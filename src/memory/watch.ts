import { type FSWatcher, watch } from 'node:fs';
import { sep } from 'node:path';

/** Changes are handed on this long after the last one, in ms, and at the latest after `most`. */
const wait = { calm: 60, most: 400 };

/** Watches a folder and all below. Calls `touched` for each path and `calm` when a burst of changes is over. */
export function watchFolder(
  root: string,
  listener: { touched: (path: string) => void; calm: () => void; failed: (error: unknown) => void },
): { nudge(): void; close(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let since = 0;
  let watcher: FSWatcher | undefined;
  const nudge = () => {
    const now = performance.now();
    if (timer === undefined) since = now;
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        timer = undefined;
        listener.calm();
      },
      Math.max(0, Math.min(wait.calm, since + wait.most - now)),
    );
    timer.unref();
  };
  try {
    watcher = watch(root, { recursive: true, persistent: false }, (_, name) => {
      if (name === null) return;
      listener.touched(name.split(sep).join('/'));
      nudge();
    });
    watcher.on('error', (error) => listener.failed(error));
  } catch (error) {
    listener.failed(error);
  }
  return {
    nudge,
    close() {
      clearTimeout(timer);
      watcher?.close();
    },
  };
}
