import { readFileSync } from 'node:fs';
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
  app: Pick<App, 'version' | 'home' | 'models' | 'memory' | 'channels' | 'plugins' | 'sessions' | 'config'>,
  pids: ReadonlyMap<string, number>,
  layers: Record<string, string>,
): Status {
  const { ref, why } = app.models.default;
  const { user, system } = process.cpuUsage();
  const running = app.sessions.running().length;
  const open = app.channels.inbox().filter((message) => message.state === 'waiting').length;
  return {
    version: app.version,
    home: app.home.root,
    pid: process.pid,
    uptimeMs: Math.round(process.uptime() * 1000),
    model: { ref, offline: ref.startsWith('offline/'), note: why },
    config: { problem: app.config.problem },
    memory: { rssBytes: process.memoryUsage.rss(), ...app.memory.stats() },
    cpuMs: Math.round((user + system) / 1000),
    // A message whose turn runs is open until it is answered.
    queue: { running, waiting: Math.max(0, open - running) },
    channels: app.channels.states(),
    plugins: app.plugins.list().map(({ name, state, detail }) => {
      const pid = pids.get(name) ?? null;
      return { name, state, detail, pid, rssBytes: pid === null ? null : residentBytes(pid) };
    }),
    sandbox: { mode: app.config.current.sandbox.mode, layers },
  };
}

/** Memory of a process as Linux tells; null elsewhere, and when it has just ended. */
function residentBytes(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
