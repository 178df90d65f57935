import { describe, expect, test } from 'bun:test';
import { BotApi } from './bot-api.ts';
import { notBuilt, Px, until } from './px.ts';
import { chance } from './torture/chance.ts';
import { startMockModel } from './torture/model.ts';

const chats = { steer: 1, followup: 2, collect: 3, interrupt: 4 };

describe.skipIf(notBuilt !== undefined)('a message that comes while px answers', () => {
  test('steers, waits, is collected or interrupts, says which, and is answered once also over kill -9', async () => {
    let held = Promise.withResolvers<void>();
    let streams = 0;
    /** An answer stops in its middle until it may go on. */
    const at = () => {
      streams += 1;
      return held.promise;
    };
    await using model = startMockModel({ chance: chance(1), failures: 0, at });
    await using telegram = new BotApi();
    const providers = { ...model.config, memory: { recall_tokens: 0 } };
    await using px = new Px({
      config: { ...telegram.config({ owners: ['1', '2', '3', '4'], stream: false }), ...providers },
      env: { TELEGRAM_TOKEN: telegram.token, TEST_KEY: 'sk-test-1234567890' },
    });
    await px.serve();
    await px.installed();
    const say = (chat: number, text: string) =>
      telegram.say(text, {
        from: { id: chat, is_bot: false, first_name: `P${chat}` },
        chat: { id: chat, type: 'private' },
      });
    const each = (text: string) => {
      for (const chat of Object.values(chats)) say(chat, text.replace('C', `${chat}`));
    };
    const waiting = async () => (await px.run('inbox', 'list', '--json')).stdout;
    const all = async (key: string) => {
      const list = await waiting();
      return Object.values(chats).every((chat) => list.includes(key.replace('C', `${chat}`)));
    };
    /** What a chat was told since then: whose message it answers, `>` before a reply, and what px says of the queue. */
    const told = (chat: number, since: number) =>
      telegram.messages
        .filter((message) => message.chat === chat && message.id > since)
        .map(({ text, replyTo }) => {
          const said = text.replace(/ here is an answer.*/g, '').replace(/^.*(?:\n\n)?⏹/, '⏹');
          return `${replyTo === undefined ? '' : '> '}${said.replace(/\n+/g, ' ')}`;
        });
    const latest = () => telegram.messages.at(-1)?.id ?? 0;
    const done = async () =>
      (await waiting()).trim() === '[]' && (await px.run('outbox', 'list', '--json')).stdout.trim() === '[]';

    for (const [mode, chat] of Object.entries(chats)) say(chat, `/queue ${mode}`);
    await until('the modes', () => telegram.messages.length === 4);

    let since = latest();
    each('[cCm1]');
    await until('four answers under way', () => streams === 4);
    each('[cCm2]');
    await until('the second', () => all('[cCm2]'));
    // The one that was interrupted has begun again.
    await until('five answers under way', () => streams === 5);
    each('[cCm3]');
    await until('the third', () => all('[cCm3]'));
    held.resolve();
    await until('all answers', done);
    expect(told(chats.steer, since)).toEqual([
      '[c1m1] [c1m3] ↪ What you wrote meanwhile was taken into this answer (2).',
    ]);
    expect(told(chats.followup, since)).toEqual(['[c2m1]', '> [c2m2]', '> [c2m3]']);
    expect(told(chats.collect, since)).toEqual(['[c3m1]', '> [c3m3] ↪ This answers 2 messages together.']);
    const stopped = '⏹ Stopped for your newer message.';
    expect(told(chats.interrupt, since)).toEqual([stopped, `> ${stopped}`, '> [c4m3]']);

    held = Promise.withResolvers();
    since = latest();
    streams = 0;
    each('[cCm4]');
    await until('four answers under way', () => streams >= 4);
    each('[cCm5]');
    await until('the second', () => all('[cCm5]'));
    for (const chat of [chats.steer, chats.followup, chats.collect]) say(chat, `[c${chat}m6]`);
    await until('the third', async () => (await waiting()).match(/m6\]/g)?.length === 3);
    // What was stopped has been told, and px knows it: nothing is on its way when px ends.
    await until('what was stopped', () => told(chats.interrupt, since).length === 1);
    await until('an empty outbox', async () => (await px.run('outbox', 'list', '--json')).stdout.trim() === '[]');
    await px.kill9();
    held.resolve();
    await px.serve();
    await until('all answers', done);
    const words = (chat: number) => told(chat, since).map((text) => text.replace(/^> /, ''));
    for (const chat of [chats.steer, chats.followup])
      expect(words(chat)).toEqual([4, 5, 6].map((n) => `[c${chat}m${n}]`));
    expect(words(chats.collect)).toEqual(['[c3m4]', '[c3m6] ↪ This answers 2 messages together.']);
    expect(words(chats.interrupt)).toEqual([stopped, '[c4m5]']);
  }, 120_000);
});
