import { toPxError } from '../error/error.ts';
import { carried } from '../plugin/plugin.ts';
import type { Store } from '../store/store.ts';
import type { Answering } from './answering.ts';
import type { App } from './app.ts';
import { installCarried } from './carried.ts';
import { startIdleTrim, waysToGiveBack } from './trim.ts';

/** What goes on after px is ready. */
export interface Background {
  /** What the first turn should not do without: Ollama looked for, the plugins px carries installed. Done once, when first called. */
  prepare(): Promise<void>;
  /** Takes up what waits and starts connectors, index and watchers; what is heavy begins in the next round of the event loop. */
  start(answering: Answering): void;
  /** Resolves when the work of the start is done. */
  settled(): Promise<void>;
  /** Layers of the sandbox, empty until they are known. */
  layers(): Record<string, string>;
  touch(): void;
  /** A platform answered that there is nothing. */
  stirred(): void;
  close(): void;
}

type Parts = Pick<
  App,
  'config' | 'memory' | 'models' | 'plugins' | 'channels' | 'schedule' | 'bus' | 'log' | 'home' | 'version'
> & { store: Pick<Store, 'shrink'> };

/** Makes the background work of one px. `quiet`: for the time of one verb, without connectors, old messages and watchers. */
export function createBackground(parts: Parts, quiet: boolean): Background {
  const { config, store, memory, models, plugins, channels, schedule, bus, log, home, version } = parts;
  const { executable } = config.env;
  const idle = startIdleTrim(
    bus,
    waysToGiveBack(() => {
      store.shrink();
      memory.shrink();
    }),
  );
  let closed = false;
  let layers: Record<string, string> = {};
  let prepared: Promise<void> | undefined;
  let started = Promise.resolve();

  /** One thing that fails must not keep the rest from starting. */
  const attempt = async (what: string, work: () => unknown) => {
    if (closed) return;
    try {
      await work();
    } catch (thrown) {
      const { code, message } = toPxError(thrown);
      if (!closed) log.warn(`${what} failed: ${message}`, { code });
    }
  };
  const prepare = async () => {
    const undecided = config.current.model.default === 'auto' && models.default.ref.startsWith('offline/');
    await Promise.all([
      attempt('looking for models', () => undecided && models.detect()),
      attempt('installing carried plugins', () => installCarried({ carried, plugins, home, log, version, executable })),
    ]);
  };
  const self = { prepare: () => (prepared ??= prepare()) };

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
    await attempt('starting the index', () => memory.start());
    if (quiet) return;
    await attempt('watching px.yaml', () => config.watch());
    await attempt('starting connectors', () => channels.start());
    await attempt('starting the schedule', () => schedule.start());
    await attempt('starting the clock of plugins', () => plugins.startClock());
    await self.prepare();
    if (!closed) log.info(`model ${models.default.ref}: ${models.default.why}`);
    await attempt('looking at the sandbox', async () => {
      layers = await plugins.layers();
    });
  };

  return {
    ...self,
    start(answering) {
      answering.start({ leftOver: !quiet });
      started = run();
    },
    async settled() {
      await started;
      await self.prepare();
      if (!closed) await memory.settled();
    },
    layers: () => layers,
    touch: idle.touch,
    stirred: idle.stirred,
    close() {
      closed = true;
      idle.close();
      for (const stop of off) stop();
    },
  };
}
