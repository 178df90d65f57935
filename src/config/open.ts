import { PxError, toPxError } from '../error/error.ts';
import type { ConfigStore, Environment, Home } from './config.ts';
import { parseConfig, readConfig } from './load.ts';
import { changedPaths } from './path.ts';
import type { Config } from './schema.ts';
import { watchConfigFile } from './watch.ts';

/** How long an emptied or removed file is given to come back, in ms: between truncating and writing an editor leaves nothing. */
const emptyGraceMs = 300;

/**
 * Loads px.yaml of a home; without a file everything has its default.
 * Throws PxError `config.unreadable`, `config.invalid`, `config.unknown-key`.
 */
export async function openConfig(home: Home, env: Environment): Promise<ConfigStore> {
  let text = await readConfig(home.config);
  let current = await parseConfig(text ?? '', home.config);
  /** The text that was refused last: told once, not at each event of the folder. */
  let refused: string | undefined;
  let problem = '';
  let stopWatching: (() => void) | undefined;
  let closed = false;
  let busy: Promise<unknown> = Promise.resolve();
  const changeListeners = new Set<(config: Config, changed: string[]) => void>();
  const rejectListeners = new Set<(error: unknown) => void>();

  const reject = (error: unknown) => {
    for (const listener of rejectListeners) listener(error);
  };
  const adopt = async (next: string) => {
    const config = await parseConfig(next, home.config);
    text = next;
    refused = undefined;
    problem = '';
    const changed = changedPaths(current, config);
    if (changed.length === 0 || closed) return;
    current = config;
    for (const listener of changeListeners) {
      try {
        listener(config, changed);
      } catch (thrown) {
        // The others still have to hear of it.
        reject(thrown);
      }
    }
  };
  const load = async () => {
    const next = await readConfig(home.config);
    if (next !== undefined) return adopt(next);
    if (text === undefined) return;
    throw new PxError('config.unreadable', 'px.yaml is gone; what it said stays in force until px is restarted', {
      hint: `Put ${home.config} back.`,
      data: { file: home.config },
    });
  };
  /** One at a time, in order. */
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const result = busy.then(work);
    busy = result.catch(() => {});
    return result;
  };
  const noticed = async () => {
    let seen = await readConfig(home.config).catch(() => undefined);
    if (closed) return;
    if ((seen ?? '').trim() === '' && (text ?? '').trim() !== '') {
      await Bun.sleep(emptyGraceMs);
      seen = await readConfig(home.config).catch(() => undefined);
    }
    if (seen === text) problem = '';
    const mark = seen ?? '\0gone';
    if (closed || seen === text || mark === refused) return;
    try {
      await load();
    } catch (error) {
      refused = mark;
      problem = toPxError(error).message;
      reject(error);
    }
  };
  const subscribe = <T>(listeners: Set<T>, listener: T) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };

  return {
    home,
    env,
    get current() {
      return current;
    },
    get problem() {
      return problem;
    },
    onChange: (listener) => subscribe(changeListeners, listener),
    onReject: (listener) => subscribe(rejectListeners, listener),
    reload: () => queued(load),
    watch: () => {
      if (closed || stopWatching) return;
      stopWatching = watchConfigFile(home.config, () => void queued(noticed));
      // What changed between loading and now.
      void queued(noticed);
    },
    set: (path, value) =>
      queued(async () => {
        const { editConfig } = await import('./edit.ts');
        await adopt(await editConfig(home.config, path, value));
      }),
    text: async () => (await readConfig(home.config)) ?? '',
    replace: (next, was) =>
      queued(async () => {
        const { replaceConfig } = await import('./edit.ts');
        await adopt(await replaceConfig(home.config, next, was));
      }),
    close: () => {
      closed = true;
      stopWatching?.();
      changeListeners.clear();
      rejectListeners.clear();
    },
  };
}
