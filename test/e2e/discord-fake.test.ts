import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { REST } from '@discordjs/rest';
import { WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import { FakeDiscord } from './discord-server.ts';
import { until } from './px.ts';

interface Heard {
  t: string;
  d: { content?: string; session_id?: string };
}

/** A client that others wrote, on the fake that px is tested with: what it takes for Discord is one. */
describe('the fake Discord', () => {
  const discord = new FakeDiscord();
  const heard: Heard[] = [];
  const rest = new REST({ api: discord.api.replace(/\/v10$/, ''), version: '10', retries: 0 }).setToken(discord.token);
  const manager = new WebSocketManager({
    intents: (1 << 9) | (1 << 12),
    token: discord.token,
    rest,
  });
  const texts = () => heard.filter(({ t }) => t === 'MESSAGE_CREATE').map(({ d }) => d.content ?? '');

  beforeAll(async () => {
    manager.on(WebSocketShardEvents.Dispatch, (payload) => heard.push(payload as unknown as Heard));
    manager.on(WebSocketShardEvents.Error, () => {});
    await manager.connect();
    await until('the session', () => heard.some(({ t }) => t === 'READY'));
  }, 60_000);
  afterAll(async () => {
    await manager.destroy();
    await discord[Symbol.asyncDispose]();
  });

  test('lets it in, shows it messages and takes its answers', async () => {
    discord.say('hello');
    discord.say('between others', { channel_id: '8800' });
    const last = discord.say('<@4711> you there?', { channel_id: '8800' });
    await until('the messages', () => texts().length === 3);
    expect(texts()).toEqual(['hello', '', '<@4711> you there?']);
    const row = { type: 1, components: [{ type: 2, style: 1, label: 'Yes', custom_id: 'yes' }] };
    const body = { content: 'hi *there*', nonce: 'a', enforce_nonce: true, components: [row] };
    const sent = (await rest.post('/channels/7700/messages', { body })) as { id: string };
    expect(((await rest.post('/channels/7700/messages', { body })) as { id: string }).id).toBe(sent.id);
    expect(discord.texts()).toEqual(['hi *there*']);
    await rest.patch(`/channels/7700/messages/${sent.id}`, { body: { content: 'hi' } });
    await rest.put(`/channels/8800/messages/${last.id}/reactions/${encodeURIComponent('👍')}/@me`);
    await rest.post('/channels/7700/typing');
    const files = [{ name: 'a.txt', data: Buffer.from('bytes'), contentType: 'text/plain' }];
    const withFile = await rest.post('/channels/7700/messages', { body: { content: 'a file' }, files });
    const { attachments } = withFile as { attachments: { url: string }[] };
    expect(await (await fetch(attachments[0]?.url ?? '')).text()).toBe('bytes');
    const past = (await rest.get('/channels/7700/messages', {
      query: new URLSearchParams({ limit: '10' }),
    })) as Heard['d'][];
    expect(past.map(({ content }) => content)).toEqual(['a file', 'hi', 'hello']);
    expect(discord.leaked).toBe(false);
  });

  test('is taken up again after a break, with what was missed', async () => {
    const sessions = discord.gateway.sessions.size;
    discord.gateway.send({ op: 7 });
    discord.say('while you were away');
    await until('the message', () => texts().includes('while you were away'));
    await until('the session', () => heard.some(({ t }) => t === 'RESUMED'));
    expect(discord.gateway.sessions.size).toBe(sessions);
    expect(discord.gateway.ops).toContain(6);
  }, 60_000);

  test('says no as Discord does', async () => {
    const post = (channel: string, content: string) =>
      rest.post(`/channels/${channel}/messages`, { body: { content } });
    const fails = (work: Promise<unknown>) =>
      work.then(
        () => 'it did not',
        (e: unknown) => String(e),
      );
    expect(await fails(post('1', 'x'))).toContain('Unknown Channel');
    expect(await fails(post('7700', 'x'.repeat(2_001)))).toContain('2000 or fewer');
    expect(await fails(post('7700', ''))).toContain('empty message');
    discord.revoked = true;
    expect(await fails(post('7700', 'x'))).toContain('401');
  });
});
