import type { Environment } from '../config/config.ts';
import { libcName } from '../plugin/plugin.ts';

/** What px tells the service manager that started it (systemd's `sd_notify`). */
export interface Notify {
  /** px can take messages. */
  ready(status: string): void;
  /** px ends, and may take up to `ms` for its running turns; no sign of life is given from here on, and none is waited for. */
  stopping(ms: number): void;
  /**
   * Tells from now on that px lives, at half the time the manager waits for that, as long as `alive` does not throw; what it throws is told to
   * `failed` and the sign is left out. Does nothing where the manager has no watchdog.
   */
  watch(alive: () => void, failed: (thrown: unknown) => void): void;
  close(): void;
}

/** The way to the manager that started px; undefined when none waits for word. A message that cannot be sent is dropped: px runs without. */
export async function openNotify(env: Environment): Promise<Notify | undefined> {
  const address = env.get('NOTIFY_SOCKET') ?? '';
  if (!/^[@/]./.test(address)) return undefined;
  const send = await openDatagram(address);
  const everyMs = watchdogMs(env) / 2;
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    ready: (status) => send(`READY=1\nSTATUS=${status.replaceAll('\n', ' ')}`),
    stopping(ms) {
      clearInterval(timer);
      send(`STOPPING=1\nSTATUS=Finishing what runs\nEXTEND_TIMEOUT_USEC=${Math.ceil(ms + spareMs) * 1000}`);
    },
    watch(alive, failed) {
      if (everyMs === 0 || timer) return;
      timer = setInterval(() => {
        try {
          alive();
        } catch (thrown) {
          return failed(thrown);
        }
        send('WATCHDOG=1');
      }, everyMs);
      timer.unref();
    },
    close: () => clearInterval(timer),
  };
}

/** What closing takes at most after the running turns had their time, in ms. */
const spareMs = 15_000;

/** How long the manager waits for a sign, in ms; 0 when it does not, or waits for another process. */
function watchdogMs(env: Environment): number {
  const usec = Number(env.get('WATCHDOG_USEC') ?? 0);
  const pid = env.get('WATCHDOG_PID');
  if (!(usec > 0) || (pid !== undefined && pid !== String(process.pid))) return 0;
  return usec / 1000;
}

const unix = 1;
const datagram = 2;

/** Bun has no unix datagram sockets: they are asked of the C library, which is loaded here and nowhere else on the way. */
async function openDatagram(address: string): Promise<(text: string) => void> {
  const { dlopen, ptr } = await import('bun:ffi');
  const { symbols: libc } = dlopen(libcName(), {
    socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    sendto: { args: ['i32', 'ptr', 'u64', 'i32', 'ptr', 'u32'], returns: 'i64' },
    close: { args: ['i32'], returns: 'i32' },
  });
  // `@name` stands for a name in no folder, which begins with a zero byte.
  const path = new TextEncoder().encode(address);
  if (path[0] === 0x40) path[0] = 0;
  const to = new Uint8Array(2 + path.length + (path[0] === 0 ? 0 : 1));
  new DataView(to.buffer).setUint16(0, unix, true);
  to.set(path, 2);
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    const socket = libc.socket(unix, datagram, 0);
    if (socket < 0) return;
    libc.sendto(socket, ptr(bytes), bytes.length, 0, ptr(to), to.length);
    libc.close(socket);
  };
}
