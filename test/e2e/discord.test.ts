import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { buttonsOf, FakeDiscord } from './discord-server.ts';
import { chatRules, clockMock, providers, slowAnswer } from './mock-llm.ts';
import { notBuilt, Px, until } from './px.ts';

const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const code = 'x = 1\n'.repeat(500);
const long = `${Array.from({ length: 300 }, (_, i) => `word${i}`).join(' ')}\n\n\`\`\`py\n${code}\`\`\`\n\nThe end.`;

/** A px with the connector in it, talking to a fake Discord. */
async function start(discord: FakeDiscord, mock: LLMock, channel: object, settings: object = {}): Promise<Px> {
  const px = new Px({
    config: {
      ...discord.config(channel, settings),
      model: { default: 'openai/gpt-4o' },
      // What was said before would be in each request, and the mock goes by words.
      memory: { recall_tokens: 0 },
      providers: providers[0].config(mock.url),
    },
    env: { DISCORD_TOKEN: discord.token, TEST_KEY: 'sk-test-1234567890' },
  });
  await px.serve();
  const added = await px.run('plugin', 'add', 'discord', '--grant', 'none');
  if (added.code !== 0) throw new Error(added.stderr);
  return px;
}
const state = async (px: Px) => (await px.run('status')).stdout;

describe.skipIf(notBuilt !== undefined)('a Discord message', () => {
  test('leads from a pairing code to a tool call and one answer, and waiting for the next costs no process', async () => {
    await using discord = new FakeDiscord();
    discord.gateway.heartbeatMs = 1_000;
    await using mock = await clockMock();
    await using px = await start(discord, mock, {});
    await px.installed();
    await until('the session', () => discord.gateway.sessions.size === 1);
    // Only then has the connector read all that Discord says when a session begins.
    await until('the channel', async () => /discord\s+running/.test(await state(px)));
    // No traffic yet: the connector's process has gone, and heartbeats go on without it.
    await until('rest', () => px.children().length === 0 || undefined);
    const { heartbeats } = discord.gateway;
    while (discord.gateway.heartbeats < heartbeats + 3) {
      expect(px.children()).toEqual([]);
      await Bun.sleep(50);
    }
    discord.say('what time is it?');
    const ask = await until('the pairing code', () => discord.texts()[0]);
    const pairing = /\b[A-Z2-9]{8}\b/.exec(ask)?.[0] ?? '';
    expect((await px.run('pairing', 'approve', pairing)).code).toBe(0);
    discord.say('what time is it?');
    await until('an answer', () => discord.texts().find((text) => text.includes('The clock plugin told me the time.')));
    expect(px.journal()).toContain('clock_now');
    expect(await state(px)).toMatch(/discord\s+running/);
    expect(discord.gateway.closes).toEqual([]);
    expect(discord.leaked).toBe(false);
    expect(px.log + px.journal()).not.toContain(discord.token);
  }, 60_000);

  test('is answered once when px is killed after Discord has the answer and before px knows', async () => {
    await using discord = new FakeDiscord();
    await using mock = await clockMock();
    await using px = await start(discord, mock, { access: 'open', stream: false });
    await until('the session', () => discord.gateway.sessions.size === 1);
    discord.failures.push({ call: 'POST /channels/7700/messages', failure: () => process.kill(px.pid, 'SIGKILL') });
    discord.say('hello');
    await until('the text', () => discord.texts().length === 1);
    await px.kill9();
    const missed = 'hello again';
    discord.say(missed);
    await px.serve();
    await until('the next answer', () => discord.texts().length === 2);
    const sends = discord.calls.filter((c) => c.method === 'POST' && c.path === '/channels/7700/messages');
    expect(sends).toHaveLength(3);
    expect(sends[0]?.args['nonce']).toBe(sends[1]?.args['nonce'] ?? '');
    expect(px.journal().match(/hello again/g)).toHaveLength(1);
    // The session was taken up again: nothing was to be asked for.
    expect(discord.gateway.sessions.size).toBe(1);
    expect((await px.run('outbox', 'list')).stdout).not.toContain('unknown');
  }, 60_000);

  test('with a token Discord does not know, or without the intent, says so in plain words', async () => {
    await using discord = new FakeDiscord();
    await using mock = await clockMock();
    await using px = await start(discord, mock, { access: 'open' }, { message_content: true });
    const shown = async (what: RegExp) => until(`${what}`, async () => what.test(await state(px)));
    await shown(/Message Content Intent/);
    discord.gateway.contentAllowed = true;
    discord.revoked = true;
    await px.run('config', 'set', 'plugins.discord.settings.message_content', 'false');
    await shown(/token refused by the platform: unauthorized: Discord does not know this bot token/);
    discord.revoked = false;
    discord.sessionsLeft = 0;
    expect((await px.pipe(`${discord.token}\n`, 'secret', 'set', 'DISCORD_TOKEN')).code).toBe(0);
    await shown(/no more sessions today/);
    expect(px.log).not.toContain(discord.token);
  }, 60_000);
});

/** One bot, one px and one model for all that a person may do: a start takes longer than most of it. */
describe.skipIf(notBuilt !== undefined)('a Discord bot', () => {
  const discord = new FakeDiscord();
  const mock = new LLMock({ port: 0 });
  let px: Px;

  beforeAll(async () => {
    chatRules(mock, [
      ['long text', long],
      ['call everybody', '@everyone <@70> __wake up__'],
    ]);
    await mock.start();
    px = await start(discord, mock, { access: 'open', owners: ['70'] });
    mkdirSync(join(px.home, 'memory/files'), { recursive: true });
    writeFileSync(join(px.home, 'memory/files/out.png'), picture);
    await until('the session', () => discord.gateway.sessions.size === 1);
  }, 60_000);
  afterAll(async () => {
    await px[Symbol.asyncDispose]();
    await mock.stop();
    await discord[Symbol.asyncDispose]();
  });

  /** Says something and waits for the next message in the channel that fits. */
  const answerTo = async (
    what: () => unknown,
    channel = '7700',
    fits: (text: string) => boolean = () => true,
    ms = 30_000,
  ) => {
    const before = discord.written(channel).length;
    what();
    return until(
      `an answer in ${channel}`,
      () =>
        discord
          .written(channel)
          .slice(before)
          .find((m) => fits(m.content)),
      ms,
    );
  };

  test('has its commands behind the slash, answers them, and offers models as buttons that say what they say', async () => {
    await until('the commands', () => discord.commands.some((one) => one['name'] === 'status'));
    await answerTo(() => discord.choose('status'));
    expect(discord.callbacks[0]).toMatchObject({ type: 4, data: { content: '/status', flags: 64 } });
    const offer = await answerTo(
      () => discord.choose('model'),
      '7700',
      (text) => text !== '',
    );
    const [button] = buttonsOf(offer);
    expect(button).toBeDefined();
    await answerTo(() => discord.press(String(button?.['label'])));
    expect(discord.callbacks.at(-1)).toMatchObject({ type: 7, data: { components: [] } });
    await answerTo(() => discord.choose('model', 'openai/gpt-4o'));
    expect(px.journal()).not.toContain('say:');
  }, 60_000);

  test('in a guild answers who names it or replies to it, in the thread, and is not even woken otherwise', async () => {
    discord.say('nothing to do with px', { channel_id: '8800' });
    const named = await answerTo(() => discord.say('<@4711> are you there?', { channel_id: '8801' }), '8801');
    await answerTo(
      () =>
        discord.say('and you?', {
          channel_id: '8801',
          type: 19,
          referenced_message: named,
          mentions: [discord.gateway.bot],
        }),
      '8801',
    );
    expect(discord.texts('8800')).toEqual([]);
    const journal = px.journal();
    expect(journal).toContain('are you there?');
    expect(journal).toContain('[In reply to px: “Heard.”]');
    expect(journal).not.toContain('<@4711>');
    expect(journal).not.toContain('nothing to do with px');
  }, 60_000);

  test('takes an edit as a correction, and files; sends files and reactions', async () => {
    await answerTo(() => discord.say('what I meant'));
    const said = discord.messages.findLast((m) => m.content === 'what I meant');
    await answerTo(() => said && discord.edit(said, 'what I mean'));
    discord.files.set('/attachments/7700/1/dot.png', picture);
    const attachment = {
      id: '1',
      filename: 'dot.png',
      content_type: 'image/png',
      size: picture.length,
      url: `http://${discord.host}/attachments/7700/1/dot.png`,
    };
    const gone = { ...attachment, filename: '../../etc/passwd', url: `http://${discord.host}/attachments/7700/2/gone` };
    await answerTo(() => discord.say('look at this', { attachments: [attachment] }));
    await answerTo(
      () => discord.say('', { attachments: [gone] }),
      '7700',
      () => true,
    );
    const folder = join(px.home, 'memory/files/discord');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.includes('.'));
    expect(files.map((f) => f.replace(/^.*\/\d+-/, ''))).toEqual(['dot.png']);
    expect(readFileSync(join(folder, files[0] ?? '')).equals(picture)).toBe(true);
    const sent = await answerTo(
      () => discord.say('send me the picture'),
      '7700',
      (text) => text === 'a *dot*',
    );
    const [out] = sent['attachments'] as { url: string; filename: string }[];
    expect(out?.filename).toBe('out.png');
    expect(Buffer.from(discord.files.get(new URL(out?.url ?? '').pathname) ?? []).equals(picture)).toBe(true);
    await answerTo(
      () => discord.say('do you like it'),
      '7700',
      (text) => text === 'I do.',
    );
    const liked = discord.messages.findLast((m) => m.content === 'do you like it')?.id;
    expect(discord.reactions).toEqual([{ message: liked ?? '', emoji: '👍' }]);
    for (const text of ['(corrected) what I mean', 'dot.png, image/png', 'not fetched'])
      expect(px.journal()).toContain(text);
    expect(discord.leaked).toBe(false);
  }, 60_000);

  test('sends long text in parts of whole words and whole code blocks, calls nobody, and shows an answer while it is written', async () => {
    const from = discord.written().length;
    discord.say('a long text please');
    await until('all of it', () => discord.texts().at(-1)?.endsWith('The end.'));
    const parts = discord.texts().slice(from);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(2_000);
      expect((part.match(/^```/gm) ?? []).length % 2).toBe(0);
    }
    expect(
      parts
        .join('\n')
        .replace(/^```(py)?\n?/gm, '')
        .match(/x = 1/g),
    ).toHaveLength(500);
    const loud = await answerTo(() => discord.say('call everybody'));
    expect(loud.content).toBe('@everyone <@70> **wake up**');
    expect(loud['allowed_mentions']).toEqual({ parse: [] });
    const before = discord.written().length;
    const whole = slowAnswer.trim();
    discord.say('answer slowly');
    await until('the whole answer', () =>
      discord
        .written()
        .slice(before)
        .find((m) => m.content === whole),
    );
    expect(discord.written().slice(before)).toHaveLength(1);
    expect(discord.calls.filter((c) => c.method === 'PATCH').length).toBeGreaterThan(0);
    expect(discord.calls.some((c) => c.path.endsWith('/typing'))).toBe(true);
  }, 60_000);

  test('takes its session up again after a break, and asks for what was missed when it cannot', async () => {
    const { gateway } = discord;
    const identified = () => gateway.ops.filter((op) => op === 2).length;
    const before = identified();
    gateway.cut();
    await answerTo(() => discord.say('while the line was down'));
    expect(identified()).toBe(before);
    gateway.send({ op: 7 });
    await answerTo(() => discord.say('while it changed over'));
    expect(identified()).toBe(before);
    gateway.sessions.clear();
    gateway.cut();
    discord.say('with nobody to hear it');
    discord.say('<@4711> nor this', { channel_id: '8801' });
    discord.say('never meant for px', { channel_id: '8801' });
    await answerTo(() => {}, '8801');
    await until('both answers', () =>
      ['with nobody to hear it', 'nor this'].every((text) => px.journal().includes(text)),
    );
    expect(identified()).toBe(before + 1);
    await answerTo(() => discord.say('and now?'));
    gateway.closeAll(4009, 'Session timed out.');
    // Each connection that did not last makes the pause before the next one longer.
    await answerTo(() => discord.say('after a timeout'), '7700', undefined, 40_000);
    expect(identified()).toBe(before + 2);
    const journal = px.journal();
    expect(journal).not.toContain('never meant for px');
    for (const text of ['while the line was down', 'with nobody to hear it', 'nor this', 'after a timeout'])
      expect([text, journal.match(new RegExp(text, 'g'))?.length]).toEqual([text, 1]);
  }, 90_000);

  test('waits when told to, says who takes no messages, and tells a chat’s past', async () => {
    discord.fail('POST /channels/7700/messages', 429, {
      message: 'You are being rate limited.',
      retry_after: 1.2,
      global: false,
    });
    const at = Date.now();
    await answerTo(() => discord.say('too fast?'));
    expect(Date.now() - at).toBeGreaterThan(1_150);
    discord.fail('POST /channels/7701/messages', 403, { message: 'Cannot send messages to this user', code: 50_007 });
    discord.say('hello', { channel_id: '7701', author: { id: '71', username: 'eve', global_name: 'Eve' } });
    await until('a dead letter', async () =>
      (await px.run('outbox', 'list', '--json')).stdout.includes('takes no direct messages'),
    );
    const past = await px.fetch('/api/channels/discord/7700/history');
    expect(await past.json()).toMatchObject({ source: 'platform' });
    expect(px.log).not.toContain(discord.token);
    expect(discord.gateway.closes.filter((c) => c >= 4_002 && c < 4_009)).toEqual([]);
  }, 60_000);
});
