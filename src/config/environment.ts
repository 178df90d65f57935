import { homedir } from 'node:os';
import type { Environment } from './config.ts';

/** Reads the environment of this process: the only place of px that does. */
export function loadEnvironment(): Environment {
  return {
    home: process.env['PX_HOME'] || undefined,
    userHome: process.env['HOME'] || homedir(),
    executable: compiledExecutable(),
    get: (name) => process.env[name],
  };
}

/** The file px was started from when it is a compiled px; undefined when `bun` runs the sources (tests, development). */
function compiledExecutable(): string | undefined {
  return /^(?:\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/.test(import.meta.path) ? process.execPath : undefined;
}
