import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Environment,
  homeAt,
  initHome,
  loadEnvironment,
  openConfig,
  resolveHome,
} from '../../src/config/config.ts';
import { environment, refusal, World } from './world.ts';

const rootOf = (more: Partial<Environment>, flag?: string) => resolveHome(environment(more), flag).root;

describe('the home is', () => {
  test('what --home says, before what PX_HOME says, before everything else', () => {
    expect(rootOf({ home: '/from/env' }, '/from/flag')).toBe('/from/flag');
    expect(rootOf({ home: '/from/env' })).toBe('/from/env');
    expect(rootOf({ home: '~/px' })).toBe('/home/ada/px');
    expect(rootOf({}, 'relative')).toBe(join(process.cwd(), 'relative'));
    expect(rootOf({})).toBe('/home/ada/.px');
    expect(() => rootOf({}, ' ')).toThrow('--home needs a folder');
  });

  test('the folder of the executable, when it is writable or holds a px.yaml', () => {
    using world = new World();
    const folder = world.folder('my-px');
    expect(rootOf({ executable: join(folder, 'px') })).toBe(folder);
    const bin = world.folder('bin');
    writeFileSync(join(bin, 'px.yaml'), '');
    expect(rootOf({ executable: join(bin, 'px') })).toBe(bin);
  });

  test('never a folder for programs or downloads, one on PATH, or the home folder itself', () => {
    using world = new World();
    const inside = (name: string) => join(world.folder(name), 'px');
    const cases: Partial<Environment>[] = [
      { executable: inside('local/bin') },
      { executable: inside('Downloads') },
      { executable: inside('tools'), get: (name) => (name === 'PATH' ? `/bin:${world.folder('tools')}` : undefined) },
      { executable: '/usr/local/lib/px/px' },
      { executable: '/bin/px' },
      { executable: '/nowhere/px' },
    ];
    for (const more of cases) expect([more.executable, rootOf(more)]).toEqual([more.executable, '/home/ada/.px']);
    const own = world.folder('ada');
    expect(rootOf({ userHome: own, executable: join(own, 'px') })).toBe(join(own, '.px'));
    symlinkSync(own, join(world.root, 'link'));
    expect(rootOf({ userHome: own, executable: join(world.root, 'link', 'px') })).toBe(join(own, '.px'));
  });

  test('never a folder where anybody could plant a px.yaml', () => {
    using world = new World();
    const shared = world.folder('shared');
    writeFileSync(join(shared, 'px.yaml'), '');
    chmodSync(shared, 0o777);
    expect(rootOf({ executable: join(shared, 'px') })).toBe('/home/ada/.px');
  });

  test('not beside bun, when px runs from its sources', () => {
    expect(loadEnvironment().executable).toBeUndefined();
    expect(loadEnvironment().get('PATH')).toBe(process.env['PATH']);
    expect(resolveHome(loadEnvironment()).root).toBe(join(process.env['HOME'] ?? '', '.px'));
  });
});

describe('a new home', () => {
  test('has its folders for the owner only and a px.yaml with Telegram prepared and switched off, and no other grant', async () => {
    using world = new World();
    const home = homeAt(join(world.root, 'new', 'home'));
    expect(await initHome(home)).toEqual({ created: true });
    for (const folder of [home.root, home.memory, home.plugins, home.state])
      expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(home.config).mode & 0o777).toBe(0o600);
    using plain = new World();
    const store = await openConfig(home, environment());
    const { channels, plugins, ...rest } = store.current;
    expect(rest).toEqual((({ channels: _, plugins: __, ...others }) => others)((await plain.open()).current));
    expect(Object.entries(channels).map(([name, channel]) => [name, channel.enabled])).toEqual([['telegram', false]]);
    expect(Object.keys(plugins)).toEqual(['telegram']);
    expect(plugins['telegram']?.grants.egress).toEqual([
      'GET,POST https://api.telegram.org/bot',
      'GET https://api.telegram.org/file/bot',
    ]);
    store.close();
  });

  test('is left as it is when it is there; only state/ is closed to others', async () => {
    using world = new World();
    const home = world.home('log: {level: warn}\n');
    mkdirSync(home.state, { mode: 0o755 });
    chmodSync(home.state, 0o755);
    expect(await initHome(home)).toEqual({ created: false });
    expect(readFileSync(home.config, 'utf8')).toBe('log: {level: warn}\n');
    expect(statSync(home.state).mode & 0o777).toBe(0o700);
    expect(existsSync(home.plugins)).toBe(true);
  });

  test('that cannot be made says so', async () => {
    using world = new World();
    writeFileSync(join(world.root, 'file'), '');
    const error = await refusal(initHome(homeAt(join(world.root, 'file', 'x'))));
    expect(error.code).toBe('config.unreadable');
    expect(error.hint).toContain('--home');
  });

  test('shows only keys that exist: its examples are valid when uncommented', async () => {
    using world = new World();
    const home = homeAt(join(world.root, 'x'));
    await initHome(home);
    const [, ...blocks] = readFileSync(home.config, 'utf8').split('\n\n');
    expect(blocks.length).toBeGreaterThan(5);
    const yaml = blocks.join('\n').replace(/^# (?=\s|[a-z]+:)/gm, '');
    using other = new World();
    const { current } = await other.open(yaml);
    expect(current.providers.openai.api_key).toBe('secret:OPENAI_API_KEY');
    expect(current.plugins['telegram']?.grants.secrets['TELEGRAM_TOKEN']).toHaveLength(2);
    expect(current.model.aliases['fast']).toBe('openai/gpt-5-mini');
  });
});
