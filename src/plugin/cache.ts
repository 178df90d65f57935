import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { dependencies } from '../../package.json';
import { sha256, writeAtomic } from './registry.ts';

/** Raised when what px makes of a plugin changes, so that nothing made by an older px is run. */
const generation = 7;

const Manifest = v.object({
  key: v.string(),
  files: v.array(v.object({ name: v.pipe(v.string(), v.regex(/^[\w.-]{1,80}$/)), sha256: v.string() })),
});

/** Files by name, in order. */
export type Files = [name: string, bytes: Uint8Array][];

/**
 * What was made of plugins, below `state/cache/`: code, so readable by the owner only and checked whenever it is read.
 * Anything may be deleted at any time; it is made again.
 */
export interface Cache {
  /** Undefined when there is none, or when one byte of it is not as it was written. */
  read(digest: string, variant: string): Files | undefined;
  write(digest: string, variant: string, files: Files): void;
  /** Deletes everything made of a file. */
  drop(digest: string): void;
}

/** Opens the cache; makes no folder before something is written. */
export function openCache(state: string): Cache {
  const root = join(state, 'cache');
  const keyOf = (digest: string, variant: string) =>
    `${digest}-${dependencies['@bytecodealliance/jco-transpile']}.${generation}-${variant}`;
  return {
    read(digest, variant) {
      const key = keyOf(digest, variant);
      const folder = join(root, key);
      try {
        const manifest = v.parse(Manifest, JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
        const files = manifest.files.map(({ name }): [string, Uint8Array] => [name, readFileSync(join(folder, name))]);
        const whole = manifest.files.every((file, i) => sha256(files[i]?.[1] ?? '') === file.sha256);
        return whole && manifest.key === key ? files : undefined;
      } catch {
        return undefined;
      }
    },
    write(digest, variant, files) {
      const key = keyOf(digest, variant);
      const folder = join(root, key);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const [name, bytes] of files) writeAtomic(join(folder, name), bytes);
      const listed = files.map(([name, bytes]) => ({ name, sha256: sha256(bytes) }));
      writeAtomic(join(folder, 'manifest.json'), JSON.stringify({ key, files: listed }));
    },
    drop(digest) {
      let names: string[] = [];
      try {
        names = readdirSync(root).filter((name) => name.startsWith(`${digest}-`));
      } catch {
        return;
      }
      for (const name of names) rmSync(join(root, name), { recursive: true, force: true });
    },
  };
}
