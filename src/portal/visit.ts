import type { Client } from '../client/client.ts';
import type { PxError } from '../error/error.ts';
import type { Form } from './form.ts';

type Status = Awaited<ReturnType<Client['status']>>;

/** One request of a signed-in person: who asks, for what, and the form that was sent. */
export interface Visit {
  client: Client;
  url: URL;
  /** Parts of the path, decoded. */
  params: Record<string, string>;
  status: Status;
  /** How many calls of tools wait for a word. */
  waiting: number;
  /** What each form of the page carries. */
  formToken: string;
  /** The `Set-Cookie` value that ends the session in this browser. */
  signOut: string;
  /** What was sent; empty when a page is only looked at. */
  form: Form;
  /** Why what was sent could not be done. */
  problem?: PxError;
}

/** What hono/jsx makes of a page: text, or a promise of it. */
export type Shown = { toString(): string | Promise<string> };

/** One address of the portal. */
export interface Page {
  /** `/plugins/:name`. */
  path: string;
  show(visit: Visit): Promise<Shown> | Shown;
  /**
   * What the buttons of its forms do, by the value of the button (`do`). Gives the address to go to, a page to show at once, or a whole answer. What
   * is thrown is shown on the page itself.
   */
  actions?: Record<string, (visit: Visit) => Promise<string | Shown | Response>>;
}
