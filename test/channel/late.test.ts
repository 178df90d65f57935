import { afterEach, describe, expect, test } from 'bun:test';
import { lateMark } from '../../src/channel/late.ts';
import { PxError } from '../../src/error/error.ts';
import { cleanUp, guestMessage, inbound, live, Platform, tempFolder, until } from './world.ts';

afterEach(cleanUp);

const hour = 3_600_000;
const ago = (hours: number) => Math.floor((Date.now() - hours * hour) / 1000);

describe('after an outage', () => {
  test('late messages are answered in order, and each answer says what it belongs to', async () => {
    const platform = new Platform();
    platform.waiting = [
      guestMessage('1', 'first question', 'ada', { date: ago(3) }),
      guestMessage('2', 'second question', 'ada', { date: ago(2) }),
      guestMessage('3', 'just now', 'ada', { date: ago(0) }),
    ];
    await live({ platform, answer: (text) => `re ${text}` });
    await until(() => platform.visible.length === 3);
    const texts = platform.visible.map((m) => m.text);
    expect(texts[0]).toMatch(/^⏳ Late, .*“first question”\n\nre first question$/);
    expect(texts[1]).toMatch(/“second question”\n\nre second question$/);
    expect(texts[2]).toBe('re just now');
  });

  test('what is older than answer_within_hours is listed and not answered, until a person says so', async () => {
    const platform = new Platform();
    platform.waiting = [guestMessage('1', 'ancient', 'ada', { date: ago(30) }), guestMessage('2', 'fresh')];
    const { channels, asked } = await live({ platform, answer: (text) => `re ${text}` });
    await until(() => platform.visible.length === 1);
    expect(asked).toEqual(['fresh']);
    const [old, ...rest] = channels.inbox();
    expect(rest).toEqual([]);
    expect(old).toMatchObject({ text: 'ancient', state: 'old', chat: 'ada' });
    expect(channels.answerOld(old?.seq ?? 0)).toBe(true);
    await until(() => platform.visible.length === 2);
    expect(channels.inbox()).toEqual([]);
    expect(channels.answerOld(old?.seq ?? 0)).toBe(false);
  });

  test('what grew too old while px was off is set aside at the start', async () => {
    const folder = tempFolder();
    const first = await live({ folder });
    first.channels.accept({ ...inbound('chat', '1', 'left over'), at: Date.now() - 2 * hour });
    const config = { channels: { chat: { access: 'open', answer_within_hours: 1 } } };
    const second = await live({ folder, config });
    expect(second.asked).toEqual([]);
    expect(second.channels.inbox()).toMatchObject([{ text: 'left over', state: 'old' }]);
    expect(second.channels.dismiss(second.channels.inbox()[0]?.seq ?? 0)).toBe(true);
    expect(second.channels.inbox()).toEqual([]);
  });

  test('what a person said is to be answered is answered, also when px ends before it is', async () => {
    const folder = tempFolder();
    const platform = new Platform();
    platform.waiting = [guestMessage('1', 'ancient', 'ada', { date: ago(30) })];
    const first = await live({ folder, platform });
    await until(() => first.channels.inbox().length === 1);
    expect(first.channels.answerOld(first.channels.inbox()[0]?.seq ?? 0)).toBe(true);
    first.store.close();
    const after = new Platform();
    await live({ folder, platform: after, answer: (text) => `re ${text}` });
    await until(() => after.visible.length === 1);
    expect(after.visible[0]?.text).toEndWith('re ancient');
  });
});

describe('the mark of a late answer', () => {
  const base = { ...inbound('chat', '1', `a ${'very '.repeat(40)}long one`) };
  test('is empty for an answer in time and for one from a clock ahead', () => {
    expect(lateMark(base, base.at + 60_000)).toBe('');
    expect(lateMark(base, base.at - 5 * hour)).toBe('');
  });
  test('repeats the beginning only', () => {
    const mark = lateMark(base, base.at + 48 * hour);
    expect(mark.length).toBeLessThan(140);
    expect(mark).toContain('…”');
  });
});

describe('the outbox', () => {
  test('lists what waits and what was refused, with the reason; a dead letter can be dropped', async () => {
    const platform = new Platform();
    platform.onPost = () => {
      throw new PxError('plugin.guest', 'refused: you were blocked');
    };
    const { channels } = await live({ platform, answer: () => 'an answer' });
    channels.accept(inbound('chat', '1'));
    await until(() => channels.undelivered().length === 1);
    const [part] = channels.outbox();
    expect(part).toMatchObject({ state: 'failed', text: 'an answer', chat: 'ada' });
    expect(channels.discard(part?.id ?? 0)).toBe(true);
    expect(channels.outbox()).toEqual([]);
    expect(channels.discard(part?.id ?? 0)).toBe(false);
  });
});
