import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeAt } from '../../src/config/config.ts';
import { plistText } from '../../src/service/plist.ts';
import { serviceLogs, serviceState } from '../../src/service/service.ts';
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
  test('is well-formed XML that holds every word, whatever is in it', async () => {
    const text = plistText({ name: 'px', executable: '/Users/a&b/<px>', home: '/Users/a&b/.px', log: '/tmp/px.log' });
    const seen: string[] = [];
    const open: string[] = [];
    const rewriter = new HTMLRewriter().on('*', {
      element(element) {
        open.push(element.tagName);
        if (element.canHaveContent && !element.selfClosing) element.onEndTag(() => void open.pop());
        else open.pop();
      },
      text: (chunk) => {
        if (chunk.text.trim() !== '') seen.push(chunk.text.trim());
      },
    });
    await rewriter.transform(new Response(text)).text();
    expect(open).toEqual([]);
    expect(seen.join(' ')).toContain('ProgramArguments');
    expect(seen.join('')).toContain('/Users/a&amp;b/&lt;px&gt;');
    expect(text).toContain('<key>RunAtLoad</key>\n  <true/>');
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
