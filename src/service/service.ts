export { installService } from './install.ts';
export { controlService, serviceLogs, serviceState, uninstallService } from './manage.ts';

import type { Environment, Home } from '../config/config.ts';

/** Which service of which px is meant. */
export interface ServiceOptions {
  home: Home;
  env: Environment;
  /** Name of the unit; `px` when left out. Letters, digits and `-`. */
  name?: string;
  /** A service of the whole machine instead of this user's. */
  system?: boolean;
  /** For tests: the platform and the user's number; this process's own when left out. */
  platform?: string;
  uid?: number;
}

/** How a service is installed. */
export interface InstallOptions extends ServiceOptions {
  /** Of a service of the whole machine: who it runs as. `px` when left out, and made when there is no such user. */
  user?: string;
  /** False: the unit is written and enabled, not started. */
  start?: boolean;
}

/** What {@link installService} did. */
export interface Installed {
  manager: Manager;
  scope: 'user' | 'system';
  name: string;
  /** The unit or property list that was written. */
  file: string;
  /** Where the started px answers; undefined when it was not started, or does not answer yet. */
  url?: string;
  /** What the person may want to do next, a sentence each. */
  hints: string[];
}

export type Manager = 'systemd' | 'launchd';

/** How a service is. */
export interface ServiceState {
  manager: Manager;
  scope: 'user' | 'system';
  name: string;
  file: string;
  installed: boolean;
  /** Started by itself with the machine, or when the user signs in. */
  enabled: boolean;
  running: boolean;
  /** The manager's own word: `active (running)`, `failed (watchdog)`. */
  detail: string;
  pid: number | undefined;
  /** How often the manager had to start it again. */
  restarts: number | undefined;
}
