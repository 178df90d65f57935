import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FakeSystemd } from '../service/systemctl.ts';
import { binary, notBuilt, Px } from './px.ts';

describe.skipIf(notBuilt !== undefined)('px service, with a systemctl that starts the command of the unit', () => {
  test('is installed, answers, is installed again, shows itself, and goes', async () => {
    await using systemd = new FakeSystemd();
    await using px = new Px({ config: { gateway: { port: 0 } }, env: systemd.env });
    const installed = await px.run('service', 'install');
    expect(installed.stderr).toBe('');
    expect(installed.stdout).toContain('px runs at http://127.0.0.1:');
    expect(installed.stdout).toContain('loginctl enable-linger');
    expect(systemd.unit()).toContain(`ExecStart=${binary} --home ${px.home} serve`);
    expect(systemd.calls()).toEqual([
      '--user daemon-reload',
      '--user enable px.service',
      '--user reset-failed px.service',
      '--user restart px.service',
    ]);
    const first = systemd.pid;
    expect((await px.run('service', 'install')).code).toBe(0);
    expect(systemd.pid).not.toBe(first);

    const status = await px.run('service', 'status');
    expect(status.stdout).toContain(`active (running), process ${systemd.pid}`);
    expect(status.code).toBe(0);
    expect((await px.run('service', 'logs', '-f', '-n', '7')).stdout).toBe(
      '--user-unit=px.service --lines=7 --output=short-iso --quiet --follow\n',
    );
    expect((await px.run('service', 'logs', '--json')).stdout).toContain('--output=json');

    const gone = await px.run('service', 'uninstall');
    expect(gone.stderr).toBe('');
    expect(existsSync(join(systemd.config, 'systemd/user/px.service'))).toBe(false);
    expect(() => process.kill(systemd.pid, 0)).toThrow();
    const after = await px.run('service', 'status');
    expect(after.stdout).toContain('px service install');
    expect(after.code).toBe(1);
    expect((await px.run('service', 'logs')).stderr).toContain('px is not installed as a service');
  }, 60_000);

  test('a unit that somebody else wrote is neither written over nor removed', async () => {
    await using systemd = new FakeSystemd();
    await using px = new Px({ env: systemd.env });
    const file = join(systemd.config, 'systemd/user/px.service');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '[Service]\nExecStart=/bin/true\n');
    for (const verb of ['install', 'uninstall']) {
      const refused = await px.run('service', verb);
      expect(refused.stderr).toContain('written by somebody else');
      expect(refused.code).toBe(1);
    }
    expect(systemd.unit()).toBe('[Service]\nExecStart=/bin/true\n');
  });

  test('a px that runs for the home already is named instead of fought with', async () => {
    await using systemd = new FakeSystemd();
    await using px = await new Px({ env: systemd.env }).serve();
    const refused = await px.run('service', 'install');
    expect(refused.stderr).toContain(`process ${px.pid}`);
    expect(existsSync(join(systemd.config, 'systemd/user/px.service'))).toBe(false);
  });

  test('without systemd it says so, and what to do instead', async () => {
    await using systemd = new FakeSystemd();
    systemd.hangUp();
    await using px = new Px({ env: systemd.env });
    for (const verb of ['install', 'status']) {
      const refused = await px.run('service', verb);
      expect(refused.stderr).toContain('No medium found');
      expect(refused.stderr).toContain('sudo px service install --system');
      expect(refused.code).toBe(1);
    }
    await using bare = new Px({ env: { PATH: '/nowhere' } });
    const refused = await bare.run('service', 'status', '--json');
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'service.unavailable' } });
    expect((await bare.run('service', 'install')).stderr).toContain('nohup px serve');
  });
});
