import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const health = v.object({ ok: v.literal(true) });

/** The server itself: health, status, signing in, hooks, its own description. */
export const serverRoutes = [
  route({
    method: 'GET',
    path: '/healthz',
    summary: 'The process answers.',
    auth: 'none',
    reply: health,
    run: () => ({ ok: true }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    summary: 'px can take messages.',
    auth: 'none',
    reply: health,
    errors: [503],
    run: ({ app }) => {
      app.ready();
      return { ok: true };
    },
  }),
  route({
    method: 'GET',
    path: '/openapi.json',
    summary: 'This API as OpenAPI 3.1.',
    auth: 'none',
    reply: v.record(v.string(), s.json),
    run: async ({ app }) => {
      const [{ openApi }, { routes }] = await Promise.all([import('../openapi.ts'), import('../table.ts')]);
      return openApi(routes, app.version);
    },
  }),
  route({
    method: 'GET',
    path: '/api/status',
    summary: 'What px is doing: model, memory, channels, plugins, sandbox.',
    auth: 'token',
    reply: s.statusReply,
    run: ({ app }) => app.status(),
  }),
  route({
    method: 'POST',
    path: '/api/links',
    summary: 'Makes a one-time sign-in code for a browser, good for an hour.',
    auth: 'token',
    reply: v.object({ code: v.string(), expiresAt: v.number() }),
    status: 201,
    run: ({ access }) => access.createCode(),
  }),
  route({
    method: 'POST',
    path: '/api/session',
    summary: 'Signs a browser in with a one-time code: the answer sets an HttpOnly cookie.',
    auth: 'none',
    body: v.object({ code: v.pipe(v.string(), v.minLength(1), v.maxLength(200)) }),
    reply: s.ok,
    run: ({ access, body }) => {
      const cookie = access.redeem(body.code);
      if (cookie === undefined)
        throw new PxError('gateway.unauthorized', 'This sign-in link was used already, or is too old.', {
          hint: 'Type `px portal` for a fresh one.',
        });
      return Response.json({ ok: true }, { headers: { 'set-cookie': cookie } });
    },
  }),
];
