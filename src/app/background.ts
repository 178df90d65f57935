import { toPxError } from '../error/error.ts';
import { carried } from '../plugin/plugin.ts';
import type { Answering } from './answering.ts';
import type { App } from './app.ts';
import { installCarried } from './carried.ts';
import { startIdleTrim } from './trim.ts';

/** What goes on after px is ready. */
export interface Background {
  /** Resolves when the work of the start is done. */
  settled: Promise<void>;
  /** Layers of the sandbox, empty until they are known. */
  layers(): Record<string, string>;
  touch(): void;
  close(): void;
}

type Parts = Pick<App, 'config' | 'memory' | 'models' | 'plugins' | 'channels' | 'bus' | 'log' | 'home'>;

/**
 * Starts what must not delay the start: the index, the watcher of px.yaml, the look for Ollama, connectors, and the plugins px
 * carries. It begins in the next round of the event loop, when whoever started px can already listen.
 */
export function background(parts: Parts, options: { connect: boolean; answering: Answering }): Background {
  const { config, memory, models, plugins, channels, bus, log, home } = parts;
  const idle = startIdleTrim(bus);
  let closed = false;
  let layers: Record<string, string> = {};

  const off = [
    config.onChange((current, keys) => {
      log.setLevel(current.log.level);
      log.info('px.yaml changed', { keys });
      bus.emit({ type: 'config.changed', keys });
    }),
    config.onReject((thrown) => {
      const error = toPxError(thrown);
      log.error(`px.yaml was not taken over: ${error.message}`, { code: error.code, hint: error.hint ?? '' });
      bus.emit({ type: 'config.rejected', error: error.toJSON() });
    }),
  ];

  const run = async () => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (closed) return;
    config.watch();
    memory.start();
    await attempt('looking for models', () => models.detect());
    if (closed) return;
    log.info(`model ${models.default.ref}: ${models.default.why}`);
    options.answering.start();
    if (options.connect) channels.start();
    await attempt('installing carried plugins', async () => installCarried(await carried(), { plugins, home, log }));
    await attempt('looking at the sandbox', async () => {
      layers = await plugins.layers();
    });
    if (!closed) await memory.settled();
  };
  /** One thing that fails must not keep the rest from starting. */
  const attempt = async (what: string, work: () => Promise<void>) => {
    if (closed) return;
    try {
      await work();
    } catch (thrown) {
      const { code, message } = toPxError(thrown);
      if (!closed) log.warn(`${what} failed: ${message}`, { code });
    }
  };

  return {
    settled: run(),
    layers: () => layers,
    touch: idle.touch,
    close() {
      closed = true;
      idle.close();
      for (const stop of off) stop();
    },
  };
}
