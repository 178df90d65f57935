import * as v from 'valibot';
import type { GrantChoice } from '../../plugin/plugin.ts';
import type { Json } from '../../wire/wire.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const params = v.object({ name: s.pluginName });

const source = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(4096),
  v.description('Path, URL, `HOST/OWNER/NAME:TAG` of an OCI registry, or carried name.'),
);
/** What a person agreed to. */
const agreed = {
  grant: v.optional(
    v.pipe(s.grantChoice, v.description('What of its asks is granted: `all`, `none`, or these by their `rule`.')),
  ),
  sha256: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/), v.description('The file as it was shown; another is not installed.')),
  ),
};
const agreement = ({ grant, sha256 }: { grant?: GrantChoice | undefined; sha256?: string | undefined }) => ({
  ...(grant === undefined ? {} : { grant }),
  ...(sha256 === undefined ? {} : { sha256 }),
});

/** Installing, inspecting and calling plugins. */
export const pluginRoutes = [
  route({
    method: 'GET',
    path: '/api/plugins',
    summary: 'Installed plugins.',
    auth: 'token',
    reply: v.object({ plugins: v.array(s.pluginSummary) }),
    run: ({ app }) => ({ plugins: app.plugins.list() }),
  }),
  route({
    method: 'POST',
    path: '/api/plugins',
    summary: 'Installs a plugin from a path on this machine, a URL, an OCI registry or the name of one px carries.',
    auth: 'token',
    body: v.object({
      source,
      name: v.optional(s.pluginName),
      replace: v.optional(v.boolean(), false),
      ...agreed,
    }),
    reply: s.pluginInfo,
    status: 201,
    errors: [409, 422, 502, 503, 504],
    run: ({ app, body, unhurried }) => {
      unhurried();
      return app.plugins.add(body.source, {
        replace: body.replace,
        ...(body.name === undefined ? {} : { name: body.name }),
        ...agreement(body),
      });
    },
  }),
  route({
    method: 'POST',
    path: '/api/plugins/{name}/update',
    summary:
      'Installs what the plugin’s source has now; a version that asks for more than is granted only with `grant`.',
    auth: 'token',
    params,
    body: v.object(agreed),
    reply: v.object({ updated: v.boolean(), plugin: s.pluginInfo }),
    errors: [409, 422, 502, 503, 504],
    run: ({ app, params, body, unhurried }) => {
      unhurried();
      return app.plugins.update(params.name, agreement(body));
    },
  }),
  route({
    method: 'POST',
    path: '/api/plugins/{name}/grant',
    summary: 'Writes into px.yaml what of its asks the plugin is granted, or takes it away.',
    auth: 'token',
    params,
    body: v.object({ grant: v.optional(s.grantChoice), revoke: v.optional(s.grantChoice) }),
    reply: s.pluginInfo,
    errors: [409, 422],
    run: ({ app, params, body }) =>
      app.plugins.grant(params.name, {
        ...(body.grant === undefined ? {} : { grant: body.grant }),
        ...(body.revoke === undefined ? {} : { revoke: body.revoke }),
      }),
  }),
  route({
    method: 'POST',
    path: '/api/plugin-inspection',
    summary: 'Looks at a plugin without installing it, in a locked throw-away process.',
    auth: 'token',
    body: v.object({ source, name: v.optional(s.pluginName) }),
    reply: s.pluginInfo,
    errors: [422, 502, 503, 504],
    run: ({ app, body, unhurried }) => {
      unhurried();
      return app.plugins.inspect(body.source, body.name);
    },
  }),
  route({
    method: 'GET',
    path: '/api/plugins/{name}',
    summary: 'Everything known of one plugin: functions, tools, imports, manifest.',
    auth: 'token',
    params,
    reply: s.pluginInfo,
    errors: [422],
    run: ({ app, params }) => app.plugins.get(params.name),
  }),
  route({
    method: 'DELETE',
    path: '/api/plugins/{name}',
    summary: 'Removes a plugin.',
    auth: 'token',
    params,
    reply: s.ok,
    run: async ({ app, params }) => {
      await app.plugins.remove(params.name);
      return { ok: true };
    },
  }),
  route({
    method: 'POST',
    path: '/api/plugins/{name}/call/{function}',
    summary: 'Calls an exported function with a JSON array of arguments.',
    auth: 'token',
    params: v.object({ name: s.pluginName, function: v.pipe(v.string(), v.minLength(1), v.maxLength(300)) }),
    body: v.object({ args: v.optional(v.array(s.json), []) }),
    reply: v.object({ result: s.json }),
    errors: [409, 422, 502, 503, 504],
    run: async ({ app, params, body, request, unhurried }) => {
      unhurried();
      // A parsed JSON body holds JSON values and nothing else.
      const args = body.args as Json[];
      return { result: await app.plugins.call(params.name, params.function, args, { signal: request.signal }) };
    },
  }),
  route({
    method: 'POST',
    path: '/api/plugins/{name}/check',
    summary: 'Compares the file of a plugin with what was installed; it fails when it is another.',
    auth: 'token',
    params,
    reply: s.ok,
    errors: [422],
    run: ({ app, params }) => {
      app.plugins.check(params.name);
      return { ok: true };
    },
  }),
  route({
    method: 'POST',
    path: '/api/plugins/{name}/resume',
    summary: 'Clears the quarantine of a plugin that failed too often.',
    auth: 'token',
    params,
    reply: s.ok,
    run: ({ app, params }) => {
      app.plugins.resume(params.name);
      return { ok: true };
    },
  }),
  route({
    method: 'GET',
    path: '/api/plugins/{name}/logs',
    summary: 'Recent log lines of a plugin, oldest first.',
    auth: 'token',
    params,
    reply: v.object({ lines: v.array(s.logLine) }),
    run: ({ app, params }) => ({ lines: app.plugins.logs(params.name) }),
  }),
];
