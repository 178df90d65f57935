import { describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ConfigStore } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { refusal, World } from './world.ts';

/** Everything a store tells, and a promise for the next of it. */
function listen(store: ConfigStore) {
  const told: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const tell = (what: string) => {
    told.push(what);
    for (const wait of waiting) if (told.length >= wait.count) wait.resolve();
  };
  store.onChange((_, changed) => tell(`changed ${changed.join(' ')}`));
  store.onReject((error) => tell(`refused ${error instanceof PxError ? error.code : String(error)}`));
  store.watch();
  return {
    told,
    until: (count: number) =>
      told.length >= count ? Promise.resolve() : new Promise<void>((resolve) => waiting.push({ count, resolve })),
  };
}

describe('an edit of px.yaml while px runs', () => {
  test('takes effect and tells what changed', async () => {
    using world = new World();
    const store = await world.open('model:\n  default: openai/a\n');
    const { told, until } = listen(store);
    writeFileSync(store.home.config, 'model:\n  default: openai/b\nplugins:\n  clock: {}\n');
    await until(1);
    expect(told).toEqual(['changed model.default plugins.clock']);
    expect(store.current.model.default).toBe('openai/b');
  });

  test('is seen when the editor replaces the file, again and again', async () => {
    using world = new World();
    const store = await world.open('log: {level: info}\n');
    const { told, until } = listen(store);
    for (const [i, level] of ['debug', 'warn', 'error'].entries()) {
      const swap = join(store.home.root, '4913.tmp');
      writeFileSync(swap, `log: {level: ${level}}\n`);
      renameSync(swap, store.home.config);
      await until(i + 1);
      expect(store.current.log.level).toBe(level as 'debug');
    }
    expect(told).toHaveLength(3);
  });

  test('is seen when the first px.yaml appears', async () => {
    using world = new World();
    const store = await world.open();
    const { until } = listen(store);
    writeFileSync(store.home.config, 'gateway: {port: 8080}\n');
    await until(1);
    expect(store.current.gateway.port).toBe(8080);
  });

  test('is seen through a symbolic link', async () => {
    using world = new World();
    const target = join(world.folder('dotfiles'), 'my.yaml');
    writeFileSync(target, 'gateway: {port: 1}\n');
    symlinkSync(target, world.home().config);
    const store = await world.open();
    const { until } = listen(store);
    writeFileSync(target, 'gateway: {port: 2}\n');
    await until(1);
    expect(store.current.gateway.port).toBe(2);
  });

  test('that is wrong is refused once, the last good one stays, and the next good one counts', async () => {
    using world = new World();
    const store = await world.open('gateway: {port: 8080}\n');
    const { told, until } = listen(store);
    writeFileSync(store.home.config, 'gateway: {prot: 1}\n');
    await until(1);
    expect(store.current.gateway.port).toBe(8080);
    // Other files of the folder make events too.
    writeFileSync(join(store.home.root, 'other'), 'x');
    await Bun.sleep(120);
    writeFileSync(store.home.config, 'gateway: [');
    await until(2);
    writeFileSync(store.home.config, 'gateway: {port: 9090}\n');
    await until(3);
    expect(told).toEqual(['refused config.unknown-key', 'refused config.unreadable', 'changed gateway.port']);
    expect(store.current.gateway.port).toBe(9090);
  });

  test('written in pieces is read when it is whole: half of it never counts', async () => {
    using world = new World();
    const whole = `gateway:\n  port: 8080\nlog:\n  level: warn\nmodel:\n  default: openai/x\n`;
    const store = await world.open(whole);
    const { told, until } = listen(store);
    truncateSync(store.home.config, 0);
    await Bun.sleep(100);
    const next = whole.replace('8080', '9090');
    for (let i = 0; i < next.length; i += 16) {
      appendFileSync(store.home.config, next.slice(i, i + 16));
      await Bun.sleep(5);
    }
    await until(1);
    expect(told).toEqual(['changed gateway.port']);
    expect(store.current.log.level).toBe('warn');
  });

  test('that takes the file away leaves what it said in force', async () => {
    using world = new World();
    const store = await world.open('gateway: {port: 8080}\n');
    const { told, until } = listen(store);
    rmSync(store.home.config);
    await until(1);
    expect(told).toEqual(['refused config.unreadable']);
    expect(store.current.gateway.port).toBe(8080);
  });

  test('of comments or spaces only is no change', async () => {
    using world = new World();
    const store = await world.open('gateway: {port: 8080}\n');
    const { told, until } = listen(store);
    writeFileSync(store.home.config, '# hello\ngateway:\n  port: 8080\n');
    await Bun.sleep(150);
    writeFileSync(store.home.config, 'gateway: {port: 8081}\n');
    await until(1);
    expect(told).toEqual(['changed gateway.port']);
  });

  test('is not told after closing, nor to whoever left', async () => {
    using world = new World();
    const store = await world.open('gateway: {port: 1}\n');
    const { told } = listen(store);
    const left: string[] = [];
    store.onChange(() => left.push('told'))();
    await store.set('gateway.port', 2);
    expect([told.length, left.length]).toEqual([1, 0]);
    store.close();
    writeFileSync(store.home.config, 'gateway: {port: 3}\n');
    await Bun.sleep(150);
    expect(told).toHaveLength(1);
  });

  test('a listener that throws does not keep the others from hearing', async () => {
    using world = new World();
    const store = await world.open();
    const heard: string[] = [];
    store.onChange(() => {
      throw new Error('broken listener');
    });
    store.onChange((_, changed) => heard.push(...changed));
    store.onReject((error) => heard.push(String(error)));
    await store.set('gateway.port', 2);
    expect(heard).toEqual(['Error: broken listener', 'gateway.port']);
  });
});

describe('reload', () => {
  test('reads at once, and refuses what is wrong', async () => {
    using world = new World();
    const store = await world.open();
    writeFileSync(store.home.config, 'gateway: {port: 5}\n');
    await store.reload();
    expect(store.current.gateway.port).toBe(5);
    writeFileSync(store.home.config, 'gateway: {port: x}\n');
    expect((await refusal(store.reload())).code).toBe('config.invalid');
    expect(store.current.gateway.port).toBe(5);
    rmSync(store.home.config);
    mkdirSync(store.home.config);
    expect((await refusal(store.reload())).code).toBe('config.unreadable');
  });
});

test('setting a key and watching tell it once', async () => {
  using world = new World();
  const store = await world.open('# mine\n');
  const { told } = listen(store);
  await store.set('gateway.port', 8080);
  await Bun.sleep(200);
  expect(told).toEqual(['changed gateway.port']);
  expect(readFileSync(store.home.config, 'utf8')).toBe('# mine\n\ngateway:\n  port: 8080\n');
});
