import { type FSWatcher, statfsSync, watch } from 'node:fs';
import { sep } from 'node:path';

/** Changes are handed on this long after the last one, in ms, and at the latest after `most`. */
const wait = { calm: 60, most: 400 };

/** File systems on which others change files without this system hearing of it, as Linux numbers them: NFS, SMB, CIFS, SMB2, FUSE, 9p, VirtualBox, Ceph. */
const silent = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x786f4256, 0x00c36400]);

/**
 * Watches a folder and all below. Calls `touched` for each path and `calm` when a burst of changes is over, and `failed` when changes may not be heard of, at once or
 * later.
 */
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
    if (process.platform === 'linux' && silent.has(statfsSync(root).type >>> 0))
      listener.failed(new Error('others may change this file system'));
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
