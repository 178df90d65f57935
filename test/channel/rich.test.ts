import { afterEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PxError } from '../../src/error/error.ts';
import type { Json } from '../../src/wire/wire.ts';
import { cleanUp, guestMessage, inbound, live, Platform, tempFolder, until } from './world.ts';

afterEach(cleanUp);

type Sent = { chat: string; kind: string; key: string; content: string; message: string | null };
const field = (value: Json | undefined, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined;

/** A platform whose connector gives its requests away, and outlives px. */
class Rich extends Platform {
  readonly sent: Sent[] = [];
  abilities: string[] = [];
  inFlight = 0;
  mostInFlight = 0;
  /** Runs while the platform has a text and px has no answer yet. */
  meanwhile: (sent: Sent) => void | Promise<void> = () => {};
  fetched: (into: { path: string; maxBytes: number }) => Json = () => ({ err: 'timeout' });

  constructor() {
    super();
    this.exports.push('abilities', 'next-send', 'on-sent', 'fetch-file');
    this.more['abilities'] = () => this.abilities;
    this.more['next-send'] = ([chat = null, out = null]) => ({ url: 'https://chat.example/send', chat, out });
    this.more['fetch-file'] = ([id = null]) => ({ url: `https://chat.example/file/${id}` });
    this.more['on-sent'] = ([, , answer]) => ({ done: String(field(field(answer, 'ok'), 'body')) });
    this.onHold = async (_signal, request, files) => {
      if (files?.into) return this.fetched(files.into);
      const out = field(request, 'out');
      const text = (name: string) => String(field(out, name));
      const sent = {
        ...{ chat: String(field(request, 'chat')), kind: text('kind'), key: text('key'), content: text('content') },
        message: field(out, 'message') === null ? null : text('message'),
      };
      this.inFlight += 1;
      this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
      this.sent.push(sent);
      await this.meanwhile(sent);
      this.inFlight -= 1;
      return { ok: { status: 200, headers: [], body: `p${this.sent.length}` } };
    };
  }
}

const never = () => new Promise<void>(() => {});

describe('a connector that gives its requests away', () => {
  test('is sent to in many chats at once, and in each in order', async () => {
    const platform = new Rich();
    platform.meanwhile = () => Bun.sleep(5);
    const { channels } = await live({ platform });
    for (let n = 0; n < 3; n++) for (let chat = 0; chat < 20; chat++) channels.send('chat', `c${chat}`, `${n}`);
    await until(() => platform.sent.length === 60);
    expect(platform.mostInFlight).toBeGreaterThan(8);
    for (let chat = 0; chat < 20; chat++)
      expect(platform.sent.filter((s) => s.chat === `c${chat}`).map((s) => s.content)).toEqual(['0', '1', '2']);
    expect(new Set(platform.sent.map((s) => s.key)).size).toBe(60);
  });

  test('an answer is a reply in a group, and where its message came while another was being answered', async () => {
    const platform = new Rich();
    platform.waiting = [
      guestMessage('1', 'a'),
      guestMessage('2', 'b'),
      guestMessage('3', 'c', 'eve', { channel: 'room', group: true }),
    ];
    const { channels, asked } = await live({ platform, answer: (text) => `re ${text}` });
    await until(() => platform.sent.length === 3);
    expect(asked).toEqual(['a', 'b', 'c']);
    platform.waiting = [guestMessage('4', 'd'), guestMessage('5', 'e', 'ada', { button: true })];
    await until(() => platform.sent.length === 5);
    const said = new Map(platform.sent.map(({ content, message }) => [content, message]));
    expect(Object.fromEntries(said)).toEqual({ 're a': null, 're b': '2', 're c': '3', 're d': null, 're e': null });
    expect(channels.inbox()).toEqual([]);
  });

  test('nothing in a text is a placeholder that px would fill in on the way out', async () => {
    const platform = new Rich();
    const { channels } = await live({ platform });
    channels.send('chat', 'ada', 'it is {{secret:CHAT_TOKEN}} {{{file:x}}} {{Secret:A}} {{other}}');
    await until(() => platform.sent.length === 1);
    const sent = platform.sent[0]?.content ?? '';
    expect(sent).not.toMatch(/\{\{(?:secret|file):/i);
    expect(sent.replaceAll('\u200b', '')).toBe('it is {{secret:CHAT_TOKEN}} {{{file:x}}} {{Secret:A}} {{other}}');
  });

  test('a text whose answer had come is concluded from it after a crash, and not sent again', async () => {
    const folder = tempFolder();
    const platform = new Rich();
    platform.more['on-sent'] = () => new Promise<Json>(() => {});
    const first = await live({ platform, folder, timing: { closeWait: 1 } });
    first.channels.send('chat', 'ada', 'hello');
    const kept = first.store.db.query('SELECT 1 FROM outbox WHERE answer_json IS NOT NULL');
    await until(() => platform.calls.includes('on-sent') && kept.get() !== null);
    first.store.close();
    const after = new Rich();
    const second = await live({ platform: after, folder });
    await until(() => second.of('message.out').length === 1);
    expect(second.of('message.out')[0]).toMatchObject({ state: 'sent', platformId: 'p1' });
    expect(after.sent).toEqual([]);
  });

  test('a text whose answer cannot be read at once is not sent again: only reading it is tried again', async () => {
    const platform = new Rich();
    const read = platform.more['on-sent'];
    let reads = 0;
    platform.more['on-sent'] = (args) => {
      if (++reads <= 5) throw new PxError('conflict', 'chat has 64 calls waiting already', { retryable: true });
      return read?.(args) ?? null;
    };
    const { channels, of } = await live({ platform });
    channels.send('chat', 'ada', 'hello');
    channels.send('chat', 'ada', 'and more');
    await until(() => of('message.out').length === 2);
    expect(of('message.out')).toMatchObject([{ state: 'sent', platformId: 'p1' }, { state: 'sent' }]);
    expect(platform.sent.map((one) => one.content)).toEqual(['hello', 'and more']);
  });

  test('a text whose answer can never be read is reported, not repeated', async () => {
    const platform = new Rich();
    platform.more['on-sent'] = () => {
      throw new PxError('plugin.quarantined', 'chat is quarantined');
    };
    const { channels, of } = await live({ platform, timing: { maxSends: 4 } });
    channels.send('chat', 'ada', 'hello');
    await until(() => of('message.out').length === 1);
    expect(of('message.out')[0]).toMatchObject({ state: 'failed', error: { code: 'channel.delivery' } });
    expect(channels.undelivered()).toMatchObject([{ text: 'hello', state: 'unknown' }]);
    expect(platform.sent).toHaveLength(1);
  });

  test('signs of typing never keep texts from being sent: where many chats are written in, some have none', async () => {
    const platform = new Rich();
    platform.abilities = ['typing'];
    const open = Promise.withResolvers<void>();
    platform.meanwhile = ({ kind }) => (kind === 'typing' ? open.promise : undefined);
    const { channels, of } = await live({ platform });
    channels.send('chat', 'first', 'hello');
    await until(() => of('message.out').length === 1);
    for (let n = 0; n < 60; n++) channels.typing({ ...inbound('chat', 'm1'), chat: `c${n}` });
    await until(() => platform.sent.filter(({ kind }) => kind === 'typing').length >= 16);
    for (let n = 0; n < 60; n++) channels.send('chat', `d${n}`, 'hello');
    await until(() => of('message.out').length === 61);
    expect(platform.sent.filter(({ kind }) => kind === 'typing')).toHaveLength(16);
    open.resolve();
  });

  test('a connector that is too busy to send costs a text none of its tries', async () => {
    const platform = new Rich();
    const next = platform.more['next-send'];
    let busy = 10;
    platform.more['next-send'] = (args) => {
      if (busy-- > 0) throw new PxError('conflict', 'chat has 64 calls waiting already', { retryable: true });
      return next?.(args) ?? null;
    };
    const { channels, of } = await live({ platform, timing: { maxSends: 3 } });
    channels.send('chat', 'ada', 'hello');
    await until(() => of('message.out').length === 1);
    expect(of('message.out')[0]).toMatchObject({ state: 'sent' });
  });

  const crash = async (abilities: string[], exports: string[]) => {
    const folder = tempFolder();
    const platform = new Rich();
    platform.meanwhile = never;
    const first = await live({ platform, folder, timing: { closeWait: 1 } });
    first.channels.send('chat', 'ada', 'hello *you*');
    await until(() => platform.sent.length === 1);
    first.store.close();
    const after = new Rich();
    after.abilities = abilities;
    after.exports.push(...exports);
    return { folder, key: platform.sent[0]?.key, after, again: () => live({ platform: after, folder }) };
  };

  test('a platform that shows a key once gets a text of unknown fate again under its key', async () => {
    const { after, again, key } = await crash(['once'], []);
    const { channels } = await again();
    await until(() => after.sent.length === 1);
    expect(after.sent[0]?.key).toBe(key ?? '');
    expect(channels.undelivered()).toEqual([]);
  });

  test('a platform that shows a key once for a while gets it again only within that', async () => {
    const within = await crash(['once:60'], []);
    await within.again();
    await until(() => within.after.sent.length === 1);
    expect(within.after.sent[0]?.key).toBe(within.key ?? '');
    const late = await crash(['once:0'], ['get-history']);
    late.after.more['get-history'] = () => [guestMessage('9', 'hello you', 'px', { date: Date.now() / 1000 })];
    const found = await late.again();
    await until(() => found.of('message.out').length === 1);
    expect(late.after.sent).toEqual([]);
  });

  test('where the platform tells the past, a text of unknown fate is looked for there', async () => {
    const past = (text: string) => [guestMessage('9', text, 'px', { date: Date.now() / 1000 })];
    const there = await crash([], ['get-history']);
    there.after.more['get-history'] = () => past('hello you');
    const found = await there.again();
    await until(() => found.of('message.out').length === 1);
    expect(found.of('message.out')[0]?.state).toBe('sent');
    expect(there.after.sent).toEqual([]);
    const gone = await crash([], ['get-history']);
    gone.after.more['get-history'] = () => past('something else');
    await gone.again();
    await until(() => gone.after.sent.length === 1);
  });

  test('where it does neither, a text of unknown fate is reported and not repeated', async () => {
    const { after, again } = await crash([], []);
    const { channels } = await again();
    await until(() => channels.undelivered().length === 1);
    expect(channels.undelivered()[0]).toMatchObject({ state: 'unknown', text: 'hello *you*' });
    expect(after.sent).toEqual([]);
  });

  test('an answer that is written is shown by editing one message, whose id survives a crash', async () => {
    const folder = tempFolder();
    const platform = new Rich();
    platform.abilities = ['edit'];
    const timing = { streamEvery: 5, closeWait: 1 };
    const first = await live({ platform, folder, timing });
    platform.waiting = [guestMessage('1', 'a question')];
    await until(() => first.asked.length === 1);
    const turn = { conversation: 'chat/ada', turn: 't1' } as const;
    first.bus.emit({ type: 'turn.start', ...turn, model: 'offline/px', messageId: '1' });
    first.bus.emit({ type: 'turn.text', ...turn, text: 'The beginning of an answer' });
    await until(() => platform.sent.length === 1);
    await Bun.sleep(20);
    first.bus.emit({ type: 'turn.text', ...turn, text: ', and more of it' });
    await until(() => platform.sent.some((s) => s.kind === 'edit' && s.message === 'p1'));
    first.store.close();

    const after = new Rich();
    after.abilities = ['edit'];
    await live({ platform: after, folder, timing, answer: () => 'The whole answer.' });
    await until(() => after.sent.length === 1);
    expect(after.sent[0]).toMatchObject({ kind: 'edit', message: 'p1', content: 'The whole answer.' });
  });
});

describe('files of a message', () => {
  const config = { channels: { chat: { access: 'open', max_file_mb: 0.001 } } };
  const withFiles = (...files: Json[]) => guestMessage('1', 'look', 'ada', { files });

  test('are kept below memory/files under names that are safe, and told in the message', async () => {
    const memory = tempFolder();
    const platform = new Rich();
    platform.fetched = ({ path }) => {
      writeFileSync(path, 'bytes');
      return { ok: { status: 200, headers: [], body: '' } };
    };
    platform.waiting = [
      withFiles(
        { id: 'a', name: '../../.ssh/id', mime: 'text/plain' },
        { id: 'b', name: 'big', size: 5_000 },
        { name: 1 },
      ),
    ];
    const { asked, channels } = await live({ platform, memory, config });
    await until(() => asked.length === 1);
    const [kept = ''] = readdirSync(join(memory, 'files/chat'), { recursive: true, encoding: 'utf8' }).filter((f) =>
      f.includes('/'),
    );
    expect(kept).toMatch(/^\d{4}-\d\d-\d\d\/1-ssh_id$/);
    expect(readFileSync(join(memory, 'files/chat', kept), 'utf8')).toBe('bytes');
    expect(asked[0]).toContain(`text/plain, 5 bytes: files/chat/${kept}]`);
    expect(asked[0]).toContain('[big: not fetched, 5 KB are more than the 1 KB I take]');
    expect(channels.inbox()[0]?.text).toBe(asked[0] ?? '');
  });

  test('hold up what comes after them in the same chat, and no other; a failure is told', async () => {
    const platform = new Rich();
    const { promise, resolve } = Promise.withResolvers<void>();
    platform.before = (fn) => (fn === 'fetch-file' ? promise : undefined);
    platform.more['fetch-file'] = () => {
      throw new Error('refused: gone');
    };
    platform.waiting = [
      withFiles({ id: 'a', name: 'x' }),
      guestMessage('2', 'after it'),
      guestMessage('3', 'other', 'eve'),
    ];
    const { asked } = await live({ platform, memory: tempFolder(), config });
    await until(() => asked.length === 1);
    expect(asked).toEqual(['other']);
    resolve();
    await until(() => asked.length === 3);
    expect(asked[1]).toContain('[x: not fetched');
    expect(asked[2]).toBe('after it');
  });

  test('only plain files of memory/ are sent, not px’s own record', async () => {
    const memory = tempFolder();
    for (const folder of ['journal/cli-x', 'files']) mkdirSync(join(memory, folder), { recursive: true });
    for (const file of ['people.md', 'journal/cli-x/a.md', 'files/b.txt', '.hidden'])
      writeFileSync(join(memory, file), 'x');
    symlinkSync('/etc/passwd', join(memory, 'files/link'));
    symlinkSync(join(memory, 'people.md'), join(memory, 'files/people'));
    const platform = new Rich();
    platform.abilities = ['files'];
    platform.waiting = [guestMessage('1', 'send')];
    const { channels, asked } = await live({ platform, memory });
    await until(() => asked.length === 1);
    const send = (path: string) =>
      channels.sendFile('chat/ada', path, '').then(
        () => 'sent',
        (error: { code: string }) => error.code,
      );
    const odd = [
      'people.md',
      './journal/cli-x/a.md',
      'JOURNAL/cli-x/a.md',
      '../x',
      '/etc/passwd',
      'files/link',
      'files/people',
      '.hidden',
      'files',
    ];
    for (const path of odd) expect([path, await send(path)]).toEqual([path, 'memory.path']);
    expect(await send('files/none')).toBe('not-found');
    expect(await send('memory/files/b.txt')).toBe('sent');
    await until(() => platform.sent.length === 1);
  });
});

describe('a webhook', () => {
  test('takes what comes to the address given out, and nothing else', async () => {
    const platform = new Rich();
    platform.exports.push('set-webhook', 'on-webhook');
    let url = '';
    platform.more['set-webhook'] = ([given]) => {
      url = String(given);
      return null;
    };
    platform.more['on-webhook'] = () => ({
      response: { status: 200, headers: [['set-cookie', 'a=b']], body: '' },
      messages: [guestMessage('1', 'by webhook')],
    });
    const config = { channels: { chat: { access: 'open', webhook: 'https://px.example/' } } };
    const { channels, asked } = await live({ platform, config });
    await until(() => url !== '');
    const request = { method: 'POST', url: '/', headers: [], body: new Uint8Array() };
    const path = url.split('/').at(-1) ?? '';
    expect(url).toBe(`https://px.example/hooks/channel/chat/${path}`);
    for (const wrong of ['', 'x', `${path}x`]) expect(await channels.webhook('chat', wrong, request)).toBeUndefined();
    expect(await channels.webhook('none', path, request)).toBeUndefined();
    expect(platform.calls).not.toContain('on-webhook');
    expect(await channels.webhook('chat', path, request)).toMatchObject({ status: 200, headers: [] });
    expect(asked).toEqual(['by webhook']);
  });
});
