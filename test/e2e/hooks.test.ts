import { describe, expect, test } from 'bun:test';
import { BotApi } from './bot-api.ts';
import { clockMock, providers } from './mock-llm.ts';
import { notBuilt, Px, until } from './px.ts';

describe.skipIf(notBuilt !== undefined)('a script', () => {
  test('is answered once for each id, also over a kill -9, waits or fetches, and has a token of its own', async () => {
    await using telegram = new BotApi();
    await using mock = await clockMock();
    mock.on({ userMessage: '/link' }, { content: 'That is text to me.' });
    mock.on({ userMessage: 'slowly' }, { content: 'A slow but single answer. '.repeat(8) }, { latency: 60 });
    await using px = new Px({
      config: { ...telegram.config(), model: { default: 'openai/gpt-4o' }, providers: providers[0].config(mock.url) },
      env: { TELEGRAM_TOKEN: telegram.token, TEST_KEY: 'sk-test-1234567890', HOOK_TOKEN: 'only-for-the-scripts' },
    });
    await px.serve();
    await px.installed();
    const hook = (body: object, token = 'only-for-the-scripts', path = '/hooks/agent') =>
      fetch(px.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const said = await hook({ text: 'hello', id: 'a-1', wait: 10, deliver: 'telegram/7' });
    expect([said.status, await said.json()]).toMatchObject([
      200,
      { id: 'a-1', state: 'answered', answer: 'Hello from the mock.' },
    ]);
    await until('the answer in the chat', () => telegram.texts().includes('Hello from the mock.'));
    const again = await hook({ text: 'hello', id: 'a-1', wait: 10, deliver: 'telegram/7' });
    expect(await again.json()).toMatchObject({ state: 'answered', answer: 'Hello from the mock.' });
    // It types no commands: this one would make whoever reads the answer the owner.
    expect(await (await hook({ text: '/link', wait: 10 })).json()).toMatchObject({ answer: 'That is text to me.' });
    expect((await hook({ text: 'hello' }, 'wrong-token-of-a-script')).status).toBe(401);
    expect((await hook({ text: 'x', name: 'y' }, 'only-for-the-scripts', '/api/links')).status).toBe(401);
    expect((await hook({ text: 'hello', deliver: 'matrix/1' })).status).toBe(404);

    const asked = mock.getRequests().length;
    expect((await hook({ text: 'answer slowly', id: 'a-2' })).status).toBe(202);
    await until('the model', () => mock.getRequests().length > asked);
    await px.kill9();
    await px.serve();
    expect((await hook({ text: 'answer slowly', id: 'a-2', wait: 20 })).status).toBe(200);
    const told = await px.fetch('/hooks/agent/a-2');
    expect(await told.json()).toMatchObject({ state: 'answered', answer: expect.stringContaining('slow but single') });
    expect(px.journal().match(/answer slowly/g)).toHaveLength(1);
    expect(telegram.texts()).toHaveLength(1);
  }, 60_000);

  test('in WebChat a message is kept before it is accepted, and answered once for each id, also over a kill -9', async () => {
    await using mock = await clockMock();
    mock.on({ userMessage: 'slowly' }, { content: 'A slow but single answer. '.repeat(8) }, { latency: 60 });
    await using px = new Px({
      config: { model: { default: 'openai/gpt-4o' }, providers: providers[0].config(mock.url) },
      env: { TEST_KEY: 'sk-test-1234567890' },
    });
    await px.serve();
    await px.installed();
    interface Said {
      type: string;
      fresh?: boolean;
      text?: string;
    }
    /** A page of the chat: what it was told, and how it says something. */
    const page = async () => {
      const told: Said[] = [];
      const socket = new WebSocket(`${px.url.replace('http', 'ws')}/api/events`, ['px', `px.token.${px.token}`]);
      socket.onmessage = ({ data }) => void told.push(JSON.parse(String(data)) as Said);
      await until('the page', () => told.some(({ type }) => type === 'ready'));
      const all = (type: string) => told.filter((one) => one.type === type);
      const say = async (text: string, id: string) => {
        const before = all('accepted').length;
        socket.send(JSON.stringify({ type: 'chat', conversation: 'web/me', text, id }));
        return (await until('accepted', () => all('accepted')[before])).fresh;
      };
      return { all, say, [Symbol.dispose]: () => socket.close() };
    };
    {
      using before = await page();
      expect(await before.say('answer slowly', 'w-1')).toBe(true);
      await until('the model', () => mock.getRequests().length > 0);
      await px.kill9();
    }
    await px.serve();
    using after = await page();
    expect(await after.say('answer slowly', 'w-1')).toBe(false);
    expect(await after.say('/stauts', 'w-2')).toBe(true);
    expect(await after.say('hello', 'w-3')).toBe(true);
    await until('the last answer', () => px.journal().includes('Hello from the mock.'));
    expect(after.all('turn.end').some(({ text }) => text?.includes('Did you mean /status?'))).toBe(true);
    expect(px.journal().match(/answer slowly/g)).toHaveLength(1);
    expect(px.journal().match(/slow but single/g)).toHaveLength(8);
  }, 60_000);
});
