export { type Access, createAccess, openAccess } from './access.ts';
export { type Caller, createHandler, type Handler, type PageContext, type Pages } from './handler.ts';
export { type GatewayOptions, startGateway } from './server.ts';
export type { TurnReply } from './turn.ts';

/** A listening gateway. */
export interface Gateway {
  /** `http://127.0.0.1:7979`. */
  readonly url: string;
  readonly token: string;
  /** A one-time sign-in code for a browser: `<url>/#<code>`. */
  createCode(): { code: string; expiresAt: number };
  stop(): Promise<void>;
}
