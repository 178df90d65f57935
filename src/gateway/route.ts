import type * as v from 'valibot';
import type { App } from '../app/app.ts';
import type { Access } from './access.ts';

export type Schema = v.GenericSchema;
/** An object schema whose entries are the names of path or query parameters. */
export type Params = v.ObjectSchema<v.ObjectEntries, undefined>;

/** What a route's handler is given: everything validated already. */
export interface Asked<P, Q, B> {
  app: App;
  access: Access;
  /** Path parameters, decoded. */
  params: P;
  query: Q;
  body: B;
  request: Request;
  /** Lets an answer take longer than the server's idle limit (streams, turns). */
  unhurried(): void;
}

/** One line of the route table: it registers the endpoint and documents it. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/api/plugins/{name}`. */
  path: string;
  summary: string;
  /** `token`: bearer token or portal session; `hook`: the secret HOOK_TOKEN as bearer token does, too. */
  auth: 'none' | 'token' | 'hook';
  params?: Params;
  query?: Params;
  body?: Schema;
  /** The body may have this many bytes, also where `gateway.max_body_bytes` is smaller. */
  maxBytes?: number;
  /** Schema of the JSON answer. */
  reply: Schema;
  /** Status of the answer when it is good; 200 when left out. */
  status?: number;
  /** It may also be taken and done later, which is 202. */
  later?: true;
  /** Statuses of errors beyond 400, 401, 403, 404, 413, 415, 429 and 500. */
  errors?: number[];
  /** Also answers `text/event-stream`, with what its events hold. */
  events?: string;
  /** `openai`: errors in OpenAI's shape. */
  shape?: 'openai';
  run(asked: Asked<Record<string, unknown>, Record<string, unknown>, unknown>): unknown;
}

type Out<S> = S extends Schema ? v.InferOutput<S> : Record<string, never>;

/** Declares a route; the handler's types follow from its schemas. */
export function route<
  P extends Params | undefined = undefined,
  Q extends Params | undefined = undefined,
  B extends Schema | undefined = undefined,
>(
  spec: Omit<Route, 'run' | 'params' | 'query' | 'body'> & {
    params?: P;
    query?: Q;
    body?: B;
    run(asked: Asked<Out<P>, Out<Q>, Out<B>>): unknown;
  },
): Route {
  // The handler only ever runs with what these very schemas let through (see handler.ts), which the table cannot express.
  return spec as unknown as Route;
}
