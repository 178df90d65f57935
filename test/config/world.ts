import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfigStore, type Environment, type Home, homeAt, openConfig } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';

/** Temporary homes and what was opened in them; `[Symbol.dispose]` ends and removes everything. */
export class World implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'px-config-'));
  #open: ConfigStore[] = [];

  folder(name: string, mode = 0o755): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true, mode });
    return path;
  }

  home(yaml?: string): Home {
    const home = homeAt(this.root);
    if (yaml !== undefined) writeFileSync(home.config, yaml);
    return home;
  }

  async open(yaml?: string): Promise<ConfigStore> {
    const store = await openConfig(this.home(yaml), environment());
    this.#open.push(store);
    return store;
  }

  [Symbol.dispose](): void {
    for (const store of this.#open) store.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function environment(more: Partial<Environment> = {}): Environment {
  return { home: undefined, userHome: '/home/ada', get: () => undefined, ...more };
}

/** What a promise was refused with. */
export async function refusal(work: Promise<unknown>): Promise<PxError> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof PxError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}
