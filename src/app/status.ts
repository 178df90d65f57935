import type { Bus, Status } from '../wire/wire.ts';
import type { App } from './app.ts';

/** The processes of plugins that are working, by plugin, as the bus tells. */
export function watchPids(bus: Bus): ReadonlyMap<string, number> {
  const pids = new Map<string, number>();
  bus.on((event) => {
    if (event.type === 'plugin.started') pids.set(event.plugin, event.pid);
    if (event.type === 'plugin.stopped') pids.delete(event.plugin);
  });
  return pids;
}

/** What px is doing now. `layers` are those of the sandbox, once known. */
export function statusOf(
  app: Pick<App, 'version' | 'home' | 'models' | 'memory' | 'channels' | 'plugins' | 'config'>,
  pids: ReadonlyMap<string, number>,
  layers: Record<string, string>,
): Status {
  const { ref, why } = app.models.default;
  return {
    version: app.version,
    home: app.home.root,
    pid: process.pid,
    uptimeMs: Math.round(process.uptime() * 1000),
    model: { ref, offline: ref.startsWith('offline/'), note: why },
    config: { problem: app.config.problem },
    memory: { rssBytes: process.memoryUsage.rss(), ...app.memory.stats() },
    channels: app.channels.states(),
    plugins: app.plugins.list().map(({ name, state }) => ({ name, state, pid: pids.get(name) ?? null })),
    sandbox: { mode: app.config.current.sandbox.mode, layers },
  };
}
