import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import { agent } from './section/agent.ts';
import { channels } from './section/channels.ts';
import { gateway } from './section/gateway.ts';
import { mcp } from './section/mcp.ts';
import { log, memory } from './section/memory.ts';
import { model, providers } from './section/model.ts';
import { plugins, registries, sandbox, trust } from './section/plugins.ts';
import { policy } from './section/policy.ts';
import { update } from './section/update.ts';

/** The whole of px.yaml. Defaults live in the sections; the JSON Schema and the config reference are generated from here. */
export const ConfigSchema = v.strictObject({
  gateway: v.optional(v.pipe(gateway, v.description('Where px listens.')), {}),
  model: v.optional(v.pipe(model, v.description('Who answers.')), {}),
  providers: v.optional(v.pipe(providers, v.description('Keys and addresses of model providers.')), {}),
  agent: v.optional(v.pipe(agent, v.description('The bounds of one turn.')), {}),
  channels: v.optional(v.pipe(channels, v.description('Messengers px is reached by, by a name you choose.')), {}),
  plugins: v.optional(
    v.pipe(
      plugins,
      v.description('What each installed plugin is told and allowed, by its name. Nothing is allowed by default.'),
    ),
    {},
  ),
  sandbox: v.optional(v.pipe(sandbox, v.description('How the process of a plugin is locked.')), {}),
  trust: v.optional(v.pipe(trust, v.description('Whose signatures of plugins count.')), {}),
  registries: v.optional(
    v.pipe(
      registries,
      v.description('Who px is to OCI registries, by host. One that is not here is asked as anybody.'),
    ),
    {},
  ),
  mcp: v.optional(v.pipe(mcp, v.description('Servers of the Model Context Protocol whose tools px uses.')), {}),
  policy: v.optional(v.pipe(policy, v.description('What the agent may do without asking.')), {}),
  memory: v.optional(v.pipe(memory, v.description('Notes and their index.')), {}),
  update: v.optional(v.pipe(update, v.description('Where new versions of px come from.')), {}),
  log: v.optional(v.pipe(log, v.description('What is written to the log.')), {}),
});

/** A validated px.yaml with every default filled in. Values like `secret:NAME` and `${NAME}` are still references here. */
export type Config = v.InferOutput<typeof ConfigSchema>;
export type PluginConfig = Config['plugins'][string];

/** What holds for a plugin that px.yaml does not name: nothing granted, the default limits. */
export function defaultPlugin(): PluginConfig {
  const { any } = v.parse(ConfigSchema, { plugins: { any: {} } }).plugins;
  if (!any) throw new PxError('internal', 'the config schema has no plugin defaults');
  return any;
}
export type McpServerConfig = Config['mcp']['servers'][string];
export type ChannelConfig = Config['channels'][string];
