import { describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeAt } from '../../src/config/config.ts';
import { plistText } from '../../src/service/plist.ts';
import { controlService, serviceLogs, serviceState } from '../../src/service/service.ts';
import { unitText } from '../../src/service/unit.ts';

const user = unitText({ executable: '/home/ada/bin/px', home: '/home/ada/.px' });
const machine = unitText({ executable: '/usr/local/bin/px', home: '/var/lib/px', user: 'px' });
const values = (unit: string, key: string) =>
  unit.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));

describe('the systemd unit', () => {
  test('waits for READY=1, watches, and tells px alone to stop', () => {
    for (const unit of [user, machine]) {
      expect(values(unit, 'Type')).toEqual(['notify']);
      expect(values(unit, 'KillMode')).toEqual(['mixed']);
      expect(Number(values(unit, 'WatchdogSec')[0])).toBeGreaterThan(0);
      expect(values(unit, 'WatchdogSignal')).toEqual(['SIGKILL']);
    }
  });

  test('leaves what px needs itself: code it compiles, and the filter it locks plugins with', () => {
    for (const unit of [user, machine]) {
      expect(values(unit, 'MemoryDenyWriteExecute')).toEqual([]);
      expect(values(unit, 'SystemCallFilter')[0]?.split(' ')).toContain('seccomp');
    }
  });

  test('of the machine may write its home and nothing else', () => {
    expect(values(machine, 'User')).toEqual(['px']);
    expect(values(machine, 'ProtectSystem')).toEqual(['strict']);
    expect(values(machine, 'ReadWritePaths')).toEqual(['/var/lib/px']);
    expect(values(machine, 'ProtectHome')).toEqual(['yes']);
    expect(values(user, 'User')).toEqual([]);
  });

  test('of the machine, for a home below /home, hides every other home', () => {
    const unit = unitText({ executable: '/home/pi/px', home: '/home/pi/my px', user: 'pi' });
    expect(values(unit, 'ProtectHome')).toEqual(['tmpfs']);
    expect(values(unit, 'BindPaths')).toEqual(['"/home/pi/my px"']);
    expect(values(unit, 'BindReadOnlyPaths')).toEqual(['/home/pi/px']);
  });

  test('keeps odd paths one word, with nothing expanded', () => {
    const [line] = values(unitText({ executable: '/opt/a b/px', home: '/srv/100%/$HOME/"x"\\y' }), 'ExecStart');
    expect(line).toBe('"/opt/a b/px" --home "/srv/100%%/$$HOME/\\"x\\"\\\\y" serve');
  });

  // CI has systemd's tools in its image; where they are missing there is nothing to ask.
  const analyze = Bun.which('systemd-analyze');
  test.skipIf(analyze === null)('is one that systemd takes without a word (needs systemd-analyze)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'px-unit-'));
    try {
      for (const [name, unit] of [
        ['user', unitText({ executable: '/bin/true', home: '/var/lib/px' })],
        ['machine', unitText({ executable: '/bin/true', home: '/var/lib/px', user: 'root' })],
      ] as const) {
        const file = join(folder, `px-${name}.service`);
        writeFileSync(file, unit);
        const { stdout, stderr, exitCode } = Bun.spawnSync([analyze ?? '', 'verify', '--man=no', file]);
        const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(`px-${name}`));
        expect(said).toEqual([]);
        expect(exitCode).toBe(0);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the property list of launchd', () => {
  // What launchd.plist(5) documents of the keys px uses. Python reads property lists strictly.
  const documented: Record<string, (value: unknown) => boolean> = {
    Label: (value) => typeof value === 'string',
    ProgramArguments: (value) => Array.isArray(value) && value.every((word) => typeof word === 'string'),
    UserName: (value) => typeof value === 'string',
    RunAtLoad: (value) => typeof value === 'boolean',
    KeepAlive: (value) => JSON.stringify(value) === '{"SuccessfulExit":false}',
    ThrottleInterval: Number.isInteger,
    ExitTimeOut: Number.isInteger,
    ProcessType: (value) => ['Background', 'Standard', 'Adaptive', 'Interactive'].includes(String(value)),
    Umask: Number.isInteger,
    StandardOutPath: (value) => typeof value === 'string',
    StandardErrorPath: (value) => typeof value === 'string',
  };
  const python = Bun.which('python3');
  const read = (text: string): Record<string, unknown> => {
    const program = 'import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
    const { stdout, stderr } = Bun.spawnSync([python ?? '', '-c', program], { stdin: Buffer.from(text) });
    expect(stderr.toString()).toBe('');
    return JSON.parse(stdout.toString());
  };
  test.skipIf(python === null)(
    'has keys that launchd documents, of their types, and every word whatever is in it (needs python3)',
    () => {
      const odd = { executable: '/Users/a&b/<px>', home: '/Users/a&b/my "px"', log: '/tmp/px.log' };
      const agent = read(plistText({ name: 'px', ...odd }));
      const daemon = read(plistText({ name: 'px-2', ...odd, user: '_px' }));
      for (const list of [agent, daemon])
        for (const [key, value] of Object.entries(list)) expect([key, documented[key]?.(value)]).toEqual([key, true]);
      expect(agent['ProgramArguments']).toEqual(['/Users/a&b/<px>', '--home', '/Users/a&b/my "px"', 'serve']);
      expect(agent).toMatchObject({ Label: 'px', RunAtLoad: true, Umask: 63, ExitTimeOut: 40 });
      expect([agent['UserName'], daemon['UserName']]).toEqual([undefined, '_px']);
    },
  );

  test('is started again once the px before it is gone, which launchctl does not wait for', async () => {
    const root = mkdtempSync(join(tmpdir(), 'px-launchd-'));
    try {
      // Its px is still there for the first two questions after it was told to go.
      writeFileSync(
        join(root, 'launchctl'),
        `#!/bin/sh
cd '${root}'
echo "$1" >>calls
case "$1" in
  print) [ -e loaded ] || exit 113; [ ! -e going ] || { echo . >>going; [ "$(wc -l <going)" -lt 3 ] || rm loaded going; } ;;
  bootout) : >going; echo 'Boot-out failed: 36: Operation now in progress' >&2; exit 36 ;;
  bootstrap) [ ! -e loaded ] || { echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5; }; : >loaded ;;
esac
`,
        { mode: 0o755 },
      );
      const env = {
        home: undefined,
        userHome: root,
        get: (name: string) => (name === 'PATH' ? `${root}:/bin:/usr/bin` : undefined),
      };
      mkdirSync(join(root, 'Library/LaunchAgents'), { recursive: true });
      writeFileSync(join(root, 'Library/LaunchAgents/px.plist'), '');
      writeFileSync(join(root, 'loaded'), '');
      await controlService('restart', { home: homeAt(root), env, platform: 'darwin', uid: 501 });
      const calls = (await Bun.file(join(root, 'calls')).text()).split('\n');
      expect(calls.filter((call) => call !== '' && call !== 'print')).toEqual(['bootout', 'enable', 'bootstrap']);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  test('belongs to the user, or with root to the machine', async () => {
    const root = mkdtempSync(join(tmpdir(), 'px-launchd-'));
    try {
      const log = join(root, 'calls');
      writeFileSync(join(root, 'launchctl'), `#!/bin/sh\necho "$@" >>'${log}'\nexit 113\n`, { mode: 0o755 });
      const env = {
        home: undefined,
        userHome: root,
        get: (name: string) => (name === 'PATH' ? `${root}:/bin:/usr/bin` : undefined),
      };
      const options = { home: homeAt(root), env, platform: 'darwin', uid: 501 };
      const state = await serviceState(options);
      expect(state).toMatchObject({ manager: 'launchd', installed: false, running: false, detail: 'not loaded' });
      expect(state.file).toBe(join(root, 'Library/LaunchAgents/px.plist'));
      expect((await serviceState({ ...options, system: true })).file).toBe('/Library/LaunchDaemons/px.plist');
      expect((await Bun.file(log).text()).split('\n').slice(0, 2)).toEqual(['print gui/501/px', 'print system/px']);
      expect(() => serviceLogs(options, 10, true)).toThrow('is not installed');
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
