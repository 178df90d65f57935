export { loadEnvironment } from './environment.ts';
export { explain } from './explain.ts';
export { homeAt, initHome, machineHome, resolveHome } from './home.ts';
export { nearest } from './nearest.ts';
export { openConfig } from './open.ts';
export { asOwner, enterHome, type Owner, otherOwner } from './owner.ts';
export { getPath } from './path.ts';
export { configJsonSchema, configReference } from './reference.ts';
export type { ChannelConfig, Config, McpServerConfig, PluginConfig } from './schema.ts';
export { ConfigSchema, defaultPlugin } from './schema.ts';
export { requestsPerMinute } from './section/plugins.ts';

import type { Config } from './schema.ts';

/** The parts of the environment px reads; `config/environment.ts` is the only place that touches `process.env`. */
export interface Environment {
  /** `PX_HOME`. */
  home: string | undefined;
  /** `HOME` or the platform's equal. */
  userHome: string;
  /** The compiled px this process runs; undefined (or left out) when `bun` runs the sources. */
  executable?: string | undefined;
  /** Looks a variable up by name (for `${ENV}` and provider keys). */
  get(name: string): string | undefined;
}

/** The folders and files of one px home. All absolute. */
export interface Home {
  root: string;
  /** `px.yaml`. */
  config: string;
  /** Markdown: the truth. */
  memory: string;
  /** Installed components and scripts. */
  plugins: string;
  /** Databases, keys, caches. */
  state: string;
}

/** The running configuration: always the last good one. */
export interface ConfigStore {
  readonly home: Home;
  readonly env: Environment;
  readonly current: Config;
  /** Why px.yaml as it stands is not in force, and the last good one is; empty when it is. */
  readonly problem: string;
  /** Calls back with the new config and the dotted paths that changed (`model.default`); returns unsubscribe. */
  onChange(listener: (config: Config, changed: string[]) => void): () => void;
  /** Calls back when an edit of px.yaml is refused and the last good config stays. */
  onReject(listener: (error: unknown) => void): () => void;
  /** Reads px.yaml now; throws PxError `config.*` and keeps the last good one. */
  reload(): Promise<void>;
  /** Starts watching px.yaml. */
  watch(): void;
  /** Sets one dotted key in px.yaml, keeping comments and order; undefined takes it away. Validates before writing. */
  set(path: string, value: unknown): Promise<void>;
  /** px.yaml as it is written; empty without a file. Throws PxError `config.unreadable`. */
  text(): Promise<string>;
  /**
   * Writes the whole of px.yaml, when it is valid. With `was`, only when that is what the file still says. Throws PxError `config.*`,
   * `conflict`.
   */
  replace(text: string, was?: string): Promise<void>;
  close(): void;
}
