import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../config/config.ts';
import { makeFolder, replaceFile } from './durable.ts';

/** Writes the files a new memory starts with, where they are missing. Returns the names of those it wrote. */
export async function initMemory(home: Home): Promise<string[]> {
  const names = ['SOUL.md', 'USER.md', 'MEMORY.md', 'AGENTS.md'] as const;
  const missing = names.filter((name) => !existsSync(join(home.memory, name)));
  if (missing.length === 0) return [];
  await makeFolder(home.memory);
  const { starterTexts } = await import('./starter-texts.ts');
  for (const name of missing) await replaceFile(join(home.memory, name), starterTexts[name]);
  return missing;
}
