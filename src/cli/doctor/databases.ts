import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../../config/config.ts';
import { toPxError } from '../../error/error.ts';
import { checkDatabase } from '../../store/store.ts';
import type { Finding } from './finding.ts';

/** Whether the databases are whole. `rebuild` remakes the index of a px that runs. */
export function databaseFindings(home: Home, rebuild?: () => Promise<unknown>): Finding[] {
  const found = [privateFinding(join(home.state, 'px.db')), indexFinding(home, rebuild)].flat();
  return found.length > 0 ? found : [{ name: 'databases', state: 'ok', text: 'whole' }];
}

function privateFinding(path: string): Finding[] {
  return damage('databases', path, false, {
    hint: `Nothing is mended by itself here: stop px, put ${path} back from a backup (with master.key), or move it away. Conversations and memory are in memory/ and stay; stored keys, messages in flight and plugins' values would be lost.`,
  });
}

function indexFinding(home: Home, rebuild: (() => Promise<unknown>) | undefined): Finding[] {
  const path = join(home.state, 'index.db');
  return damage('index', path, true, {
    hint: 'It is made from memory/ and can be made again.',
    fix: {
      what: 'make the index again from memory/',
      run: rebuild ?? (async () => ['', '-wal', '-shm', '-journal'].map((end) => rmSync(path + end, { force: true }))),
    },
  });
}

/** `then`: what can be done about damage. What could not be read (the disk is full) may be whole. */
function damage(name: string, path: string, quick: boolean, then: Pick<Finding, 'hint' | 'fix'>): Finding[] {
  try {
    const said = checkDatabase(path, quick);
    // SQLite lists all it finds, below a heading; the first of it is enough to know.
    const [first] = said.split('\n').filter((row) => !row.startsWith('***'));
    return said === '' ? [] : [{ name, state: 'fail', text: `${path} is damaged: ${first ?? said}`, ...then }];
  } catch (thrown) {
    return [{ name, state: 'warn', text: `${path} could not be looked at: ${toPxError(thrown).message}` }];
  }
}
