export { rollBackPx, updatePx } from './apply.ts';
export { releaseTarget } from './platform.ts';

import type { Environment, Home } from '../config/config.ts';

/** How px is updated. */
export interface UpdateOptions {
  home: Home;
  env: Environment;
  version: string;
  /** A file, or an https address; `.sig` stands beside it. */
  source: string;
  /** Whose signature counts: `ed25519:KEY`, and a word on whose it is. */
  keys: string[];
  /** What a person types to add such a key. */
  addKey: string;
  /** True: everything is checked and tried, and nothing is changed. */
  check?: boolean;
  /** True: also a version that is not newer. */
  force?: boolean;
  /** Is called with what is done now, a few words. */
  step?: (what: string) => void;
}

/** What {@link updatePx} did. */
export interface Updated {
  from: string;
  to: string;
  /** Whose signature it has. */
  signer: string;
  sha256: string;
  /** False when it was only checked. */
  changed: boolean;
  /** The file that was replaced, and where the old one is kept. */
  executable: string;
  old: string;
  /** `restarted`: the service runs the new one. `yours`: a px runs that is no service; who started it has to start it again. `none`: none runs. */
  daemon: 'restarted' | 'yours' | 'none';
  /** The process of a px that is `yours`. */
  pid?: number;
}
