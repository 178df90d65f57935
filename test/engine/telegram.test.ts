import { describe, expect, test } from 'bun:test';
import { toHtml } from '../../plugins/telegram/format.ts';
import { bundledPlugins } from '../../src/plugin/engine/bundled.ts';
import type { Json } from '../../src/wire/wire.ts';
import { type Answer, type Asked, guestError, type Running, runScript } from './run.ts';

const ok = (result: Json): Answer => ({ status: 200, body: JSON.stringify({ ok: true, result }) });
const no = (error_code: number, description: string, parameters: Json = {}): Answer => ({
  status: error_code,
  body: JSON.stringify({ ok: false, error_code, description, parameters }),
});
const held = (answer: Answer): Json => ({
  ok: { status: answer.status, headers: [], body: Buffer.from(answer.body).toString('base64') },
});

async function telegram(http: (request: Asked) => Answer = bot): Promise<Running> {
  const plugin = (await bundledPlugins())['telegram'];
  const settings = { api: 'http://127.0.0.1:1/', token: '{{secret:TELEGRAM_TOKEN}}' };
  return runScript(new TextDecoder().decode(plugin?.file), 'telegram.js', { http, settings });
}
/** A bot that tells who it is, and takes everything. */
const bot = (r: Asked): Answer =>
  r.url.endsWith('/getMe') ? ok({ id: 4711, is_bot: true, username: 'px_bot' }) : ok({ message_id: 99 });
const sentTo = (asked: Asked | undefined) => ({
  url: asked?.url,
  ...JSON.parse(new TextDecoder().decode(asked?.body)),
});
const from = { id: 5, is_bot: false, first_name: 'Ann', last_name: 'Lee', username: 'al' };
const chat = { id: -100, type: 'supergroup', title: 'Team' };

describe('telegram', () => {
  test('is a live connector that declares what it needs and takes 4,096 characters', async () => {
    const { load, call } = await telegram();
    expect(load().functions.sort()).toEqual(
      [
        'abilities account describe edit-message fetch-file next-send next-wait on-sent on-wait on-webhook',
        'poll-events post-message react set-commands set-typing set-webhook',
      ].flatMap((names) => names.split(' ')),
    );
    expect(call('describe')).toEqual({ platform: 'telegram', max_text: 4096 });
    expect((await bundledPlugins())['telegram']?.manifest).toMatchObject({
      egress: ['GET,POST https://api.telegram.org/bot', 'GET https://api.telegram.org/file/bot'],
      secrets: { TELEGRAM_TOKEN: ['https://api.telegram.org/bot', 'https://api.telegram.org/file/bot'] },
    });
  });

  test('a pressed button says its words, also long ones and such as look like a kept name', async () => {
    const words = ['/model a', `/model ${'x'.repeat(100)}`, 'say: cheese'];
    const { call } = await telegram();
    const choices = words.map((says) => ({ label: says.slice(0, 8), says }));
    const key = 'k:1';
    const { body } = call('next-send', '5', { key, content: 'which?', message: null, choices, files: [] }) as Json & {
      body: string;
    };
    const sent = JSON.parse(Buffer.from(body, 'base64').toString()) as {
      reply_markup: { inline_keyboard: { callback_data: string }[][] };
    };
    const data = sent.reply_markup.inline_keyboard.flat().map((button) => button.callback_data);
    for (const one of data) expect(Buffer.byteLength(one)).toBeLessThanOrEqual(64);
    const pressed = data.map((one, i) => ({
      update_id: 50 + i,
      callback_query: { id: `${i}`, from, data: one, message: { message_id: 9, date: 1, chat } },
    }));
    const told = call('on-wait', held(ok(pressed))) as { text: string }[];
    expect(told.map(({ text }) => text)).toEqual(words);
  });

  test('the offset moves only when px asks again after taking the messages', async () => {
    const { call, host } = await telegram();
    const first = call('next-wait') as { url: string; timeout_ms: number };
    expect(first.url).toBe(
      'http://127.0.0.1:1/bot{{secret:TELEGRAM_TOKEN}}/getUpdates?timeout=50&offset=0&allowed_updates=%5B%22message%22%2C%22edited_message%22%2C%22callback_query%22%5D',
    );
    expect(first.timeout_ms).toBeGreaterThan(50_000);
    const updates = held(
      ok([{ update_id: 41, message: { message_id: 1, date: 1, from, chat: { id: 5, type: 'private' }, text: 'a' } }]),
    );
    expect(call('on-wait', updates)).toHaveLength(1);
    expect(host.kv.has('offset')).toBe(false);
    expect((call('next-wait') as { url: string }).url).toContain('offset=42&');
    expect(new TextDecoder().decode(host.kv.get('offset'))).toBe('42');
  });

  test('when px never took them, they are asked for again', async () => {
    const before = await telegram();
    before.call('next-wait');
    before.call('on-wait', held(ok([{ update_id: 41, message: { message_id: 1, date: 1, from, chat, text: 'a' } }])));
    const plugin = (await bundledPlugins())['telegram'];
    const after = await runScript(new TextDecoder().decode(plugin?.file), 'telegram.js', {
      kv: before.host.kv,
      http: bot,
    });
    expect((after.call('next-wait') as { url: string }).url).toContain('offset=0&');
  });

  test('messages carry chat, sender, time and what they answer; bots and service messages are passed over', async () => {
    const { call } = await telegram();
    const message = { message_id: 8, date: 1_700_000_000, from, chat, reply_to_message: { message_id: 3 } };
    const result = [
      { update_id: 1, message: { ...message, text: 'hi', is_topic_message: true, message_thread_id: 4 } },
      { update_id: 2, message: { ...message, from: { ...from, is_bot: true }, text: 'from a bot' } },
      { update_id: 3, edited_message: { ...message, edit_date: 1_700_000_060, text: 'edited' } },
      { update_id: 4, message: { ...message, new_chat_members: [] } },
      { update_id: 5, message: { ...message, photo: [], caption: 'look' } },
      { update_id: 6, message: { ...message, voice: {} } },
    ];
    const messages = call('on-wait', held(ok(result))) as { id: string; text: string; metadata: string }[];
    expect(messages.map((m) => m.text)).toEqual(['hi', '(corrected) edited', 'look', '(voice without text)']);
    expect(messages[1]?.id).toBe('-100:8:e1700000060');
    expect(messages[0]).toMatchObject({ id: '-100:8', sender: { id: '5', display_name: 'Ann Lee' } });
    expect(JSON.parse(messages[0]?.metadata ?? '')).toEqual({
      channel: '-100:4',
      date: 1_700_000_000,
      group: true,
      mentioned: false,
      message_id: 8,
      reply_to: 3,
      title: 'Team',
      username: 'al',
      within: '-100',
    });
    expect((call('next-wait') as { url: string }).url).toContain('offset=7&');
  });

  test('tells who the bot is, asked anew each time; with a wrong token it says so', async () => {
    let name = 'px_bot';
    const { call } = await telegram(() => ok({ id: 4711, is_bot: true, username: name }));
    expect(call('account')).toEqual({ name: '@px_bot', url: 'https://t.me/px_bot' });
    name = 'other_bot';
    expect(call('account')).toEqual({ name: '@other_bot', url: 'https://t.me/other_bot' });
    const wrong = await telegram(() => no(401, 'Unauthorized'));
    expect(guestError(() => wrong.call('account'))).toMatch(/^unauthorized: .*@BotFather/);
  });

  test('a silent wait brings nothing; refusals say what to do', async () => {
    const { call } = await telegram();
    expect(call('on-wait', { err: 'timeout' })).toEqual([]);
    expect(call('on-wait', held(ok([])))).toEqual([]);
    const error = (answer: Answer) => guestError(() => call('on-wait', held(answer)));
    expect(error(no(401, 'Unauthorized'))).toMatch(/^unauthorized: .*@BotFather/);
    expect(error(no(409, 'Conflict: terminated by other getUpdates request'))).toMatch(/^conflict: another program/);
    expect(error(no(429, 'Too Many Requests', { retry_after: 17 }))).toMatch(/^retry-after:17\b/);
    expect(error({ status: 502, body: '<html>' })).toContain('HTTP 502');
    expect(error({ status: 200, body: 'null' })).toContain('Telegram answered 200');
    expect(guestError(() => call('on-wait', { err: { network: 'no route' } }))).toBe('no route');
  });

  test('an answer is sent formatted, to the chat or the topic', async () => {
    const { call, host } = await telegram();
    expect(call('post-message', '-100:4', '**bold** & <b>')).toBe('99');
    expect(sentTo(host.asked[0])).toEqual({
      url: 'http://127.0.0.1:1/bot{{secret:TELEGRAM_TOKEN}}/sendMessage',
      chat_id: -100,
      message_thread_id: 4,
      text: '<b>bold</b> &amp; &lt;b&gt;',
      parse_mode: 'HTML',
      link_preview_options: { is_disabled: true },
    });
  });

  test('when Telegram does not take the formatting, the plain text goes; a real refusal is told', async () => {
    const picky = await telegram((r) =>
      sentTo(r).parse_mode ? no(400, "Bad Request: can't parse entities") : ok({ message_id: 5 }),
    );
    expect(picky.call('post-message', '1', '*a*')).toBe('5');
    expect(sentTo(picky.host.asked[1])).toMatchObject({ text: '*a*' });
    const gone = await telegram(() => no(400, 'Bad Request: chat not found'));
    expect(guestError(() => gone.call('post-message', '1', 'a'))).toBe('refused: Bad Request: chat not found');
    expect(gone.host.asked).toHaveLength(1);
    const blocked = await telegram(() => no(403, 'Forbidden: bot was blocked by the user'));
    expect(guestError(() => blocked.call('post-message', '1', 'a'))).toBe('refused: this person has blocked the bot');
  });

  test('cut off while it sent, it says that nobody knows', async () => {
    const slow = await telegram(() => {
      throw { tag: 'timeout' };
    });
    expect(guestError(() => slow.call('post-message', '1', 'a'))).toMatch(/^unknown: /);
    const offline = await telegram(() => {
      throw { tag: 'network', val: 'no route to host' };
    });
    expect(guestError(() => offline.call('post-message', '1', 'a'))).toBe('network: no route to host');
  });

  test('a text longer than Telegram takes is sent in parts, none cut inside a character', async () => {
    const { call, host } = await telegram();
    call('post-message', '1', `${'x'.repeat(4095)}😀y`);
    expect(host.asked.map((a) => sentTo(a).text)).toEqual(['x'.repeat(4095), '😀y']);
  });

  test('typing, reactions and edits', async () => {
    const { call, host } = await telegram();
    call('set-typing', '7');
    call('react', '7', '7:12', '👍');
    call('edit-message', '7', '12', 'new');
    expect(host.asked.map((a) => [a.url.split('/').at(-1), sentTo(a).message_id ?? sentTo(a).action])).toEqual([
      ['sendChatAction', 'typing'],
      ['setMessageReaction', 12],
      ['editMessageText', 12],
    ]);
    const same = await telegram(() => no(400, 'Bad Request: message is not modified'));
    expect(same.call('edit-message', '7', '12', 'same')).toBeNull();
  });
});

describe('Markdown for Telegram', () => {
  const cases: [string, string][] = [
    ['plain <&> text', 'plain &lt;&amp;&gt; text'],
    ['**b** *i* _i_ __b__ ~~s~~ ***bi***', '<b>b</b> <i>i</i> <i>i</i> <b>b</b> <s>s</s> <b><i>bi</i></b>'],
    ['**bold with *italic* inside**', '<b>bold with <i>italic</i> inside</b>'],
    ['snake_case_name and 2 * 3 * 4', 'snake_case_name and 2 * 3 * 4'],
    ['**not closed and `code` *', '**not closed and <code>code</code> *'],
    ['`a < b` ``x`y``', '<code>a &lt; b</code> <code>x`y</code>'],
    ['[site](https://x.test/a_(b)?q="1"&z)', '<a href="https://x.test/a_(b)?q=&quot;1&quot;&amp;z">site</a>'],
    ['[bad](javascript:alert(1))', '[bad](javascript:alert(1))'],
    ['# Head **ing**\n\ntext', '<b>Head ing</b>\n\ntext'],
    ['- a\n  - b\n1. c\n- [x] d', '• a\n  • b\n1. c\n☑ d'],
    ['> quote **b**\n> two\nafter', '<blockquote>quote <b>b</b>\ntwo</blockquote>\nafter'],
    ['```ts\nif (a < b) *x*\n```', '<pre><code class="language-ts">if (a &lt; b) *x*</code></pre>'],
    ['~~~\nopen', '<pre>open</pre>'],
    ['| a | bb |\n|---|:-:|\n| ccc | d |', '<pre>a    bb\nccc  d</pre>'],
    ['---', '———'],
    ['\\*kept\\*', '*kept*'],
  ];
  for (const [markdown, html] of cases) test(JSON.stringify(markdown), () => expect(toHtml(markdown)).toBe(html));

  test('whatever comes in, every tag is closed in order', () => {
    const pieces = [
      '**',
      '*',
      '_',
      '__',
      '~~',
      '`',
      '```\n',
      '[',
      '](https://x)',
      '||',
      'a',
      ' ',
      '\n',
      '> ',
      '# ',
      '- ',
      '<b>',
      '&',
      '\\',
      '|',
    ];
    let seed = 3;
    for (let i = 0; i < 2000; i++) {
      const text = Array.from({ length: 14 }, () => {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        return pieces[(seed >>> 10) % pieces.length];
      }).join('');
      const open: string[] = [];
      const html = toHtml(text);
      for (const [, close, name = ''] of html.matchAll(/<(\/?)([a-z-]+)[^>]*>/g)) {
        if (!close) open.push(name);
        else if (open.pop() !== name) throw new Error(`${JSON.stringify(text)} → ${html}`);
      }
      expect([text, open]).toEqual([text, []]);
    }
  });
});
