import { afterEach, describe, expect, test } from 'bun:test';
import { PxError } from '../../src/error/error.ts';
import { cleanUp, inbound, live, Platform, until } from './world.ts';

afterEach(cleanUp);

const guestError = (text: string) => new PxError('plugin.guest', `post-message: ${text}`, { data: text });

/** A platform whose next posts fail with these, then work. */
function failing(...errors: Error[]): Platform {
  const platform = new Platform();
  platform.onPost = () => {
    const error = errors.shift();
    if (error) throw error;
    return 'ok';
  };
  return platform;
}
const posts = (platform: Platform) => platform.calls.filter((fn) => fn === 'post-message').length;
const texts = (platform: Platform) => platform.visible.map((m) => m.text);

describe('delivery', () => {
  test('splits an answer at what the connector takes, in order', async () => {
    const platform = new Platform();
    platform.exports.push('describe');
    platform.maxText = 64;
    const { channels } = await live({ platform });
    const answer = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');
    channels.send('chat', 'ada', answer);
    channels.send('chat', 'ada', 'after');
    await until(() => texts(platform).includes('after'));
    expect(texts(platform).every((t) => t.length <= 64)).toBe(true);
    expect(texts(platform).join(' ')).toBe(`${answer} after`);
  });

  test('sends nothing before the answer and the word that it is being sent are on disk', async () => {
    const platform = new Platform();
    const life = await live({ platform, answer: () => 'hello', start: false });
    const disk = Promise.withResolvers<void>();
    const synced: string[][] = [];
    life.store.synced = () => {
      synced.push(life.channels.outbox().map(({ text, state }) => `${text} ${state}`));
      return disk.promise;
    };
    life.channels.accept(inbound('chat', '1', 'hi'));
    await until(() => life.channels.outbox().length > 0);
    life.channels.start();
    await until(() => synced.length > 0);
    // One sync for both.
    expect([synced, texts(platform)]).toEqual([[['hello sending']], []]);
    disk.resolve();
    await until(() => texts(platform).includes('hello'));
  });

  test('waits without counting a try when px itself lets nothing out', async () => {
    const denied = Array.from({ length: 5 }, () => guestError('denied: POST to that host is not granted'));
    const platform = failing(...denied);
    const { channels } = await live({ platform, timing: { maxSends: 2 } });
    channels.send('chat', 'ada', 'hello');
    await until(() => texts(platform).length === 1);
    expect(channels.undelivered()).toEqual([]);
  });

  test('reports each part that left, with the platform id', async () => {
    const { channels, of } = await live();
    channels.send('chat', 'ada', 'hi');
    await until(() => of('message.out').length === 1);
    expect(of('message.out')[0]).toMatchObject({
      conversation: 'chat/ada',
      text: 'hi',
      state: 'sent',
      platformId: 'p0',
    });
  });

  test('tries again what the platform did not take, and keeps the order of the chat', async () => {
    const platform = failing(guestError('network down'), guestError('network down'));
    const { channels } = await live({ platform });
    for (const text of ['one', 'two', 'three']) channels.send('chat', 'ada', text);
    await until(() => platform.visible.length === 3);
    expect(texts(platform)).toEqual(['one', 'two', 'three']);
  });

  test('one chat that waits does not hold up another', async () => {
    const platform = new Platform();
    platform.onPost = (chat) => {
      if (chat === 'slow') throw guestError('retry-after:3600');
      return 'ok';
    };
    const { channels } = await live({ platform });
    channels.send('chat', 'slow', 'later');
    channels.send('chat', 'fast', 'now');
    await until(() => texts(platform).includes('now'));
  });

  test('waits as long as the platform asks', async () => {
    let now = 1_000_000;
    const platform = failing(guestError('HTTP 429 retry-after:30'));
    const { channels, log } = await live({ platform, timing: { now: () => now, sendPause: [1, 2] } });
    channels.send('chat', 'ada', 'hi');
    await until(() => log.some((e) => e.fields?.['waitMs'] === 30_000));
    channels.send('chat', 'bob', 'other chat');
    await until(() => platform.visible.length === 1);
    expect(texts(platform)).toEqual(['other chat']);
    now += 30_000;
    channels.send('chat', 'bob', 'kick');
    await until(() => texts(platform).includes('hi'));
  });

  test('gives up after so many tries, visibly, and sends it when told to', async () => {
    const platform = failing(...Array.from({ length: 3 }, () => guestError('nope')));
    const { channels, of } = await live({ platform, timing: { maxSends: 3 } });
    channels.send('chat', 'ada', 'hi');
    await until(() => channels.undelivered().length === 1);
    expect(posts(platform)).toBe(3);
    expect(channels.undelivered()[0]).toMatchObject({ chat: 'ada', text: 'hi', state: 'failed', attempts: 3 });
    expect(of('message.out')[0]).toMatchObject({ state: 'failed', error: { code: 'channel.delivery' } });
    expect(channels.redeliver(channels.undelivered()[0]?.id ?? 0)).toBe(true);
    await until(() => platform.visible.length === 1);
    expect(channels.undelivered()).toEqual([]);
    expect(channels.redeliver(999)).toBe(false);
  });

  test('does not repeat what the platform refuses for good, nor send the rest of that answer', async () => {
    const platform = new Platform();
    platform.exports.push('describe');
    platform.maxText = 64;
    platform.onPost = (_chat, text) => {
      if (text.startsWith('a')) throw guestError('refused: chat not found');
      return 'ok';
    };
    const { channels } = await live({ platform });
    channels.send('chat', 'ada', `${'a'.repeat(60)} ${'b'.repeat(60)}`);
    channels.send('chat', 'ada', 'next answer');
    await until(() => texts(platform).includes('next answer'));
    expect(texts(platform)).toEqual(['next answer']);
    expect(channels.undelivered()).toHaveLength(2);
  });

  test('a refused token blocks the channel, loses nothing and is no fault of the message', async () => {
    const platform = failing(...Array.from({ length: 10 }, () => guestError('401 Unauthorized')));
    const { channels } = await live({ platform, timing: { maxSends: 2 } });
    channels.send('chat', 'ada', 'hi');
    await until(() => platform.visible.length === 1);
    expect(posts(platform)).toBe(11);
    expect(channels.undelivered()).toEqual([]);
  });

  test('a channel that gets messages and may not send says why until it can, and tries at once when the token is another', async () => {
    const platform = new Platform();
    let token = 'x';
    platform.onPost = () => {
      if (token !== 'new') throw guestError('unauthorized: no such bot');
      return 'p0';
    };
    const { channels, secrets, log } = await live({ platform, timing: { sendPause: [60_000, 60_000] } });
    const state = () => channels.states()[0];
    await until(() => state()?.state === 'running');
    channels.send('chat', 'ada', 'hi');
    await until(() => state()?.state === 'failing');
    expect(state()?.detail).toBe('token refused by the platform: unauthorized: no such bot');
    secrets.set('CHAT_TOKEN', 'also wrong');
    await until(() => posts(platform) === 2);
    await until(() => state()?.state === 'failing');
    token = 'new';
    secrets.set('CHAT_TOKEN', token);
    await until(() => platform.visible.length === 1);
    await until(() => state()?.state === 'running');
    expect(log.filter((entry) => entry.message.startsWith('nothing can be sent: token refused'))).toHaveLength(2);
  });

  test('a text the platform will not take is no sign that nothing can be sent', async () => {
    const platform = failing(guestError('401 Unauthorized'), guestError('refused: chat not found'));
    const { channels } = await live({ platform });
    channels.send('chat', 'ada', 'hi');
    await until(() => channels.undelivered().length === 1);
    expect(channels.states()[0]).toMatchObject({ state: 'running', detail: '' });
  });

  test('a plugin that dies while it sends leaves it unknown: reported, not repeated, the next ones go', async () => {
    const platform = failing(new PxError('plugin.crashed', 'trap'));
    const { channels, of } = await live({ platform });
    channels.send('chat', 'ada', 'perhaps');
    channels.send('chat', 'ada', 'surely');
    await until(() => platform.visible.length === 1);
    expect(texts(platform)).toEqual(['surely']);
    expect(channels.undelivered()).toMatchObject([{ text: 'perhaps', state: 'unknown' }]);
    expect(of('message.out')[0]).toMatchObject({ state: 'failed', error: { data: { outcome: 'unknown' } } });
  });

  test('waits for a channel that is switched off, and goes out when it is on', async () => {
    const platform = new Platform();
    const life = await live({ platform, config: { channels: { chat: { access: 'open', enabled: false } } } });
    life.channels.send('chat', 'ada', 'patience');
    expect(life.channels.states()[0]).toMatchObject({ id: 'chat', state: 'off' });
    life.configure({ channels: { chat: { access: 'open' } } });
    await until(() => platform.visible.length === 1);
  });
});

describe('typing', () => {
  test('is shown at most once in about four seconds a chat, and its failure harms nobody', async () => {
    let now = 10_000;
    const platform = new Platform();
    platform.exports.push('set-typing');
    const life = await live({ platform, timing: { now: () => now } });
    await until(() => life.channels.states()[0]?.state === 'running');
    const type = (chat: string) => life.channels.typing({ ...inbound('chat', '1'), chat });
    for (const chat of ['a', 'a', 'b', 'a']) type(chat);
    await until(() => platform.typed.length === 2);
    now += 3_899;
    type('a');
    now += 1;
    type('a');
    await until(() => platform.typed.length === 3);
    expect(platform.typed).toEqual(['a', 'b', 'a']);
    platform.before = (fn) => {
      if (fn === 'set-typing') throw guestError('no');
    };
    type('c');
    life.channels.typing(inbound('cli', '1'));
  });
});
