export type { ChannelConfig, Config, PluginConfig } from './schema.ts';
export { ConfigSchema } from './schema.ts';

import type { Config } from './schema.ts';

/** The parts of the environment px reads; `config/environment.ts` is the only place that touches `process.env`. */
export interface Environment {
  /** `PX_HOME`. */
  home: string | undefined;
  /** `HOME` or the platform's equal. */
  userHome: string;
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
  /** Calls back with the new config and the top-level paths that changed (`model.default`); returns unsubscribe. */
  onChange(listener: (config: Config, changed: string[]) => void): () => void;
  /** Calls back when an edit of px.yaml is refused and the last good config stays. */
  onReject(listener: (error: unknown) => void): () => void;
  /** Reads px.yaml now; throws PxError `config.*` and keeps the last good one. */
  reload(): Promise<void>;
  /** Starts watching px.yaml. */
  watch(): void;
  /** Sets one dotted key in px.yaml, keeping comments and order; validates before writing. */
  set(path: string, value: unknown): Promise<void>;
  close(): void;
}
