import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openForeign } from './import-database.ts';
import { linesOf } from './import-lines.ts';
import { type SessionNote, sessionNote } from './import-session.ts';

/** A conversation of an OpenClaw home, or a file of one that is left out. */
export interface ForeignSession {
  /** Path in the home that is brought in. */
  from: string;
  /** Path below memory/ of the note of a conversation that began on this day. */
  to(day: string): string;
  /** Reads it. Throws when the file cannot be read. */
  read?(): Promise<SessionNote>;
  /** Why it is left out. */
  why?: string;
}

/** True for a folder that is an OpenClaw home (`~/.openclaw`, `~/.clawdbot`, `~/.moltbot`), not a workspace. */
export function isOpenclawHome(folder: string): boolean {
  const has = (name: string) => lstatSync(join(folder, name), { throwIfNoEntry: false }) !== undefined;
  if (['workspace', 'openclaw.json', 'clawdbot.json', 'moltbot.json'].some(has)) return true;
  // A workspace may have a folder of that name too.
  return has('agents') && !['AGENTS.md', 'SOUL.md', 'MEMORY.md'].some(has);
}

/** The workspaces of other agents in a home, `workspace-NAME`: which of them is meant, a person says. */
export const otherWorkspaces = async (home: string): Promise<string[]> =>
  (await names(home, 'folder')).filter((name) => name.startsWith('workspace-'));

/** The conversations of an OpenClaw home, agent by agent: of the files `sessions/*.jsonl`, and of the databases that took their place. Links are not followed. */
export async function* openclawSessions(home: string): AsyncGenerator<ForeignSession> {
  for (const agent of await names(join(home, 'agents'), 'folder')) {
    const seen = new Set<string>();
    const session = (from: string, id: string, read: () => Promise<SessionNote>): ForeignSession => {
      seen.add(id);
      return {
        from,
        to: (day) => `imported/openclaw/${fileName(agent)}/${day} ${fileName(id.slice(0, 200)).slice(0, 80)}.md`,
        read,
      };
    };
    const path = `agents/${agent}/agent/openclaw-agent.sqlite`;
    const none = (from: string, why: string): ForeignSession => ({ from, to: () => '', why });
    try {
      await using database = await openForeign(join(home, path));
      for (const id of database?.sessions() ?? [])
        yield session(`${path}, ${id}`, id, () => sessionNote(database?.lines(id) ?? nothing(), agent));
    } catch {
      yield none(path, 'no database of conversations that px can read');
    }
    const folder = `agents/${agent}/sessions`;
    for (const name of await names(join(home, folder), 'file')) {
      const from = `${folder}/${name}`;
      const [, id = '', end = ''] = /^(.+?)\.jsonl(\..*)?$/.exec(name) ?? [];
      if (id === '' || end.startsWith('.lock')) continue;
      // Moved into the database meanwhile.
      if (end === '' && seen.has(id)) continue;
      if (end.startsWith('.deleted')) yield none(from, 'deleted there');
      else if (end.startsWith('.bak') || /\.(?:trajectory|checkpoint)(?:\.|$)/.test(id)) yield none(from, 'a copy');
      else yield session(from, id + end, () => sessionNote(linesOf(join(home, from)), agent));
    }
  }
}

/** Names in a folder that is no link, sorted; empty when there is none. */
async function names(folder: string, kind: 'file' | 'folder'): Promise<string[]> {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((one) => (kind === 'file' ? one.isFile() : one.isDirectory()) && !one.name.startsWith('.'))
    .map((one) => basename(one.name))
    .sort();
}

/** A name as part of a file's name. */
const fileName = (name: string): string => name.replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, '') || 'x';

async function* nothing(): AsyncGenerator<undefined> {}
