import * as v from 'valibot';
import { agent } from './section/agent.ts';
import { channels } from './section/channels.ts';
import { gateway } from './section/gateway.ts';
import { log, memory } from './section/memory.ts';
import { model, providers } from './section/model.ts';
import { plugins, sandbox } from './section/plugins.ts';

/** The whole of px.yaml. Defaults live in the sections; the JSON Schema and the config reference are generated from here. */
export const ConfigSchema = v.strictObject({
  gateway: v.optional(gateway, {}),
  model: v.optional(model, {}),
  providers: v.optional(providers, {}),
  agent: v.optional(agent, {}),
  channels: v.optional(channels, {}),
  plugins: v.optional(plugins, {}),
  sandbox: v.optional(sandbox, {}),
  memory: v.optional(memory, {}),
  log: v.optional(log, {}),
});

/** A validated px.yaml with every default filled in. Values like `secret:NAME` and `${ENV}` are still references here. */
export type Config = v.InferOutput<typeof ConfigSchema>;
export type PluginConfig = Config['plugins'][string];
export type ChannelConfig = Config['channels'][string];
