import { Hono } from 'hono/tiny';
import type { App } from '../app/app.ts';
import { PxError, toPxError } from '../error/error.ts';
import type { Access, FailureLimit } from './access.ts';
import { createFailureLimit, sameText } from './access.ts';
import { readJson } from './body.ts';
import { checkPlace, type GuardRules, isConfiguredOrigin, securityHeaders } from './guard.ts';
import { check, checkQuery } from './input.ts';
import { openAiRefusal } from './openai/reply.ts';
import type { Route } from './route.ts';
import { errorResponse, statusOf } from './status.ts';
import { routes } from './table.ts';

/** What the portal is told of a page request. */
export interface PageContext {
  signedIn: boolean;
  /** What each form must carry in its field `form`; empty for who is not signed in. */
  formToken: string;
  /** The `Set-Cookie` value that ends the session in this browser. */
  signOut: string;
  /** True for the very token of {@link formToken}, never for an empty one. */
  isFormToken(given: string): boolean;
  /** Calls the API of this px as its owner; only for pages of a signed-in person. */
  call(request: Request): Promise<Response>;
}

/** Serves everything that is not the API: the portal. */
export type Pages = (request: Request, context: PageContext) => Promise<Response>;

/** Where a request comes from. */
export interface Caller {
  /** Remote address, for the limit on failed sign-ins. */
  address: string;
  /** The caller is this process itself: no Host, Origin or token to check. */
  trusted?: boolean;
  /** Switches the server's idle limit off for this request. */
  unhurried?(): void;
}

/** Answers requests; the server and the in-process client share it. */
export interface Handler {
  fetch(request: Request, caller: Caller): Promise<Response>;
  /** Throws PxError unless this request may use the API: for the WebSocket's upgrade, which the server does itself. */
  admit(request: Request, caller: Caller): void;
  /** The answer to a wrong token; counted like any failed sign-in. */
  refuse(caller: Caller): Promise<Response>;
  /** True when the request carries the owner's token or session. */
  isOwner(request: Request): boolean;
}

/** Makes the handler of an app. */
export function createHandler(options: { app: App; access: Access; pages?: Pages; failures?: FailureLimit }): Handler {
  const { app, access, pages } = options;
  const failures = options.failures ?? createFailureLimit();
  const rules = (): GuardRules => app.config.current.gateway;
  const hono = new Hono<{ Bindings: Caller }>();

  /** A platform calls px by the name it was given: that name leads to its webhook and to nothing else. */
  const isWebhook = (request: Request) => new URL(request.url).pathname.startsWith('/hooks/channel/');
  const webhooks = () => [
    ...rules().origins,
    ...Object.values(app.config.current.channels).flatMap(({ webhook }) =>
      webhook === undefined ? [] : [new URL(webhook).origin],
    ),
  ];

  const isOwner = (request: Request) => {
    const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (bearer !== undefined) return access.isToken(bearer);
    if (!access.isSession(request.headers.get('cookie') ?? '')) return false;
    // A browser names the page's origin on every request that changes something; checkPlace has judged it.
    return ['GET', 'HEAD'].includes(request.method) || request.headers.has('origin');
  };

  /** Scripts may have a token of their own, which is good for nothing else. */
  const isScript = (request: Request) => {
    const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    const token = app.secrets.get('HOOK_TOKEN');
    return bearer !== undefined && token !== undefined && token.length >= 16 && sameText(bearer, token);
  };

  const authorize = (request: Request, caller: Caller) => {
    if (!caller.trusted && !isOwner(request)) throw unauthorized();
    app.touch();
  };

  /** Whether a request that is refused was a guess. Who says nothing of who they are guesses nothing. */
  const isGuess = ({ auth }: Route, { headers }: Request) =>
    auth === 'none' || headers.has('authorization') || headers.has('cookie');

  /** Runs `work`; a failed sign-in is counted, and too many make the address wait. The right token is never locked out. */
  const limited = async (
    caller: Caller,
    work: () => Promise<Response>,
    { guess = true, shape }: { guess?: boolean; shape?: Route['shape'] } = {},
  ): Promise<Response> => {
    try {
      return await work();
    } catch (thrown) {
      let error = toPxError(thrown);
      const headers: Record<string, string> = {};
      if (error.code === 'gateway.unauthorized') {
        const seconds = guess ? failures.wait(caller.address) : 0;
        if (guess) failures.failed(caller.address);
        headers['www-authenticate'] = 'Bearer';
        if (seconds > 0) {
          error = new PxError('gateway.rate-limit', 'Too many failed attempts.', {
            hint: `Wait ${seconds} seconds.`,
            retryable: true,
          });
          headers['retry-after'] = String(seconds);
        }
      }
      if (statusOf(error.code) >= 500) app.log.scope('gateway').warn(error.message, { code: error.code });
      if (error.code === 'internal') app.log.scope('gateway').debug(String(error.cause ?? error.stack));
      if (shape === 'openai') return openAiRefusal(error, headers);
      return errorResponse(error, headers);
    }
  };

  const answer = async (route: Route, request: Request, rawParams: Record<string, string>, caller: Caller) => {
    if (route.auth === 'token' || (route.auth === 'hook' && !isScript(request))) authorize(request, caller);
    const params = route.params ? check(route.params, rawParams, 'path') : {};
    const query = route.query ? checkQuery(route.query, new URL(request.url).searchParams) : {};
    const maxBytes = Math.max(app.config.current.gateway.max_body_bytes, route.maxBytes ?? 0);
    const body = route.body ? check(route.body, await readJson(request, maxBytes), 'body') : undefined;
    const unhurried = () => caller.unhurried?.();
    const result = await route.run({ app, access, params, query, body, request, unhurried });
    return result instanceof Response ? result : Response.json(result, { status: route.status ?? 200 });
  };

  for (const route of routes) {
    hono.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), (c) =>
      limited(c.env, () => answer(route, c.req.raw, c.req.param(), c.env), {
        guess: isGuess(route, c.req.raw),
        shape: route.shape,
      }),
    );
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const allow = routes.filter((r) => r.path === path).map((r) => r.method);
    hono.all(path.replace(/\{(\w+)\}/g, ':$1'), (c) =>
      allow.includes('GET') && c.req.method === 'HEAD'
        ? c.body(null)
        : refusal(path, new PxError('gateway.method', `${c.req.method} is not possible here.`), {
            allow: allow.join(', '),
          }),
    );
  }
  hono.notFound((c) => {
    const { pathname } = new URL(c.req.url);
    if (!pages || /^\/(api|v1|hooks)(\/|$)/.test(pathname) || !['GET', 'HEAD', 'POST'].includes(c.req.method))
      return refusal(pathname, new PxError('not-found', `There is nothing at ${pathname.slice(0, 200)}.`));
    const call = (request: Request) =>
      hono.fetch(request, { address: c.env.address, trusted: true, unhurried: () => c.env.unhurried?.() });
    const formToken = access.formToken(c.req.header('cookie') ?? '');
    return pages(c.req.raw, {
      signedIn: isOwner(c.req.raw),
      formToken,
      signOut: access.signOut,
      isFormToken: (given) => formToken !== '' && sameText(given, formToken),
      call: async (request) => call(request),
    });
  });
  hono.onError((thrown) => errorResponse(thrown));

  const preflight = (request: Request): Response | undefined => {
    if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method')) return undefined;
    return new Response(null, {
      status: 204,
      headers: {
        'access-control-allow-methods': 'GET, POST, PUT, DELETE',
        'access-control-allow-headers': 'authorization, content-type, x-request-id',
        'access-control-max-age': '600',
      },
    });
  };

  return {
    isOwner,
    refuse: (caller) => limited(caller, () => Promise.reject(unauthorized())),
    admit: (request, caller) => {
      if (!caller.trusted) checkPlace(request, rules());
    },
    async fetch(request, caller) {
      let response: Response;
      try {
        if (!caller.trusted) checkPlace(request, isWebhook(request) ? { ...rules(), origins: webhooks() } : rules());
        response = preflight(request) ?? (await hono.fetch(request, caller));
      } catch (thrown) {
        response = refusal(new URL(request.url).pathname, thrown);
      }
      return finishHeaders(request, response, rules());
    },
  };
}

/** An error outside of any route, in the shape that callers of this path know. */
function refusal(path: string, thrown: unknown, headers: Record<string, string> = {}): Response {
  return /^\/v1(\/|$)/.test(path) ? openAiRefusal(toPxError(thrown), headers) : errorResponse(thrown, headers);
}

function finishHeaders(request: Request, response: Response, rules: GuardRules): Response {
  const { headers } = response;
  for (const [name, value] of Object.entries(securityHeaders)) headers.set(name, value);
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  const given = request.headers.get('x-request-id') ?? '';
  headers.set('x-request-id', /^[\w.-]{1,64}$/.test(given) ? given : crypto.randomUUID());
  const origin = request.headers.get('origin');
  if (origin !== null && isConfiguredOrigin(origin, rules)) {
    headers.set('access-control-allow-origin', origin);
    headers.set('cross-origin-resource-policy', 'cross-origin');
    headers.append('vary', 'origin');
  }
  return response;
}

function unauthorized(): PxError {
  return new PxError('gateway.unauthorized', 'This needs the token of this px.', {
    hint: 'Send Authorization: Bearer with the content of state/token, or sign in with `px portal`.',
  });
}
