import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { BotApi } from './bot-api.ts';
import { chatRules, slowAnswer } from './mock-llm.ts';
import { notBuilt, Px, until } from './px.ts';

const group = { id: -100, type: 'group', title: 'Team' };
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const odd = '**bold _mixed** text_ <b>not a tag</b> & `a|b` [x](javascript:1) *un**closed\n```\nno end < >';
const long = Array.from({ length: 900 }, (_, i) => (i % 60 === 59 ? `word${i}.\n\n` : `word${i}`)).join(' ');

/** One bot, one px and one model for all that a person may do: a start takes longer than most of it. */
describe.skipIf(notBuilt !== undefined)('a Telegram bot', () => {
  const telegram = new BotApi();
  const mock = new LLMock({ port: 0 });
  let px: Px;

  beforeAll(async () => {
    const job = { name: 'schedule_add', arguments: { when: 'every 2h', text: 'is there tea' } };
    mock.on({ userMessage: 'remind me', hasToolResult: false }, { toolCalls: [job] });
    mock.on({ userMessage: 'remind me', hasToolResult: true }, { content: 'I will.' });
    for (const name of ['hello.ogg', 'notes.txt', 'film.bin']) {
      const call = { name: 'send_file', arguments: { path: `files/${name}`, caption: name } };
      mock.on({ userMessage: name, hasToolResult: false }, { toolCalls: [call] });
    }
    chatRules(mock, [
      ['odd text', odd],
      ['long text', long],
    ]);
    await mock.start();
    px = new Px({
      config: {
        ...telegram.config({ owners: ['7'], max_file_mb: 0.005 }),
        model: { default: 'openai/gpt-4o' },
        // What was said before would be in each request, and the mock goes by words.
        memory: { recall_tokens: 0 },
        providers: { openai: { base_url: `${mock.url}/v1`, api_key: '${TEST_KEY}' } },
      },
      env: { TELEGRAM_TOKEN: telegram.token, TEST_KEY: 'sk-test-1234567890' },
    });
    await px.serve();
    await px.installed();
    mkdirSync(join(px.home, 'memory/files'), { recursive: true });
    writeFileSync(join(px.home, 'memory/files/out.png'), picture);
    writeFileSync(join(px.home, 'memory/files/hello.ogg'), 'OggS');
    writeFileSync(join(px.home, 'memory/files/notes.txt'), 'words');
    writeFileSync(join(px.home, 'memory/files/film.bin'), 'x'.repeat(5_001));
  }, 60_000);
  afterAll(async () => {
    await px[Symbol.asyncDispose]();
    await mock.stop();
    await telegram[Symbol.asyncDispose]();
  });

  /** Says something and waits for the next message in the chat that fits. */
  const answerTo = async (what: () => void, chat = 7, fits: (text: string) => boolean = () => true) => {
    const before = telegram.messages.length;
    what();
    return until(`an answer in ${chat}`, () =>
      telegram.messages.slice(before).find((m) => m.chat === chat && fits(m.text)),
    );
  };

  test('puts its commands into the menu, and offers models as buttons', async () => {
    await until('the menu', () => telegram.commands.length > 5);
    expect(telegram.commands.map((c) => c.command)).toContain('approve');
    const answer = await answerTo(() => telegram.say('/help'));
    expect(answer.text).toContain('/status');
    const offer = await answerTo(() => telegram.say('/model'));
    expect(offer.buttons.map((button) => button.text)).toContain('openai/gpt-4o');
    const chosen = await answerTo(() => telegram.press('openai/gpt-4o'));
    expect(chosen.text).toBe('From now on openai/gpt-4o answers here.');
    await until('no more buttons', () => offer.buttons.length === 0);
  }, 60_000);

  test('asks with buttons before it sets a job, and a job says its answer in the chat it was meant for', async () => {
    const question = await answerTo(() => telegram.say('remind me of tea'));
    expect(question.text).toContain('May I use schedule_add?');
    expect(question.buttons.map((button) => button.text)).toEqual(['Once', 'Until /new', 'An hour', 'No']);
    await answerTo(
      () => telegram.press('Once'),
      7,
      (text) => text === 'I will.',
    );
    const [job] = JSON.parse((await px.run('schedule', 'list', '--json')).stdout);
    expect(job).toMatchObject({ when: 'every 2h', text: 'is there tea', to: 'telegram/7' });
    // As if px had been off when it was due: caught up once, also where the page was changed by hand.
    const page = join(px.home, 'memory/schedule.md');
    const since = /since: \S+/.exec(readFileSync(page, 'utf8'))?.[0] ?? '';
    const early = `since: ${new Date(Date.now() - 3 * 3_600_000).toISOString()}`;
    await answerTo(() => writeFileSync(page, readFileSync(page, 'utf8').replace(since, early)));
    expect(px.journal().match(/\[scheduled: is-there-tea\] is there tea/g)).toHaveLength(1);
    expect((await px.run('schedule', 'remove', job.id)).code).toBe(0);
  }, 60_000);

  test('in a group answers who names it or replies to it, in the topic, and is silent otherwise', async () => {
    telegram.say('nothing to do with px', { chat: group });
    telegram.say('/status@other_bot', { chat: group });
    const named = await answerTo(
      () =>
        telegram.say(`@${telegram.username} are you there?`, {
          chat: group,
          is_topic_message: true,
          message_thread_id: 5,
        }),
      -100,
    );
    expect(named.topic).toBe(5);
    expect(named.replyTo).toBeGreaterThan(0);
    const reply = { message_id: named.id, from: { id: 4711, is_bot: true, first_name: 'px' }, text: named.text };
    await answerTo(() => telegram.say('and you?', { chat: group, reply_to_message: reply }), -100);
    expect(telegram.texts(-100)).toHaveLength(2);
    const journal = px.journal();
    expect(journal).toContain('are you there?');
    expect(journal).not.toContain('nothing to do with px');
    expect(journal).toContain('[In reply to px: “Heard.”]');
  }, 60_000);

  test('takes an edit as a correction, and a photo, a voice and a document as files', async () => {
    const before = telegram.texts().length;
    const answers = () => telegram.texts().slice(before);
    const id = telegram.say('what I meant');
    await until('the answer', () => answers().length === 1);
    telegram.push({
      edited_message: telegram.message({
        message_id: id,
        text: 'what I mean',
        edit_date: Math.floor(Date.now() / 1000),
      }),
    });
    await until('an answer to the correction', () => answers().length === 2);
    telegram.files.set('photo1', picture);
    telegram.files.set('voice1', new TextEncoder().encode('OggS'.repeat(1000)));
    const photo = [
      { file_id: 'small', file_size: 1, width: 1, height: 1 },
      { file_id: 'photo1', file_size: picture.length, width: 2, height: 2 },
    ];
    telegram.say('', { text: undefined, caption: 'look at this', photo });
    telegram.say('', {
      text: undefined,
      voice: { file_id: 'voice1', file_size: 4000, duration: 3, mime_type: 'audio/ogg' },
    });
    telegram.say('', { text: undefined, document: { file_id: 'gone', file_name: '../../etc/passwd', file_size: 10 } });
    telegram.say('', { text: undefined, document: { file_id: 'big', file_name: 'film.mkv', file_size: 30_000_000 } });
    await until('answers', () => answers().length === 6);
    expect(answers()).toEqual(Array(6).fill('Heard.'));
    const folder = join(px.home, 'memory/files/telegram');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.includes('.'));
    expect(files.map((f) => f.replace(/^.*\/\d+-/, '')).sort()).toEqual(['photo.jpg', 'voice.ogg']);
    expect(readFileSync(join(folder, files.find((f) => f.endsWith('jpg')) ?? '')).equals(picture)).toBe(true);
    const journal = px.journal();
    for (const said of [
      '(corrected) what I mean',
      'photo.jpg, image/jpeg',
      '(voice without text, 3 s)',
      'not fetched',
      '30 MB are more than Telegram gives',
    ])
      expect(journal).toContain(said);
    const asked = JSON.stringify(mock.getRequests());
    expect(asked).toContain(picture.toString('base64'));
  }, 60_000);

  test('sends files and reactions, formatted text that never fails, and long text in whole words', async () => {
    const sent = await answerTo(
      () => telegram.say('send me the picture'),
      7,
      (t) => t === 'a dot',
    );
    expect(sent.file).toMatchObject({ kind: 'photo', name: 'out.png', mime: 'image/png' });
    expect(Buffer.from(sent.file?.bytes ?? []).equals(picture)).toBe(true);
    for (const [name, kind] of [
      ['hello.ogg', 'voice'],
      ['notes.txt', 'document'],
    ] as const) {
      const { file } = await answerTo(
        () => telegram.say(`send ${name}`),
        7,
        (t) => t === name,
      );
      expect(file).toMatchObject({ name, kind });
    }
    telegram.say('send film.bin');
    await until('the refusal', () => px.journal().includes('film.bin is too large to be sent (5001 of 5000 bytes)'));
    const liked = telegram.say('do you like it');
    await until('the reaction', () => telegram.called('setMessageReaction').some((a) => a['message_id'] === liked));
    const shown = await answerTo(
      () => telegram.say('odd text please'),
      7,
      (t) => t.includes('bold'),
    );
    expect(shown.text).toContain('<b>not a tag</b> & a|b');
    telegram.fail('sendMessage', 400, "Bad Request: can't parse entities: something");
    const plain = await answerTo(
      () => telegram.say('odd text again'),
      7,
      (t) => t.includes('bold'),
    );
    expect(plain.text).toBe(odd);
    const from = telegram.messages.length;
    telegram.say('a long text please');
    await until(
      'all of it',
      () => telegram.messages.at(-1)?.text.endsWith('word899') || telegram.messages.at(-1)?.text.endsWith('word899.'),
    );
    const parts = telegram.messages.slice(from).map((m) => m.text);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part).toMatch(/^word\d+\b[\s\S]*\bword\d+\.?$/);
    expect(parts.join(' ').replace(/\s+/g, ' ')).toBe(long.replace(/\s+/g, ' ').trim());
  }, 60_000);

  test('shows an answer while it is written: as a draft, and where there are none by editing one message', async () => {
    const whole = slowAnswer.trim();
    await answerTo(
      () => telegram.say('answer slowly'),
      7,
      (t) => t === whole,
    );
    const drafts = telegram.drafts.filter((d) => whole.startsWith(d.text));
    expect(drafts.length).toBeGreaterThan(1);
    expect(new Set(drafts.map((d) => d.id)).size).toBe(1);
    for (const [i, draft] of drafts.entries())
      if (i > 0) expect(draft.at - (drafts[i - 1]?.at ?? 0)).toBeGreaterThan(900);
    telegram.knowsDrafts = false;
    const before = telegram.messages.length;
    telegram.say('answer slowly once more');
    await until('the whole answer', () => telegram.messages.slice(before).find((m) => m.text === whole));
    const shown = telegram.messages.slice(before);
    expect(shown).toHaveLength(1);
    expect(shown[0]?.edits).toBeGreaterThan(0);
  }, 60_000);

  test('waits when told to, follows a group that moves, and says who has blocked it', async () => {
    telegram.fail('sendMessage', 429, 'Too Many Requests: retry after 1', { retry_after: 1 });
    const at = Date.now();
    await answerTo(() => telegram.say('too fast?'));
    expect(Date.now() - at).toBeGreaterThan(950);
    telegram.moved.set(-100, -1_000_000_000_100);
    await answerTo(() => telegram.say(`@${telegram.username} still there?`, { chat: group }), -1_000_000_000_100);
    const supergroup = { ...group, id: -1_000_000_000_100, type: 'supergroup' };
    await answerTo(() => telegram.say(`@${telegram.username} and now?`, { chat: supergroup }), -1_000_000_000_100);
    expect(readdirSync(join(px.home, 'memory/journal')).filter((f) => f.startsWith('telegram')).length).toBe(3);
    telegram.fail('sendMessage', 403, 'Forbidden: bot was blocked by the user');
    telegram.say('hello', { from: { id: 9, is_bot: false, first_name: 'Eve' }, chat: { id: 9, type: 'private' } });
    const blocked = await until('a dead letter', async () => {
      const { stdout } = await px.run('outbox', 'list', '--json');
      return stdout.includes('blocked the bot') && stdout;
    });
    expect(blocked).toContain('Heard.');
    const past = await px.fetch('/api/channels/telegram/9/history');
    expect(await past.json()).toMatchObject({
      source: 'journal',
      messages: [{ name: 'Eve', text: 'hello' }, { name: 'px' }],
    });
  }, 60_000);

  test('says what a late answer is to, and lists what is too old until somebody wants it answered', async () => {
    const ago = (hours: number) => Math.floor(Date.now() / 1000) - hours * 3_600;
    const late = await answerTo(() => telegram.say('a word too late', { date: ago(3) }));
    expect(late.text).toMatch(/^⏳ Late, to what you wrote .*“a word too late”\n\nHeard\.$/);
    telegram.say('words of old', { date: ago(30) });
    const listed = async () => JSON.parse((await px.run('inbox', 'list', '--json')).stdout);
    const old = await until('the old one', async () => (await listed())[0]);
    expect(old).toMatchObject({ state: 'old', text: 'words of old', channel: 'telegram', chat: '7' });
    expect((await answerTo(() => telegram.say('and now?'))).text).toBe('Heard.');
    const answered = await answerTo(() => void px.run('inbox', 'answer', `${old.seq}`));
    expect(answered.text).toContain('“words of old”\n\nHeard.');
    await until('an empty inbox', async () => (await listed()).length === 0);
    const add = ['schedule', 'add', 'cron 0 8 * * 1-5', 'any news?', '--to', 'telegram/7', '--name', 'news'];
    expect((await px.run(...add, '--zone', 'Europe/Zurich')).stdout).toMatch(/^news: next /);
    expect((await answerTo(() => void px.run('schedule', 'run', 'news'))).text).toBe('Heard.');
    expect((await px.run('schedule', 'remove', 'news')).stdout).toContain('off the schedule');
  }, 60_000);

  test('comes back by itself from a refused token, and moves to a webhook and back while px runs', async () => {
    telegram.revoked = true;
    await until('the state', async () => (await px.run('status')).stdout.includes('token refused'));
    telegram.revoked = false;
    expect((await px.pipe(`${telegram.token}\n`, 'secret', 'set', 'TELEGRAM_TOKEN')).code).toBe(0);
    await answerTo(() => telegram.say('back?'));
    expect((await px.run('config', 'set', 'channels.telegram.webhook', px.url)).code).toBe(0);
    const hook = await until('the webhook', () => telegram.webhook);
    expect(hook.url).toStartWith(`${px.url}/hooks/channel/telegram/`);
    await answerTo(() => telegram.say('by webhook'));
    const post = (url: string, secret: string) =>
      fetch(url, {
        method: 'POST',
        headers: { 'x-telegram-bot-api-secret-token': secret },
        body: JSON.stringify({ update_id: 1, message: telegram.message({ text: 'forged words' }) }),
      });
    expect((await post(hook.url, 'wrong')).status).toBe(401);
    expect((await post(hook.url.replace(/[^/]+$/, 'guessed'), hook.secret)).status).toBe(404);
    expect((await px.run('config', 'unset', 'channels.telegram.webhook')).code).toBe(0);
    await until('no webhook', () => telegram.webhook === undefined);
    await answerTo(() => telegram.say('asked for again'));
    expect(px.journal()).not.toContain('forged words');
    expect(px.log).not.toContain(telegram.token);
  }, 60_000);
});
