import { afterEach, describe, expect, test } from 'bun:test';
import { PxError } from '../../src/error/error.ts';
import type { Json } from '../../src/wire/wire.ts';
import { watchLoop } from '../stopwatch.ts';
import { cleanUp, guestMessage, live, Platform, tempFolder, until } from './world.ts';

afterEach(cleanUp);

/** A platform that waits: held requests are answered when the test says so. */
function waiting() {
  const platform = new Platform();
  platform.exports.push('next-wait', 'on-wait');
  let release: (answer: Json) => void = () => {};
  platform.onHold = (signal) =>
    new Promise((resolve, reject) => {
      release = resolve;
      signal.addEventListener('abort', () => reject(new PxError('interrupted', 'stopped')));
    });
  const answer = async (value: Json) => {
    const holds = platform.holds;
    release(value);
    await until(() => platform.holds > holds);
  };
  return { platform, answer };
}
const ok = (body: string, status = 200): Json => ({
  ok: { status, headers: [['Date', String(Math.random())]], body: btoa(body) },
});
const count = (platform: Platform, fn: string) => platform.calls.filter((c) => c === fn).length;

describe('a connector that waits', () => {
  test('hands over messages, with their chat, time and name, and asks again only when they are stored', async () => {
    const { platform, answer } = waiting();
    const sentAt = Math.floor(Date.now() / 1000) - 5;
    const life = await live({ platform });
    await until(() => platform.holds === 1);
    platform.waiting = [
      guestMessage('1', 'direct'),
      guestMessage('2', 'in a room', 'bob', { channel: -100, date: sentAt }),
      guestMessage('1', 'the same id again'),
    ];
    platform.before = (fn) => {
      if (fn === 'next-wait') expect(life.asked).toEqual(['direct', 'in a room']);
    };
    await answer(ok('[1,2]'));
    expect(life.of('message.in').map((e) => e.inbound)).toMatchObject([
      { conversation: 'chat/ada', chat: 'ada', id: '1', sender: { id: 'ada', name: 'ADA' } },
      { conversation: 'chat/-100', chat: '-100', id: '2', at: sentAt * 1000 },
    ]);
    expect(life.channels.states()).toEqual([{ id: 'chat', plugin: 'chat', state: 'running', detail: '' }]);
  });

  test('is not woken by an answer equal to the last one that brought nothing', async () => {
    const { platform, answer } = waiting();
    await live({ platform });
    await until(() => platform.holds === 1);
    for (let i = 0; i < 5; i++) await answer(ok('{"ok":true,"result":[]}'));
    expect(count(platform, 'on-wait')).toBe(1);
    platform.waiting = [guestMessage('1', 'hi')];
    await answer(ok('{"ok":true,"result":[1]}'));
    expect(count(platform, 'on-wait')).toBe(2);
    await answer(ok('{"ok":true,"result":[1]}'));
    expect(count(platform, 'on-wait')).toBe(3);
  });

  test('lets the process of its plugin go as soon as it waits, and keeps it while people talk', async () => {
    const { platform, answer } = waiting();
    let now = Date.now();
    const life = await live({ platform, timing: { restAfter: 60, now: () => now } });
    await until(() => platform.holds === 1);
    expect(platform.rests).toBe(1);
    platform.waiting = [guestMessage('1', 'hi')];
    await answer(ok('[1]'));
    expect(life.asked).toEqual(['hi']);
    expect(platform.rests).toBe(1);
    now += 80;
    await answer(ok('[]'));
    expect(platform.rests).toBe(2);
    life.channels.send('chat', 'ada', 'a reminder');
    await until(() => platform.visible.length === 1);
    await answer(ok('[2]'));
    expect(platform.rests).toBe(2);
  });

  test('does not spin on a server that answers at once', async () => {
    const platform = new Platform();
    platform.exports.push('next-wait', 'on-wait');
    await live({ platform, timing: { waitPause: [40, 5_000] } });
    await until(() => platform.holds === 3);
    await Bun.sleep(100);
    expect(platform.holds).toBeLessThanOrEqual(4);
    expect(count(platform, 'on-wait')).toBe(1);
  });

  test('comes back soon after somebody talked', async () => {
    const platform = new Platform();
    platform.exports.push('next-wait', 'on-wait');
    const life = await live({ platform, timing: { waitPause: [1, 60_000] } });
    await until(() => platform.holds >= 12);
    const before = platform.holds;
    life.channels.send('chat', 'ada', 'a reminder');
    await until(() => platform.holds > before + 1);
  });

  test('with nothing to wait for is polled', async () => {
    const platform = new Platform();
    platform.exports.push('next-wait', 'on-wait');
    platform.request = () => null;
    platform.waiting = [guestMessage('1', 'hi')];
    const life = await live({ platform });
    await until(() => life.asked.length === 1);
    expect(platform.holds).toBe(0);
  });

  test('shows what the platform refuses even when the plugin passes over it', async () => {
    const { platform, answer } = waiting();
    const life = await live({ platform });
    await until(() => platform.holds === 1);
    await answer(ok('{"ok":false}', 401));
    expect(life.channels.states()[0]).toMatchObject({
      state: 'failing',
      detail: expect.stringContaining('token refused'),
    });
    await answer(ok('{"ok":false}', 401));
    expect(life.channels.states()[0]?.state).toBe('failing');
    await answer({ err: { network: 'connection refused' } });
    expect(life.channels.states()[0]?.detail).toContain('connection refused');
    await answer({ err: { denied: 'no rule for GET https://chat.example' } });
    expect(life.channels.states()[0]?.detail).toContain('no rule for GET');
    await answer(ok('{"ok":true}'));
    expect(life.channels.states()[0]?.state).toBe('running');
  });

  test('stops at once, in the middle of a wait', async () => {
    const { platform } = waiting();
    const life = await live({ platform, timing: { closeWait: 60_000 } });
    await until(() => platform.holds === 1);
    await life.channels.close();
    expect(count(platform, 'on-wait')).toBe(0);
  });
});

describe('a connector that is polled', () => {
  test('brings messages, and is asked less often while nothing comes', async () => {
    const platform = new Platform();
    platform.waiting = [guestMessage('1', 'hi')];
    const life = await live({ platform, timing: { pollPause: [20, 60_000] } });
    await until(() => count(platform, 'poll-events') === 4);
    expect(life.asked).toEqual(['hi']);
    await Bun.sleep(60);
    expect(count(platform, 'poll-events')).toBe(4);
  });

  test('keeps its plugin at work for short pauses and lets it go for long ones', async () => {
    const platform = new Platform();
    await live({ platform, timing: { pollPause: [10, 60_000], restAbove: 40 } });
    await until(() => platform.rests === 1);
    expect(count(platform, 'poll-events')).toBe(3);
  });

  test('that repeats itself is heard once', async () => {
    const platform = new Platform();
    platform.before = (fn) => {
      if (fn === 'poll-events') platform.waiting = [guestMessage('1', 'hi')];
    };
    const life = await live({ platform });
    await until(() => count(platform, 'poll-events') > 4);
    expect(life.asked).toEqual(['hi']);
  });

  test('that brings thousands at once loses none and does not hold px up', async () => {
    const platform = new Platform();
    platform.waiting = Array.from({ length: 5_000 }, (_, i) => guestMessage(String(i), 'hi', `s${i}`));
    const longest = watchLoop();
    const life = await live({ platform });
    await until(() => life.asked.length === 5_000);
    // All in one piece takes half a second and more.
    expect(longest()).toBeLessThan(250);
  });

  test('may be wrong in one message and lose no other', async () => {
    const platform = new Platform();
    platform.waiting = [
      guestMessage('1', 'good'),
      { id: 2, text: 'bad' },
      null,
      { ...guestMessage('3', 'also good'), metadata: '{not json' },
      guestMessage('4', '   '),
    ];
    const life = await live({ platform });
    await until(() => life.asked.length === 2);
    expect(life.asked).toEqual(['good', 'also good']);
    expect(life.log.find((e) => e.message.includes('not a message'))?.fields).toEqual({ channel: 'chat', count: 2 });
  });

  test('is let finish when px stops, so that what it took is stored', async () => {
    const folder = tempFolder();
    const platform = new Platform();
    let polled = false;
    let finish = () => {};
    platform.waiting = [guestMessage('1', 'taken')];
    platform.after = (fn) => {
      if (fn !== 'poll-events') return;
      polled = true;
      return new Promise((resolve) => {
        finish = resolve;
      });
    };
    const first = await live({ platform, folder, timing: { closeWait: 5_000 } });
    await until(() => polled);
    const closed = first.channels.close();
    finish();
    await closed;
    expect((await live({ folder, platform: new Platform() })).asked).toEqual(['taken']);
  });

  test('keeps messages that could not be stored until they can', async () => {
    const platform = new Platform();
    platform.waiting = [guestMessage('1', 'hi')];
    const life = await live({ platform, start: false });
    const { quickly } = life.store;
    let full = 2;
    life.store.quickly = (work) => {
      if (full-- > 0) throw new PxError('internal', 'disk full');
      return quickly(work);
    };
    platform.before = (fn) => {
      if (count(platform, fn) === 2) expect(life.asked).toEqual(['hi']);
    };
    life.channels.start();
    await until(() => life.asked.length === 1);
    await until(() => count(platform, 'poll-events') > 1);
    expect(life.log.some((e) => e.message.includes('disk full'))).toBe(true);
  });
});

describe('a channel', () => {
  test('whose plugin is missing says how to add it, and works once it is there', async () => {
    const platform = new Platform();
    platform.installed = false;
    const life = await live({ platform });
    await until(() => life.channels.states()[0]?.detail !== 'starting');
    expect(life.channels.states()[0]).toEqual({
      id: 'chat',
      plugin: 'chat',
      state: 'waiting',
      detail: 'plugin chat is not installed: px plugin add chat',
    });
    platform.installed = true;
    await until(() => life.channels.states()[0]?.state === 'running');
  });

  test('without its token says which secret to set, and works once it is set', async () => {
    const platform = new Platform();
    const life = await live({ platform, timing: { failPause: [60_000, 60_000] }, start: false });
    life.secrets.clear();
    platform.before = () => {
      if (!life.secrets.has('CHAT_TOKEN')) throw new PxError('plugin.guest', 'x', { data: 'no token' });
    };
    life.channels.start();
    await until(() => life.channels.states()[0]?.detail.includes('px secret set CHAT_TOKEN'));
    expect(life.channels.states()[0]?.state).toBe('waiting');
    life.secrets.set('CHAT_TOKEN', 'y');
    await until(() => life.channels.states()[0]?.state === 'running');
  });

  test('that fails backs off, says why in the state, and recovers by itself', async () => {
    const platform = new Platform();
    let failures = 4;
    platform.before = (fn) => {
      if (fn === 'poll-events' && failures-- > 0) throw new PxError('plugin.guest', 'x', { data: 'network: no route' });
    };
    const life = await live({ platform });
    await until(() => life.channels.states()[0]?.state === 'failing');
    expect(life.channels.states()[0]?.detail).toBe('chat: network: no route');
    await until(() => life.channels.states()[0]?.state === 'running');
    expect(life.log.filter((e) => e.level === 'warn')).toHaveLength(1);
  });

  test('starts again when its plugin settings change, alone, and follows access live', async () => {
    const platform = new Platform();
    platform.exports.push('describe');
    const config = { channels: { chat: { access: 'open' } }, plugins: { chat: { settings: { host: 'a' } } } };
    const life = await live({ platform, config });
    await until(() => life.channels.states()[0]?.state === 'running');
    life.configure({ ...config, agent: { max_steps: 3 }, channels: { chat: { access: 'allow-list' } } });
    platform.waiting = [guestMessage('1', 'ignored now')];
    await until(() => platform.waiting.length === 0);
    expect(count(platform, 'describe')).toBe(1);
    life.configure({ ...config, plugins: { chat: { settings: { host: 'b' } } } });
    await until(() => count(platform, 'describe') === 2);
    life.configure({ channels: {} });
    expect(life.channels.states()).toEqual([]);
    expect(life.asked).toEqual([]);
  });

  test('cannot take the name of a built-in one, or a plugin that serves another', async () => {
    const life = await live({
      config: { channels: { cli: { plugin: 'chat' }, chat: { access: 'open' }, second: { plugin: 'chat' } } },
    });
    await until(() => life.channels.states()[1]?.state === 'running');
    expect(life.channels.states().map((s) => [s.id, s.state])).toEqual([
      ['cli', 'off'],
      ['chat', 'running'],
      ['second', 'waiting'],
    ]);
  });

  test('whose plugin is no connector says so', async () => {
    const platform = new Platform();
    platform.exports = ['add'];
    const life = await live({ platform });
    await until(() => life.channels.states()[0]?.detail.includes('not a connector'));
  });
});

describe('emit-message', () => {
  test('is taken like a polled message, once, under the access rules of the channel', async () => {
    const life = await live();
    const message = { id: '9', sender_id: 'ada', sender_name: 'Ada', text: 'pushed', metadata: null };
    expect(life.channels.emitted('chat', message)).toBe(true);
    expect(life.channels.emitted('chat', message)).toBe(false);
    expect(life.asked).toEqual(['pushed']);
    expect(() => life.channels.emitted('clock', message)).toThrow(expect.objectContaining({ code: 'channel.unknown' }));
    expect(() => life.channels.emitted('chat', { id: '1' })).toThrow(expect.objectContaining({ code: 'plugin.guest' }));
  });
});
