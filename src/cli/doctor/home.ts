import { accessSync, chmodSync, constants, existsSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../../config/config.ts';
import { type Finding, fine, size } from './finding.ts';

/** The folder px lives in: writable, private, with room, and without what a px that was killed left behind. */
export async function homeFindings(home: Home, running: boolean): Promise<Finding[]> {
  const name = 'home';
  if (!existsSync(home.root)) return [fine(name, `${home.root} does not exist yet; px setup or px serve makes it`)];
  try {
    accessSync(home.root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    const hint = 'chown it to yourself, or use --home';
    return [{ name, state: 'fail', text: `${home.root} cannot be written`, hint }];
  }
  const open = rightsFindings(home);
  return [
    ...(open.length > 0 ? open : [fine(name, `${home.root} is writable, its keys are private`)]),
    diskFinding(home.root, statfsSync(home.root)),
    ...calendarFindings(home, Date.now()),
    ...(running ? [] : staleFindings(home)),
    ...(await leftoverFindings(home)),
  ];
}

function rightsFindings(home: Home): Finding[] {
  const secret = [
    home.state,
    ...['master.key', 'token', 'px.db', 'gateway.json'].map((file) => join(home.state, file)),
  ];
  const shared = [home.root, home.config, home.memory, home.plugins, join(home.plugins, 'plugins.lock')];
  const looked = [
    ...secret.map((path) => ({ path, others: 0o077, text: 'can be read by others', how: 'go-rwx' })),
    ...shared.map((path) => ({
      path,
      others: 0o002,
      text: 'can be changed by every user of this machine',
      how: 'o-w',
    })),
  ];
  return looked.flatMap(({ path, others, text, how }): Finding[] => {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & others) === 0) return [];
    return [
      {
        name: 'rights',
        state: 'warn',
        text: `${path} ${text} (${(mode & 0o777).toString(8)})`,
        hint: `chmod ${how} '${path}'`,
        fix: {
          what: `take the rights of others off ${path}`,
          run: async () => chmodSync(path, mode & 0o7777 & ~others),
        },
      },
    ];
  });
}

/** Whether the disk has room. A journal grows by a few MB a month; SQLite needs room for its log. */
export function diskFinding(
  root: string,
  disk: { bavail: number; bsize: number; files: number; ffree: number },
): Finding {
  const name = 'disk';
  const free = disk.bavail * disk.bsize;
  const hint = `du -sh '${root}'/* shows what of px takes room`;
  if (free < 50e6) return { name, state: 'fail', text: `only ${size(free)} are free where the home is`, hint };
  if (disk.files > 0 && disk.ffree < 100)
    return { name, state: 'fail', text: `no more files can be made where the home is (${disk.ffree} left)`, hint };
  if (free < 500e6) return { name, state: 'warn', text: `only ${size(free)} are free where the home is`, hint };
  return fine(name, `${size(free)} are free where the home is`);
}

/** A clock that was never set says a year before px was written: a Pi without a network has no other way to know. */
const earliest = Date.UTC(2026, 0, 1);
/** Files of px in which a later time than now shows that the clock was set back, or was wrong, by more than this, in ms. */
const mostAhead = 120_000;

/** What can be known of the clock without asking anybody: whether it is before what px wrote already. */
export function calendarFindings(home: Home, now: number): Finding[] {
  const name = 'clock';
  const hint = 'Set it: timedatectl set-ntp true, or date -s';
  if (now < earliest)
    return [{ name, state: 'fail', text: `it says ${new Date(now).toISOString()}, which is past`, hint }];
  const written = [home.config, join(home.state, 'px.db'), join(home.state, 'index.db')].map((path) => ({
    path,
    at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  }));
  const late = written.find(({ at }) => at > now + mostAhead);
  if (!late) return [];
  const text = `it says ${new Date(now).toISOString()}, and ${late.path} was written at ${new Date(late.at).toISOString()}`;
  return [{ name, state: 'warn', text: `${text}: it is wrong, or was then`, hint }];
}

/** What names a px that is not there any more. The lock itself is the kernel's, and gone with its process. */
function staleFindings(home: Home): Finding[] {
  return ['px.pid', 'gateway.json'].flatMap((file): Finding[] => {
    const path = join(home.state, file);
    if (!existsSync(path)) return [];
    const pid = Number(
      /\d+/.exec(
        file === 'px.pid' ? readFileSync(path, 'utf8') : (/"pid":\s*\d+/.exec(readFileSync(path, 'utf8'))?.[0] ?? ''),
      )?.[0],
    );
    if (pid > 0 && isAlive(pid))
      return [
        {
          name: 'daemon',
          state: 'warn',
          text: `process ${pid} may hold this home, and answers no requests`,
          hint: `If it is a px that hangs: kill ${pid}`,
        },
      ];
    return [
      {
        name: 'daemon',
        state: 'warn',
        text: `${path} names a px that is not there any more`,
        hint: 'px serve writes it anew',
        fix: { what: `remove ${path}`, run: async () => rmSync(path, { force: true }) },
      },
    ];
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** What px writes beside a file before it moves it over, and its key before it has its name. */
const ofNotes = /^\.px-[0-9a-f]{12}\.tmp$/;
const ofConfig = /^\.px\.yaml\.\d+\.[0-9a-f]{8}$/;
const ofState = /^(?:.+\.\d+\.tmp|master\.key\.\d+\.[0-9a-f-]{36})$/;
/** A file that was written to later than this may be in the making, in ms. */
const settledMs = 60_000;

async function leftoverFindings(home: Home): Promise<Finding[]> {
  const found: string[] = [];
  const look = async (folder: string, form: RegExp, recursive = true) => {
    for (const { name, parentPath } of await readdir(folder, { withFileTypes: true, recursive }).catch(() => [])) {
      if (!form.test(name)) continue;
      const path = join(parentPath, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats?.isFile() && Date.now() - stats.mtimeMs > settledMs) found.push(path);
    }
  };
  await Promise.all([
    look(home.root, ofConfig, false),
    look(home.memory, ofNotes),
    look(home.plugins, ofState),
    look(home.state, ofState),
  ]);
  if (found.length === 0) return [];
  const [first = ''] = found;
  const text = `${found.length === 1 ? `${first} was` : `${first} and ${found.length - 1} more were`} never finished`;
  return [
    {
      name: 'leftovers',
      state: 'warn',
      text: `${text}: px was stopped while it wrote, and what it wrote to is whole`,
      fix: {
        what: `remove ${found.length === 1 ? first : `${found.length} unfinished files`}`,
        run: async () => {
          for (const path of found) rmSync(path, { force: true });
        },
      },
    },
  ];
}
