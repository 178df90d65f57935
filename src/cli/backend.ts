import type { App } from '../app/app.ts';
import { type Client, connect, createClient, openEvents } from '../client/client.ts';
import { PxError } from '../error/error.ts';
import type { LogSink } from '../log/log.ts';
import type { PxEvent } from '../wire/wire.ts';
import type { Context } from './verb.ts';

/** The API a verb works through: the running px of this home, or one opened in this process for the time of the verb. */
export interface Backend extends AsyncDisposable {
  client: Client;
  /** True when a px runs for this home. */
  running: boolean;
  /** Tells what happens there until the returned function is called. */
  watch(listener: (event: PxEvent) => void): () => void;
}

/** How a home is opened when no px runs for it. */
export interface BackendOptions {
  /** Opens it here also where a px could be reached. */
  local?: boolean;
  /** Where warnings of a home that is opened here go; left out, the person is told them. */
  log?: LogSink;
  /** What has to be done before the verb's own work: notes indexed, models looked for. */
  prepare?(app: App): Promise<void>;
}

/** The px that runs for this home. Throws PxError `gateway.unreachable`. */
export async function runningPx({ home }: Pick<Context, 'home'>): Promise<Client> {
  const client = await connect(home);
  if (client) return client;
  throw new PxError('gateway.unreachable', `No px is running for ${home.root}.`, {
    hint: 'Start it with `px serve`.',
  });
}

/**
 * Reaches the px that runs for this home, or opens the home here. Throws PxError `store.locked` when another px holds the home
 * and cannot be reached.
 */
export async function openBackend(context: Context, options: BackendOptions = {}): Promise<Backend> {
  const running = options.local ? undefined : await connect(context.home);
  if (running)
    return {
      client: running,
      running: true,
      watch(event) {
        const line = openEvents(running, { ready() {}, event, closed() {} });
        return () => line.close();
      },
      [Symbol.asyncDispose]: async () => {},
    };
  const [{ startApp }, { openGatewayInProcess }] = await Promise.all([
    import('../app/app.ts'),
    import('../gateway/gateway.ts'),
  ]);
  const { home, env, version, io } = context;
  // A verb says what it has to say; only what went wrong beside it is worth a line.
  const told: LogSink = (entry) => {
    if (entry.level === 'warn' || entry.level === 'error') io.note(`px: ${entry.message.replaceAll('\n', '\n  | ')}`);
  };
  const app = await startApp({ home, env, version, log: options.log ?? told, quiet: true });
  await options.prepare?.(app);
  const fetch = await openGatewayInProcess(app);
  return {
    client: createClient({ url: 'http://in-process', token: 'in-process', fetch }),
    running: false,
    watch: (listener) => app.bus.on(listener),
    [Symbol.asyncDispose]: () => app.close(),
  };
}
