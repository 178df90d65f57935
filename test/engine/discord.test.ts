import { describe, expect, test } from 'bun:test';
import { toDiscord } from '../../plugins/discord/format.ts';
import { bundledPlugins } from '../../src/plugin/engine/bundled.ts';
import { holds } from '../../src/plugin/socket/pattern.ts';
import type { Json } from '../../src/wire/wire.ts';
import { type Answer, type Asked, guestError, type Running, runScript } from './run.ts';

const gateway = { url: 'wss://gateway.discord.gg', session_start_limit: { remaining: 10, reset_after: 1 } };
const ok = (result: Json, status = 200): Answer => ({ status, body: JSON.stringify(result) });
const discordApi = (r: Asked): Answer => (r.url.endsWith('/gateway/bot') ? ok(gateway) : ok({ id: '99' }));

async function discord(http: (request: Asked) => Answer = discordApi, kv: [string, string][] = []): Promise<Running> {
  const plugin = (await bundledPlugins())['discord'];
  const stored = new Map(kv.map(([key, value]) => [key, new TextEncoder().encode(value)]));
  return runScript(new TextDecoder().decode(plugin?.file), 'discord.js', { http, kv: stored });
}
const session = JSON.stringify({ id: 'abc', url: 'wss://gateway-us.discord.gg', bot: '4711' });
const out = (more: { [key: string]: Json }): Json => ({
  kind: 'post',
  key: 'px1-1',
  message: null,
  content: '',
  choices: [],
  files: [],
  ...more,
});
const answered = (status: number, body: Json = {}): Json => ({
  ok: { status, headers: [], body: Buffer.from(JSON.stringify(body)).toString('base64') },
});
const bodyOf = (request: Json) =>
  JSON.parse(Buffer.from(String((request as { body: string }).body), 'base64').toString()) as { [key: string]: Json };

describe('discord', () => {
  test('asks for no more than Discord, and sends its token nowhere else', async () => {
    expect((await bundledPlugins())['discord']?.manifest).toMatchObject({
      egress: [
        'GET,POST,PUT,PATCH,DELETE https://discord.com/api/',
        'GET wss://*.discord.gg/',
        'GET https://cdn.discordapp.com/',
      ],
      secrets: { DISCORD_TOKEN: ['header:authorization https://discord.com/api/', 'body:d.token wss://*.discord.gg/'] },
    });
    const { call } = await discord();
    expect(call('fetch-file', 'https://cdn.discordapp.com/attachments/1/2/a.png?ex=1')).toMatchObject({ headers: [] });
    expect(guestError(() => call('fetch-file', 'file:///etc/passwd'))).toContain('refused:');
  });

  test('opens a new session where Discord says, and takes a known one up where that was', async () => {
    const fresh = (await discord()).call('next-socket') as { url: string; cursor: string; wake: string[] };
    expect(fresh).toMatchObject({ url: 'wss://gateway.discord.gg/?v=10&encoding=json', cursor: '/s' });
    const known = await discord(() => ok({}, 500), [['session', session]]);
    const again = known.call('next-socket') as typeof fresh;
    expect(again.url).toBe('wss://gateway-us.discord.gg/?v=10&encoding=json');
    expect(known.host.asked).toEqual([]);
    const wakes = (message: Json) => again.wake.some((pattern) => holds(message, JSON.parse(pattern) as Json));
    const user = { id: '70' };
    const written = (d: { [key: string]: Json }) => ({ op: 0, t: 'MESSAGE_CREATE', s: 1, d: { author: user, ...d } });
    for (const yes of [
      { op: 10 },
      { op: 9, d: false },
      { op: 0, t: 'INTERACTION_CREATE', d: {} },
      written({}),
      written({ guild_id: '1', mentions: [{ id: '5' }, { id: '4711' }] }),
      written({ guild_id: '1', mentions: [], referenced_message: { author: { id: '4711' } } }),
      written({ author: { id: '70', bot: false } }),
    ])
      expect([yes, wakes(yes)]).toEqual([yes, true]);
    for (const no of [
      { op: 11 },
      { op: 0, t: 'TYPING_START', d: {} },
      written({ guild_id: '1', mentions: [{ id: '5' }] }),
      written({ author: { id: '4711', bot: true } }),
    ])
      expect([no, wakes(no)]).toEqual([no, false]);
  });

  test('tells a token that is refused, a full day of sessions, and a gateway that is not there', async () => {
    const failing = async (answer: Answer) =>
      guestError((await discord(() => answer)).call.bind(undefined, 'next-socket'));
    expect(await failing(ok({ message: '401: Unauthorized', code: 0 }, 401))).toStartWith(
      'unauthorized: Discord does not know',
    );
    expect(
      await failing(ok({ url: 'wss://x', session_start_limit: { remaining: 0, reset_after: 61_000 } })),
    ).toStartWith('retry-after:61 ');
    expect(await failing({ status: 502, body: '<html>' })).toContain('502');
  });

  test('a text goes out with its key, a reply, buttons of which no two are the same, and calls nobody', async () => {
    const { call, host } = await discord();
    const says = `/model ${'x'.repeat(200)}`;
    const choices = [...Array(7)].map((_, i) => ({ label: `${i}`, says: i < 2 ? 'same' : says }));
    const request = call('next-send', '7700', out({ content: '@everyone', message: '12:e3', choices })) as {
      url: string;
    };
    const body = bodyOf(request);
    expect(request.url).toBe('https://discord.com/api/v10/channels/7700/messages');
    expect(body).toMatchObject({
      content: '@everyone',
      nonce: 'px1-1',
      enforce_nonce: true,
      allowed_mentions: { parse: [] },
      message_reference: { message_id: '12', fail_if_not_exists: false },
    });
    const rows = body['components'] as { components: { custom_id: string }[] }[];
    const ids = rows.flatMap((row) => row.components.map((b) => b.custom_id));
    expect(rows.map((row) => row.components.length)).toEqual([5, 2]);
    expect(new Set(ids).size).toBe(7);
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(100);
    expect([...host.kv.keys()].filter((key) => key.startsWith('say:'))).toHaveLength(1);
    expect(
      String(bodyOf(call('next-send', '7700', out({ key: 'x'.repeat(60), content: 'a' })))['nonce']).length,
    ).toBeLessThan(26);
  });

  test('says of each answer what px is to do', async () => {
    const { call } = await discord();
    const said = (answer: Json, kind = 'post') =>
      guestError(() => call('on-sent', '7700', out({ kind, content: 'x' }), answer));
    expect(call('on-sent', '7700', out({}), answered(200, { id: '5' }))).toEqual({ done: '5' });
    expect(said(answered(429, { retry_after: 1.5 }))).toStartWith('retry-after:1.5');
    expect(said(answered(401))).toStartWith('unauthorized:');
    expect(said(answered(403, { code: 50_007 }))).toBe('refused: this person takes no direct messages from the bot');
    expect(
      said(
        answered(400, {
          message: 'Invalid Form Body',
          code: 50_035,
          errors: { content: { _errors: [{ message: 'too long' }] } },
        }),
      ),
    ).toBe('refused: Invalid Form Body (content: too long)');
    expect(said(answered(502))).toStartWith('unknown:');
    expect(said(answered(502), 'edit')).toBe('Discord answered 502');
    expect(said({ err: 'timeout' })).toStartWith('unknown:');
    expect(said({ err: { network: 'ECONNREFUSED' } })).toStartWith('network:');
  });

  test('an emoji is taken away again by its name', async () => {
    const { call } = await discord();
    const none = out({ kind: 'react', message: '12', content: '' });
    expect(call('next-send', '7700', none)).toMatchObject({ method: 'GET' });
    const reactions = [
      { me: false, emoji: { name: '🎉' } },
      { me: true, emoji: { id: '9', name: 'px' } },
    ];
    expect(call('on-sent', '7700', none, answered(200, { id: '12', reactions }))).toMatchObject({
      again: { method: 'DELETE', url: 'https://discord.com/api/v10/channels/7700/messages/12/reactions/px%3A9/@me' },
    });
    expect(call('on-sent', '7700', none, answered(200, { id: '12' }))).toEqual({ done: '12' });
  });

  test('Markdown becomes what Discord shows, and code stays as it is', () => {
    const cases: [string, string][] = [
      ['# One\n#### Four **bold**', '# One\n**Four bold**'],
      ['__bold__ snake__case__x `__code__` **b**', '**bold** snake__case__x `__code__` **b**'],
      ['- [ ] a\n- [x] b\n---', '- ☐ a\n- ☑ b\n———'],
      ['| a | bb |\n|---|---|\n| ccc | d |', '```\na    bb\nccc  d\n```'],
      ['![a](https://x.test/a.png) ![](https://x.test/b.png)', '[a](https://x.test/a.png) https://x.test/b.png'],
      ['~~~js\n__x__\n~~~', '```js\n__x__\n```'],
      ['````md\n```\nin\n```\n````', '```md\n`\u200b``\nin\n`\u200b``\n```'],
      ['```\nnever closed', '```\nnever closed\n```'],
    ];
    for (const [markdown, shown] of cases) expect(toDiscord(markdown)).toBe(shown);
  });
});
