import * as v from 'valibot';
import { configJsonSchema } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const secretName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/, 'a secret has letters, digits, `_`, `.` and `-`'),
);

/** Configuration, models, secrets and pairings. */
export const settingsRoutes = [
  route({
    method: 'GET',
    path: '/api/config',
    summary: 'The configuration in force, defaults filled in; secrets are references.',
    auth: 'token',
    reply: v.record(v.string(), s.json),
    run: ({ app }) => JSON.parse(app.secrets.scrub(JSON.stringify(app.config.current))),
  }),
  route({
    method: 'GET',
    path: '/api/config/schema',
    summary: 'The JSON Schema of px.yaml.',
    auth: 'token',
    reply: v.record(v.string(), s.json),
    run: () => configJsonSchema(),
  }),
  route({
    method: 'PUT',
    path: '/api/config/{key}',
    summary: 'Sets one dotted key in px.yaml, keeping comments and order.',
    auth: 'token',
    params: v.object({ key: v.pipe(v.string(), v.minLength(1), v.maxLength(300), v.description('`model.default`')) }),
    body: v.object({ value: s.json }),
    reply: s.ok,
    errors: [409],
    run: async ({ app, params, body }) => {
      // A model nobody knows would only show when the next message is answered by another one.
      if (params.key === 'model.default' && typeof body.value === 'string' && body.value !== 'auto')
        app.models.resolve(body.value);
      await app.config.set(params.key, body.value);
      return { ok: true };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/config/{key}',
    summary: 'Takes one dotted key out of px.yaml, so that its default counts again.',
    auth: 'token',
    params: v.object({ key: v.pipe(v.string(), v.minLength(1), v.maxLength(300), v.description('`model.default`')) }),
    reply: s.ok,
    errors: [409],
    run: async ({ app, params }) => {
      await app.config.set(params.key, undefined);
      return { ok: true };
    },
  }),
  route({
    method: 'GET',
    path: '/api/models',
    summary: 'Models that can be used now, and which one is the default.',
    auth: 'token',
    reply: v.object({ default: v.object({ ref: v.string(), why: v.string() }), models: v.array(s.modelInfo) }),
    run: async ({ app, request, unhurried }) => {
      unhurried();
      return { default: app.models.default, models: await app.models.list(request.signal) };
    },
  }),
  route({
    method: 'GET',
    path: '/api/providers',
    summary: 'The providers of models, and whether each has its key. Nothing is asked of them.',
    auth: 'token',
    reply: v.object({ providers: v.array(s.providerInfo) }),
    run: ({ app }) => ({ providers: app.models.providers() }),
  }),
  route({
    method: 'GET',
    path: '/api/providers/{provider}/models',
    summary: 'The models a provider names when it is asked, and the one px would take. Fails as the provider does.',
    auth: 'token',
    params: v.object({ provider: s.providerName }),
    reply: v.object({ models: v.array(v.string()), usual: v.string() }),
    errors: [502, 503, 504],
    run: ({ app, params, request, unhurried }) => {
      unhurried();
      return app.models.offered(params.provider, request.signal);
    },
  }),
  route({
    method: 'GET',
    path: '/api/secrets',
    summary: 'Names of the stored secrets. Values never leave.',
    auth: 'token',
    reply: v.object({ names: v.array(v.string()) }),
    run: ({ app }) => ({ names: app.secrets.names() }),
  }),
  route({
    method: 'PUT',
    path: '/api/secrets/{name}',
    summary: 'Stores a secret, encrypted.',
    auth: 'token',
    params: v.object({ name: secretName }),
    body: v.object({ value: v.pipe(v.string(), v.minLength(1), v.maxLength(65_536)) }),
    reply: s.ok,
    run: async ({ app, params, body }) => {
      app.secrets.set(params.name, body.value);
      // A new key may be what `auto` waits for.
      await app.models.detect();
      return { ok: true };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/secrets/{name}',
    summary: 'Forgets a secret.',
    auth: 'token',
    params: v.object({ name: secretName }),
    reply: v.object({ removed: v.boolean() }),
    run: ({ app, params }) => ({ removed: app.secrets.remove(params.name) }),
  }),
  route({
    method: 'GET',
    path: '/api/pairing',
    summary: 'Who may talk to px, and who has asked.',
    auth: 'token',
    reply: v.object({ pairings: v.array(s.pairingEntry) }),
    run: ({ app }) => ({ pairings: app.channels.pairing.list() }),
  }),
  route({
    method: 'POST',
    path: '/api/pairing/approve',
    summary: 'Approves a pairing by its code.',
    auth: 'token',
    body: v.object({
      code: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
      role: v.optional(
        v.pipe(v.picklist(['owner', 'guest']), v.description('Left out: the first is the owner, others are guests.')),
      ),
    }),
    reply: v.object({ channel: v.string(), sender: v.string(), name: v.string(), role: s.role }),
    run: ({ app, body }) => app.channels.pairing.approve(body.code, body.role),
  }),
  route({
    method: 'PUT',
    path: '/api/pairing/{channel}/{sender}',
    summary: 'Makes a paired person an owner or a guest.',
    auth: 'token',
    params: v.object({ channel: s.channelName, sender: s.chatName }),
    body: v.object({ role: s.role }),
    reply: s.ok,
    run({ app, params, body }) {
      if (app.channels.pairing.setRole(params.channel, params.sender, body.role)) return { ok: true };
      throw new PxError('not-found', `${params.sender} is not paired on ${params.channel}.`, {
        hint: '`px pairing list` shows who is.',
      });
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/pairing/{channel}/{sender}',
    summary: 'Takes a pairing back.',
    auth: 'token',
    params: v.object({ channel: s.channelName, sender: s.chatName }),
    reply: v.object({ revoked: v.boolean() }),
    run: ({ app, params }) => ({ revoked: app.channels.pairing.revoke(params.channel, params.sender) }),
  }),
];
