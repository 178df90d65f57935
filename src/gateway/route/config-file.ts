import * as v from 'valibot';
import { route } from '../route.ts';
import * as s from '../schema.ts';

/** px.yaml as it is written, for who edits it as text. */
export const configFileRoutes = [
  route({
    method: 'GET',
    path: '/api/config-file',
    summary: 'The text of px.yaml as it stands, and what is wrong with it; empty when nothing is.',
    auth: 'token',
    reply: v.object({ text: v.string(), problem: v.string(), path: v.string() }),
    run: async ({ app }) => ({
      // What is no reference but a key written out is nobody's to see.
      text: app.secrets.scrub(await app.config.text()),
      problem: app.config.problem,
      path: app.home.config,
    }),
  }),
  route({
    method: 'PUT',
    path: '/api/config-file',
    summary:
      'Writes the whole of px.yaml. What is not valid is not written; 409 when it is not any more what `was` says.',
    auth: 'token',
    body: v.object({
      text: v.pipe(v.string(), v.maxLength(1_000_000)),
      was: v.optional(v.pipe(v.string(), v.description('The text that was edited.'))),
    }),
    reply: s.ok,
    errors: [409],
    run: async ({ app, body }) => {
      await app.config.replace(body.text, body.was);
      return { ok: true };
    },
  }),
];
