import { readFileSync } from 'node:fs';

/** Milliseconds the first thread of a process has stood in line for a processor in its life; 0 where the kernel does not tell. */
function queued(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Milliseconds of processor time a process has used in its life, in steps of 10; 0 when it is gone. */
export function processorMs(pid: number): number {
  try {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
    return (Number(user) + Number(system)) * 10;
  } catch {
    return 0;
  }
}

/**
 * Starts a stopwatch; calling it gives the milliseconds since. It stands still while this process, or one of `pids`, stands in line for a
 * processor: what it shows says something about px, and not about what else the machine does.
 */
export function stopwatch(...pids: number[]): () => number {
  const all = [process.pid, ...pids];
  const waited = () => all.reduce((sum, pid) => sum + queued(pid), 0);
  const [at, before] = [performance.now(), waited()];
  return () => Math.max(0, performance.now() - at - (waited() - before));
}

/** Watches the event loop of this process; calling it ends that and gives the longest the loop did not turn, in milliseconds of a `stopwatch`. */
export function watchLoop(): () => number {
  let longest = 0;
  let since = stopwatch();
  const turn = () => {
    longest = Math.max(longest, since());
    since = stopwatch();
  };
  const timer = setInterval(turn, 1);
  return () => {
    clearInterval(timer);
    turn();
    return longest;
  };
}
