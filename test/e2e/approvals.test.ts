import { describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { notBuilt, Px, until } from './px.ts';
import { fakeTelegram } from './telegram.ts';

const job = (when: string, text: string) => `/tool schedule_add ${JSON.stringify({ when, text })}`;

describe.skipIf(notBuilt !== undefined)('px asks before it does', () => {
  test('in the chat; others are answered meanwhile; who may decide does; what was allowed outlives the databases', async () => {
    await using telegram = await fakeTelegram();
    const config = telegram.config();
    const channels = { telegram: { owners: ['1'], allow: ['2'] } };
    const model = { default: 'offline/px' };
    await using px = new Px({ config: { ...config, channels, model }, env: { TELEGRAM_TOKEN: telegram.token } });
    await px.serve();
    const told = (what: RegExp) => until(String(what), () => telegram.answers().find((text) => what.test(text)));
    const guest = { userId: 2, chatId: 2 };

    await telegram.say(job('every 2h', 'tea'));
    const question = await told(/May I use schedule_add\?/);
    expect(question).toContain('"tea"');
    const [{ id }] = JSON.parse((await px.run('approvals', 'list', '--json')).stdout).approvals;
    await telegram.say('/approve', guest);
    await told(/for the owner/);
    await telegram.say(job('every 3h', 'coffee'), guest);
    await told(/There is no tool named .*schedule_add/);
    await telegram.say('/helo', guest);
    await told(/Did you mean \/help\?/);
    expect((await px.run('schedule', 'list')).stdout).toContain('Nothing is scheduled');

    await telegram.say(`/approve ${id} session`);
    await told(/Set as tea/);
    await telegram.say(job('every 4h', 'lunch'));
    await told(/Set as lunch/);
    expect((await px.run('audit', 'show', '--tool', 'schedule_add')).stdout).toContain('session by ');

    // Killed while it waits: reported, never run. What was allowed for the session is in Markdown.
    await telegram.say('/tool schedule_remove {"id":"tea"}');
    await told(/May I use schedule_remove\?/);
    await px.kill9();
    await px.serve();
    await told(/waited for a word; it was not run/);
    expect((await px.run('schedule', 'list')).stdout).toContain('tea');
    await px.stop();
    for (const file of ['px.db', 'px.db-wal', 'px.db-shm', 'index.db', 'index.db-wal', 'index.db-shm'])
      rmSync(join(px.home, 'state', file), { force: true });
    await px.serve();
    expect((await px.run('approvals', 'list')).stdout).toContain('schedule_add');
    expect((await px.run('audit', 'verify')).code).toBe(0);
  }, 60_000);

  test('a second identity is linked by a code and goes on with the same conversation', async () => {
    await using telegram = await fakeTelegram();
    const config = { ...telegram.config({ open: false }), model: { default: 'offline/px' } };
    await using px = new Px({ config, env: { TELEGRAM_TOKEN: telegram.token } });
    await px.serve();
    const told = (what: RegExp) => until(String(what), () => telegram.answers().find((text) => what.test(text)));
    await telegram.say('hello');
    const code = /\b[A-Z2-9]{8}\b/.exec(await told(/pairing code/))?.[0] ?? '';
    expect((await px.run('pairing', 'approve', code)).stdout).toContain('as owner');
    await told(/you are my owner/);
    await telegram.say('/link');
    const link = /\/link [A-Z0-9]{8}/.exec(await told(/Write this to me/))?.[0] ?? '';
    await telegram.say(link, { userId: 5, chatId: 5 });
    await told(/^Linked/);
    await telegram.say('/status', { userId: 5, chatId: 5 });
    await told(/Conversation: telegram\/1,/);
    await telegram.say('hello', { userId: 6, chatId: 6 });
    const asks = await until('a code for the stranger', () =>
      telegram.answers().findLast((t) => /pairing code/.test(t) && !t.includes(code)),
    );
    await telegram.say(`/pair approve ${/\b[A-Z2-9]{8}\b/.exec(asks)?.[0]}`, { userId: 5, chatId: 5 });
    await told(/may talk to me on telegram, as guest/);
    const { stdout } = await px.run('pairing', 'list');
    expect(stdout).toContain('same as telegram/1');
  }, 40_000);
});
