import { describe, expect, test } from 'bun:test';
import * as v from 'valibot';
import { ConfigSchema } from '../../src/config/config.ts';
import { createLog } from '../../src/log/log.ts';
import { createBroker } from '../../src/plugin/broker.ts';
import { createFaults } from '../../src/plugin/faults.ts';
import { createGuestLog } from '../../src/plugin/guest-log.ts';
import { openKv } from '../../src/plugin/kv.ts';
import { createRate } from '../../src/plugin/rate.ts';
import { createBus, type Json, type PxEvent } from '../../src/wire/wire.ts';
import { openHome, type TestHome } from './home.ts';

function broker(home: TestHome, name: string, plugin: object = {}) {
  const config = v.parse(ConfigSchema, { plugins: { [name]: plugin } }).plugins[name];
  if (!config) throw new Error('no config');
  const bus = createBus();
  const events: PxEvent[] = [];
  bus.on((event) => events.push(event));
  const made = createBroker({
    name,
    connector: () => false,
    sealed: () => false,
    folders: { home: '/nowhere', userHome: '/nowhere' },
    config: () => config,
    kv: openKv(home.store, home.secrets),
    secrets: home.secrets,
    log: createGuestLog(createLog({ sinks: [] }), home.secrets.scrub),
    bus,
    resolve: async () => [],
    ca: undefined,
    emit: undefined,
  });
  const ask = (fn: string, ...args: Json[]) => made.answer(fn, args, () => AbortSignal.timeout(5000));
  return { ask, events };
}

describe('the broker', () => {
  test('answers what is malformed or unknown with an error, whatever a broken-out guest sends', async () => {
    await using home = await openHome();
    const { ask } = broker(home, 'odd');
    for (const [fn, ...args] of [
      ['exec', 'rm'],
      ['constructor'],
      ['__proto__'],
      ['kv-set'],
      ['kv-set', 1, 2],
      ['kv-set', 'key', 'not base64!'],
      ['kv-set', '', 'AAAA'],
      ['kv-set', 'k'.repeat(600), 'AAAA'],
      ['kv-get', { key: 1 }],
      ['log', 'fatal', 'x'],
      ['http-request'],
      ['http-request', { method: 1, url: 'x', headers: [] }],
      ['http-request', { method: 'GET', url: 'http://x/', headers: [['a']] }],
      ['emit-message', { id: '1' }],
    ] as [string, ...Json[]][])
      expect(await ask(fn, ...args)).toHaveProperty('err');
    expect(await ask('config-get', '__proto__')).toEqual({ ok: null });
    expect(await ask('secret-exists', 'constructor')).toEqual({ ok: false });
  });

  test('keeps what plugins store apart', async () => {
    await using home = await openHome();
    const [one, two] = [broker(home, 'one'), broker(home, 'two')];
    await one.ask('kv-set', 'key', btoa('mine'));
    expect(await two.ask('kv-get', 'key')).toEqual({ err: 'not-found' });
    expect(await two.ask('kv-list', '')).toEqual({ ok: [] });
    expect(await one.ask('kv-get', 'key')).toEqual({ ok: btoa('mine') });
    home.store.db.run("UPDATE plugin_kv SET plugin = 'two'");
    expect(await two.ask('kv-list', '')).toHaveProperty('err');
  });

  test('says that all is on disk only when it is, whoever asks while the disk works or after it failed', async () => {
    await using home = await openHome();
    const disk: PromiseWithResolvers<void>[] = [];
    const synced = () => {
      const sync = Promise.withResolvers<void>();
      disk.push(sync);
      return sync.promise;
    };
    const kv = openKv({ ...home.store, synced }, home.secrets);
    const value = new Uint8Array(1);
    const told: string[] = [];
    const ask = (who: string) =>
      Promise.resolve(kv.durable()).then(
        () => void told.push(who),
        () => void told.push(`${who} failed`),
      );
    kv.set('one', 'offset', value, 1_000);
    const both = [ask('first'), ask('second')];
    kv.set('one', 'offset', value, 1_000);
    const last = ask('third');
    await Bun.sleep(0);
    expect(told).toEqual([]);
    disk[0]?.resolve();
    await Promise.all(both);
    expect(told).toEqual(['first', 'second']);
    disk[1]?.reject(new Error('EIO'));
    await last;
    const again = ask('again');
    disk[2]?.resolve();
    await again;
    expect(told.slice(2)).toEqual(['third failed', 'again']);
    expect([kv.durable(), disk.length]).toEqual([undefined, 3]);
  });

  test('lets other work in while it goes through as many tiny keys as a plugin can store', async () => {
    await using home = await openHome();
    const kv = openKv(home.store, home.secrets);
    const quota = 131_072;
    let refused = '';
    let stored = 0;
    // One transaction around all, so that the disk is waited for once.
    home.store.transaction(() => {
      while (refused === '')
        try {
          kv.set('hoard', stored.toString(36), new Uint8Array(), quota);
          stored++;
        } catch (thrown) {
          refused = String(thrown);
        }
    });
    expect(refused).toContain('quota');
    expect(stored).toBeLessThanOrEqual(quota / 256);
    let turns = 0;
    const ticking = setInterval(() => turns++, 0);
    const found = (await broker(home, 'hoard').ask('kv-list', '')) as { ok: string[] };
    clearInterval(ticking);
    expect(found.ok.length).toBe(stored);
    expect(turns).toBeGreaterThan(0);
  });

  test('lets no more requests through than a minute may have, and tells of denials at a bounded rate', async () => {
    await using home = await openHome();
    const { ask, events } = broker(home, 'busy', { limits: { http_per_minute: 3 } });
    const request = { method: 'GET', url: 'http://nowhere.test/', headers: [], body: null, timeout_ms: null };
    const answers: string[] = [];
    for (let i = 0; i < 200; i++) answers.push(JSON.stringify(await ask('http-request', request)));
    expect(answers[0]).toContain('no egress rule');
    expect(answers[5]).toContain('more than 3 requests');
    expect(events.length).toBeLessThanOrEqual(60);
  });

  test('shows a secret in a setting as a placeholder, at any depth', async () => {
    await using home = await openHome();
    const { ask } = broker(home, 'deep', { settings: { a: { b: ['secret:KEY', 'Bearer ${KEY}', 7] } } });
    expect(await ask('config-get', 'a')).toEqual({
      ok: JSON.stringify({ b: ['{{secret:KEY}}', 'Bearer {{secret:KEY}}', 7] }),
    });
  });
});

test('a rate lets a limit through in a minute and frees it slowly', () => {
  let now = 0;
  const rate = createRate(() => now);
  const taken = () => Array.from({ length: 20 }, () => rate.take(10)).filter(Boolean).length;
  expect(taken()).toBe(10);
  now = 90_000;
  expect(taken()).toBeLessThanOrEqual(10);
  now = 300_000;
  expect(taken()).toBe(10);
});

test('faults far apart do not quarantine, five close together do', () => {
  let now = 0;
  const faults = createFaults(() => now);
  for (let i = 0; i < 20; i++) {
    now += 200_000;
    faults.add('boom');
  }
  expect(faults.quarantine()).toBeUndefined();
  for (let i = 0; i < 5; i++) faults.add('boom');
  expect(faults.quarantine()).toContain('boom');
  expect(faults.pause()).toBe(1000);
  faults.clear();
  expect([faults.quarantine(), faults.pause()]).toEqual([undefined, 0]);
});
