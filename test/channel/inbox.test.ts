import { afterEach, describe, expect, test } from 'bun:test';
import { cleanUp, inbound, live, Platform, tempFolder, until } from './world.ts';

afterEach(cleanUp);

describe('messages from px itself', () => {
  test('are accepted once, by the platform id', async () => {
    const { channels, asked } = await live();
    expect(channels.accept(inbound('cli', '1'))).toBe(true);
    expect(channels.accept(inbound('cli', '1', 'again'))).toBe(false);
    expect(channels.accept(inbound('web', '1', 'other channel'))).toBe(true);
    expect(asked).toEqual(['hello', 'other channel']);
  });

  test('are answered through the bus at once, with no connector', async () => {
    const { channels, of } = await live({ answer: (text) => `you said ${text}` });
    channels.accept(inbound('cli', '1'));
    await until(() => of('message.out').length === 1);
    expect(of('message.out')[0]).toMatchObject({ conversation: 'cli/ada', text: 'you said hello', state: 'sent' });
    expect(of('message.in')).toHaveLength(1);
    expect(channels.undelivered()).toEqual([]);
  });

  test('of a channel nobody configured are refused with what to do', async () => {
    const { channels } = await live();
    expect(() => channels.accept(inbound('nowhere', '1'))).toThrow(
      expect.objectContaining({ code: 'channel.unknown', hint: expect.stringContaining('px.yaml') }),
    );
  });
});

describe('after a restart', () => {
  test('messages that were not answered come again, oldest first, whole', async () => {
    const folder = tempFolder();
    const first = await live({ folder });
    const message = { ...inbound('cli', '1', 'first'), metadata: { date: 5, deep: { a: [1, null] } } };
    first.channels.accept(message);
    first.channels.accept(inbound('web', '2', 'second'));
    first.channels.accept(inbound('cli', '3', 'third'));
    const second = await live({ folder, start: false });
    const seen: unknown[] = [];
    second.channels.onPending((item) => seen.push(item.inbound));
    expect(second.asked).toEqual(['first', 'second', 'third']);
    expect(seen[0]).toEqual(message);
  });

  test('answered and settled messages do not come again, nor can they be sent again', async () => {
    const folder = tempFolder();
    const first = await live({ folder, start: false });
    first.channels.onPending((item) =>
      item.inbound.id === '1' ? first.channels.reply(item, 'yes') : first.channels.settle(item),
    );
    first.channels.accept(inbound('cli', '1'));
    first.channels.accept(inbound('cli', '2'));
    await first.channels.close();
    const second = await live({ folder });
    expect(second.asked).toEqual([]);
    expect(second.channels.accept(inbound('cli', '1'))).toBe(false);
    expect(second.channels.accept(inbound('cli', '2'))).toBe(false);
  });

  test('nothing that was answered or delivered stays readable in the database', async () => {
    const platform = new Platform();
    const { channels, store } = await live({ platform, answer: () => 'my private answer' });
    channels.accept(inbound('chat', '1', 'my private question'));
    await until(() => platform.visible.length === 1);
    await until(() => !JSON.stringify(store.db.query('SELECT * FROM outbox').all()).includes('private'));
    expect(JSON.stringify(store.db.query('SELECT * FROM inbox').all())).not.toContain('private');
  });
});

describe('answering', () => {
  test('twice sends once', async () => {
    const platform = new Platform();
    const { channels } = await live({ platform, start: false });
    channels.onPending((item) => {
      channels.reply(item, 'one');
      channels.reply(item, 'two');
    });
    channels.accept(inbound('chat', '1'));
    channels.start();
    await until(() => platform.visible.length > 0);
    channels.send('chat', 'ada', 'last');
    await until(() => platform.visible.some((m) => m.text === 'last'));
    expect(platform.visible.map((m) => m.text)).toEqual(['one', 'last']);
  });

  test('a listener that throws does not lose the message', async () => {
    const folder = tempFolder();
    const first = await live({ folder });
    first.channels.onPending(() => {
      throw new Error('boom');
    });
    expect(first.channels.accept(inbound('cli', '1'))).toBe(true);
    expect(first.log.some((entry) => entry.level === 'error' && JSON.stringify(entry).includes('boom'))).toBe(true);
    expect((await live({ folder })).asked).toEqual(['hello']);
  });
});
