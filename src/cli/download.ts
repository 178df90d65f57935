import type { Backend } from './backend.ts';
import type { Io } from './io.ts';
import { type Progress, withProgress } from './progress.ts';

/** Nothing came for so long, in ms: the download is over, or has not begun. */
const quiet = 800;

/** Shows a person at a terminal how far a download has come that belongs to this work of px, and that the plugin is looked at. */
export async function withDownload<T>(io: Io, backend: Backend, work: () => Promise<T>): Promise<T> {
  if (!io.watched) return work();
  let seen: { host: string; at: number; progress: Progress } | undefined;
  const now = () => (seen && Date.now() - seen.at < quiet ? seen : undefined);
  const stop = backend.watch((event) => {
    if (event.type !== 'plugin.download') return;
    const total = event.total === undefined ? {} : { total: event.total / 1024 };
    seen = { host: event.host, at: Date.now(), progress: { done: event.done / 1024, ...total, unit: 'KiB' } };
  });
  const what = () => {
    const one = now();
    return one ? `from ${one.host}` : seen ? 'checking it' : 'looking at it';
  };
  try {
    return await withProgress(io, what, work(), () => now()?.progress);
  } finally {
    stop();
  }
}
