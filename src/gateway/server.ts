import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../app/app.ts';
import { PxError } from '../error/error.ts';
import { createFailureLimit, openAccess } from './access.ts';
import type { Gateway } from './gateway.ts';
import { type Caller, createHandler, type Pages } from './handler.ts';
import { eventSocket, type SocketState } from './socket.ts';
import { errorResponse } from './status.ts';

/** What a gateway is started with. */
export interface GatewayOptions {
  app: App;
  /** Overrides `gateway.port`; 0 picks a free one. */
  port?: number;
  /** Overrides `gateway.host`. */
  host?: string;
  /** Serves what is not the API. */
  pages?: Pages;
}

const idleSeconds = 30;

/** Listens, and writes `state/gateway.json` so that clients find it. Throws PxError `gateway.port`. */
export function listenGateway(options: GatewayOptions): Gateway {
  const { app, pages } = options;
  const { gateway: config } = app.config.current;
  const host = options.host ?? config.host;
  const port = options.port ?? config.port;
  const access = openAccess(app.home.state);
  const failures = createFailureLimit();
  const handler = createHandler({ app, access, failures, ...(pages ? { pages } : {}) });
  const log = app.log.scope('gateway');

  const server = listen(host, port, () =>
    Bun.serve({
      hostname: host,
      port,
      idleTimeout: idleSeconds,
      // The handler counts bodies itself and answers with an error that says what to do; this is only the last wall.
      maxRequestBodySize: 256 * 1024 * 1024,
      fetch(request, server) {
        const caller: Caller = {
          address: server.requestIP(request)?.address ?? 'unknown',
          unhurried: () => server.timeout(request, 0),
        };
        // A Host header that is no host leaves the request without a URL.
        const url = URL.parse(request.url);
        if (!url) return errorResponse(new PxError('gateway.bad-request', 'The Host header names no host.'));
        if (url.pathname !== '/api/events') return handler.fetch(request, caller);
        try {
          handler.admit(request, caller);
          const [protocol, offered] = tokenProtocol(request);
          if (offered !== undefined && !access.isToken(offered)) return handler.refuse(caller);
          const data: SocketState = {
            owner: offered !== undefined || handler.isOwner(request),
            address: caller.address,
          };
          const headers: Record<string, string> = protocol ? { 'sec-websocket-protocol': protocol } : {};
          if (server.upgrade(request, { data, headers })) return undefined;
          return errorResponse(new PxError('gateway.bad-request', 'This is a WebSocket address.'));
        } catch (thrown) {
          return errorResponse(thrown);
        }
      },
      websocket: eventSocket(app, access, failures),
      error: (thrown) => errorResponse(thrown),
    }),
  );

  const shown = host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
  const url = `http://${shown}:${server.port}`;
  const addressFile = join(app.home.state, 'gateway.json');
  writeFileSync(addressFile, `${JSON.stringify({ url, token: access.token, pid: process.pid })}\n`, { mode: 0o600 });
  chmodSync(addressFile, 0o600);
  // The first line of a log makes the runtime load its time zones, 5 to 14 ms: after px is ready.
  setTimeout(() => log.info('listening', { url }), 0);

  return {
    url,
    token: access.token,
    createCode: () => access.createCode(),
    async stop() {
      if (isMine(addressFile)) rmSync(addressFile, { force: true });
      await server.stop(true);
    },
  };
}

function listen<S>(host: string, port: number, start: () => S): S {
  try {
    return start();
  } catch (cause) {
    throw new PxError('gateway.port', `px cannot listen on ${host}:${port}: ${String((cause as Error).message)}`, {
      hint: 'Choose another with --port, or --port 0 for any free one.',
      cause,
    });
  }
}

/** A browser cannot send headers with a WebSocket: the token may come as a second subprotocol, `px, px.token.<token>`. */
function tokenProtocol(request: Request): [protocol: string | undefined, token: string | undefined] {
  const offered = (request.headers.get('sec-websocket-protocol') ?? '').split(/\s*,\s*/);
  const token = offered.find((p) => p.startsWith('px.token.'))?.slice('px.token.'.length);
  return [offered.includes('px') ? 'px' : undefined, token];
}

function isMine(path: string): boolean {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { pid?: number }).pid === process.pid;
  } catch {
    return false;
  }
}
