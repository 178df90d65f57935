import type { App } from '../app/app.ts';
import type { PageContext } from './handler.ts';
import type { GatewayOptions } from './server.ts';

/** Schemas of what the API answers, for the typed client. */
export * as replies from './schema.ts';
export type { PageContext };

/** A listening gateway. */
export interface Gateway {
  /** `http://127.0.0.1:7979`. */
  readonly url: string;
  readonly token: string;
  /** A one-time sign-in code for a browser, to be opened as `<url>/#<code>`. */
  createCode(): { code: string; expiresAt: number };
  stop(): Promise<void>;
}

/**
 * Listens on `gateway.host` and `gateway.port` (or what the options say) and writes `state/gateway.json` so that clients find it.
 * Throws PxError `gateway.port`.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  return (await loadGateway())(options);
}

/**
 * Loads what {@link startGateway} needs and returns it as a function that does not wait: called right after the app is there, px
 * listens before the app's background work begins.
 */
export async function loadGateway(): Promise<(options: GatewayOptions) => Gateway> {
  return (await import('./server.ts')).listenGateway;
}

/** The same API without a server: answers requests of this very process, as the owner. */
export async function openGatewayInProcess(app: App): Promise<(request: Request) => Promise<Response>> {
  const [{ createHandler }, { createAccess }] = await Promise.all([import('./handler.ts'), import('./access.ts')]);
  const handler = createHandler({ app, access: createAccess(crypto.randomUUID()) });
  return (request) => handler.fetch(request, { address: 'in-process', trusted: true });
}
