import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import agents from '../../memory/AGENTS.md' with { type: 'text' };
import memory from '../../memory/MEMORY.md' with { type: 'text' };
import soul from '../../memory/SOUL.md' with { type: 'text' };
import user from '../../memory/USER.md' with { type: 'text' };
import type { Home } from '../config/config.ts';

const files = { 'SOUL.md': soul, 'USER.md': user, 'MEMORY.md': memory, 'AGENTS.md': agents };

/** Gives a home that has no notes yet its first ones; a note a person deleted does not come back. Returns whether it did. */
export function writeStarterNotes(home: Home): boolean {
  if (existsSync(home.memory) && readdirSync(home.memory).some((name) => name.endsWith('.md'))) return false;
  mkdirSync(home.memory, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home.memory, name), text);
  return true;
}
