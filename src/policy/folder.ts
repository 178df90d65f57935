import { PxError } from '../error/error.ts';

/** A folder a plugin is granted. */
export interface FolderRule {
  /** Absolute, or below the user's home as `~/…`. */
  path: string;
  /** Whether it may change what is there, beside reading it. */
  write: boolean;
}

/** Reads `read ~/notes` or `write /srv/work`. Throws PxError `config.invalid`. */
export function parseFolder(rule: string): FolderRule {
  const [, mode, path] = /^(read|write) ((?:~\/|\/).*\S)$/.exec(rule) ?? [];
  if (mode === undefined || path === undefined || /[\u0000-\u001f\u007f]/.test(path) || path.split('/').includes('..'))
    throw new PxError('config.invalid', `${JSON.stringify(rule.slice(0, 200))} is no rule for a folder`, {
      hint: 'Write it as `read ~/notes` or `write /srv/work`: an absolute path, without `..`.',
    });
  return { path, write: mode === 'write' };
}
