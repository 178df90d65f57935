import { describe, expect, test } from 'bun:test';
import { toHtml } from '../../plugins/matrix/format.ts';
import { bundledPlugins } from '../../src/plugin/engine/bundled.ts';
import type { Json } from '../../src/wire/wire.ts';
import { type Answer, type Asked, guestError, type Running, runScript } from './run.ts';

const json = (body: Json, status = 200): Answer => ({ status, body: JSON.stringify(body) });
const no = (status: number, errcode: string, more: object = {}) => json({ errcode, error: 'because', ...more }, status);
const held = ({ status, body }: Answer): Json => ({
  ok: { status, headers: [], body: Buffer.from(body).toString('base64') },
});
const room = '!team:px.test';

/** A server with one room of two people, in which nothing can be looked up but what a test gives. */
const server =
  (more: (path: string) => Answer | undefined = () => undefined) =>
  ({ url }: Asked): Answer => {
    const path = decodeURIComponent(new URL(url).pathname.replace('/_matrix/client/', ''));
    if (path === 'v3/account/whoami') return json({ user_id: '@px:px.test' });
    if (path === 'versions') return json({ versions: ['v1.11'] });
    if (path.endsWith('/displayname')) return json({ displayname: 'px' });
    return more(path) ?? no(404, 'M_NOT_FOUND');
  };

async function matrix(http = server(), kv = new Map<string, Uint8Array>()): Promise<Running> {
  const plugin = (await bundledPlugins())['matrix'];
  const settings = { homeserver: 'http://127.0.0.1:1/', token: '{{secret:MATRIX_TOKEN}}' };
  return runScript(new TextDecoder().decode(plugin?.file), 'matrix.js', { http, settings, kv });
}

const message = (id: string, body: string, more: object = {}) => ({
  type: 'm.room.message',
  event_id: id,
  sender: '@ada:px.test',
  origin_server_ts: 1_790_000_000_000,
  content: { msgtype: 'm.text', body, ...more },
});
const sync = (next: string, events: object[], timeline: object = {}): Json =>
  held(
    json({
      next_batch: next,
      rooms: { join: { [room]: { summary: { 'm.joined_member_count': 2 }, timeline: { events, ...timeline } } } },
    } as unknown as Json),
  );
const kept = ({ host }: Running, key: string) => new TextDecoder().decode(host.kv.get(key) ?? new Uint8Array());
const texts = (messages: Json) => (messages as { text: string }[]).map(({ text }) => text);

/** A connector that has read all there was. */
async function running(http = server()): Promise<Running> {
  const plugin = await matrix(http);
  plugin.call('next-wait');
  plugin.call('on-wait', sync('s1', [message('$old', 'long ago')]));
  plugin.call('next-wait');
  return plugin;
}

describe('matrix', () => {
  test('the token moves only when px asks again after taking the messages, and what was said before px came is not answered', async () => {
    const plugin = await matrix();
    const { call } = plugin;
    const first = call('next-wait') as { url: string; headers: [string, string][] };
    expect(first.url).toStartWith('http://127.0.0.1:1/_matrix/client/v3/sync?timeout=0&filter=');
    expect(first.headers).toContainEqual(['authorization', 'Bearer {{secret:MATRIX_TOKEN}}']);
    expect(call('on-wait', sync('s1', [message('$old', 'long ago')]))).toEqual([]);
    expect((call('next-wait') as { url: string }).url).toMatch(/timeout=50000&.*&since=s1$/);
    expect(texts(call('on-wait', sync('s2', [message('$1', 'hi')])))).toEqual(['hi']);
    expect(kept(plugin, 'since')).toBe('s1');
    const again = await matrix(server(), plugin.host.kv);
    expect((again.call('next-wait') as { url: string }).url).toEndWith('&since=s1');
    call('next-wait');
    expect(kept(plugin, 'since')).toBe('s2');
  });

  test('a message carries room, sender, time and files; px’s own, notices and what is no message are passed over', async () => {
    const { call } = await running();
    const image = {
      msgtype: 'm.image',
      filename: 'a.png',
      url: 'mxc://px.test/abc',
      info: { mimetype: 'image/png', size: 3 },
    };
    const events = [
      message('$1', 'look', image),
      message('$2', 'from a bot', { msgtype: 'm.notice' }),
      { ...message('$3', 'my own'), sender: '@px:px.test' },
      { type: 'm.room.message', event_id: '$4', sender: '@ada:px.test', content: {} },
      { type: 'm.room.message', event_id: '$5', sender: '@ada:px.test', content: { msgtype: 7, body: [] } },
    ];
    const taken = call('on-wait', sync('s2', events)) as { id: string; metadata: string }[];
    expect(taken).toMatchObject([{ id: '$1', sender: { id: '@ada:px.test', display_name: 'ada' }, text: 'look' }]);
    expect(JSON.parse(taken[0]?.metadata ?? '')).toEqual({
      channel: room,
      date: 1_790_000_000,
      group: false,
      files: [{ id: 'mxc://px.test/abc', name: 'a.png', mime: 'image/png', size: 3 }],
    });
    expect(call('fetch-file', 'mxc://px.test/abc')).toMatchObject({
      url: 'http://127.0.0.1:1/_matrix/client/v1/media/download/px.test/abc',
    });
  });

  test('nobody corrects what somebody else wrote, nor after an hour', async () => {
    const original = { ...message('$first', 'mine'), sender: '@bob:px.test' };
    const { call } = await running(
      server((path) => (path.endsWith('/event/$first') ? json(original as unknown as Json) : undefined)),
    );
    const edit = (at: number) => ({
      ...message('$edit', '* yours', {
        'm.new_content': { msgtype: 'm.text', body: 'yours' },
        'm.relates_to': { rel_type: 'm.replace', event_id: '$first' },
      }),
      origin_server_ts: original.origin_server_ts + at,
    });
    expect(call('on-wait', sync('s2', [edit(1000)]))).toEqual([]);
    expect(call('on-wait', sync('s3', [{ ...edit(4_000_000), sender: '@bob:px.test' }]))).toEqual([]);
    const own = call('on-wait', sync('s4', [{ ...edit(1000), sender: '@bob:px.test' }]));
    expect(own).toMatchObject([{ id: '$first:e$edit', text: '(corrected) yours' }]);
  });

  test('what begins with ! is a command: any in a room with px alone, in a group what px knows or is told by name', async () => {
    const said = (members: number, ...bodies: string[]) => {
      const events = bodies.map((body, at) => message(`$${members}-${at}`, body));
      const timeline = { events };
      const joined = { [room]: { summary: { 'm.joined_member_count': members }, timeline } };
      return held(json({ next_batch: `s${members}`, rooms: { join: joined } } as unknown as Json));
    };
    const bodies = ['!help me', '!nope', '! wait', '!!!', 'px: !nope', '!1'];
    const alone = await running();
    alone.call('set-commands', [{ name: 'help', summary: '' }]);
    expect(texts(alone.call('on-wait', said(2, ...bodies)))).toEqual([
      '/help me',
      '/nope',
      '! wait',
      '!!!',
      'px: !nope',
      '!1',
    ]);
    const group = await running();
    group.call('set-commands', [{ name: 'help', summary: '' }]);
    const taken = group.call('on-wait', said(3, ...bodies)) as { text: string; metadata: string }[];
    expect(taken.map(({ text, metadata }) => [text, JSON.parse(metadata).mentioned])).toEqual([
      ['/help me', true],
      ['!nope', false],
      ['! wait', false],
      ['!!!', false],
      ['/nope', true],
      ['!1', false],
    ]);
  });

  test('an id that px would fill a secret into goes nowhere, and holds nothing up', async () => {
    const { call, host } = await running();
    const reply = { 'm.relates_to': { 'm.in_reply_to': { event_id: '{{secret:MATRIX_TOKEN}}' } } };
    expect(texts(call('on-wait', sync('s2', [message('$1', 'hi', reply), message('$2', 'and on')])))).toEqual([
      'hi',
      'and on',
    ]);
    expect(host.asked.map(({ url }) => url).join(' ')).not.toMatch(/secret|%7B/);
    const out = { kind: 'post', key: 'k1', message: null, content: 'x', choices: [], files: [] };
    expect(guestError(() => call('next-send', `${room}$a{{secret:MATRIX_TOKEN}}`, out))).toStartWith('refused:');
    for (const address of ['mxc://a/{{secret:X}}', 'https://example.com/x', 'mxc://a/b/c'])
      expect(guestError(() => call('fetch-file', address))).toStartWith('refused:');
  });

  test('what a server left out is asked for page by page, and less at once when it is too much for one answer', async () => {
    const pages: string[] = [];
    const { call, host } = await running(
      server((path) => {
        if (!path.endsWith('/messages')) return undefined;
        pages.push(path);
        const [events, end] = pages.length === 1 ? [['$3', '$2'], 't1'] : [['$1'], undefined];
        const chunk = events.map((id) => message(id, `said ${id}`));
        return json({ chunk, ...(end === undefined ? {} : { end }) } as unknown as Json);
      }),
    );
    const limited = sync('s2', [message('$4', 'said $4')], { limited: true, prev_batch: 't0' });
    expect(texts(call('on-wait', limited))).toEqual(['said $1', 'said $2', 'said $3', 'said $4']);
    expect(host.asked.filter(({ url }) => url.includes('/messages')).every(({ url }) => url.includes('to=s1'))).toBe(
      true,
    );
    guestError(() => call('on-wait', { err: { 'too-large': 4_194_304 } }));
    expect(decodeURIComponent((call('next-wait') as { url: string }).url)).toContain('"limit":15');
  });

  test('more than fits into one answer goes into the inbox one by one, oldest first', async () => {
    const { call, host } = await running();
    const events = Array.from({ length: 30 }, (_, i) => message(`$${i}`, `${i} ${'x'.repeat(30_000)}`));
    const returned = texts(call('on-wait', sync('s2', events)));
    const emitted = host.logs.filter((line) => line.startsWith('emit'));
    expect(emitted.length + returned.length).toBe(30);
    expect(emitted[0]).toContain('"0 xxx');
    expect(returned.at(-1)).toStartWith('29 ');
    expect(returned.join('').length).toBeLessThan(500_000);
  });

  test('a refusal says what px is to do', async () => {
    const { call } = await running();
    const out = { kind: 'post', key: 'k1', message: null, content: 'x', choices: [], files: [] };
    const said = (answer: Answer) => guestError(() => call('on-sent', room, out, held(answer)));
    expect(said(no(429, 'M_LIMIT_EXCEEDED', { retry_after_ms: 1500 }))).toStartWith('retry-after:1.5 ');
    expect(said(no(401, 'M_UNKNOWN_TOKEN'))).toStartWith('unauthorized:');
    expect(said(no(403, 'M_FORBIDDEN'))).toStartWith('refused:');
    expect(said(no(502, 'M_UNKNOWN'))).toContain('502');
    expect(said({ status: 502, body: '<html>' })).toContain('not JSON');
    expect(call('on-sent', room, { ...out, content: '**x**' }, held(no(413, 'M_TOO_LARGE')))).toMatchObject({
      again: {},
    });
  });
});

test('Markdown for Matrix: whatever comes in, tags are closed in order, and only those that Matrix allows', () => {
  const bits = [
    '**',
    '*',
    '_',
    '~~',
    '||',
    '`',
    '```\n',
    '> ',
    '- ',
    '1. ',
    '  - ',
    '# ',
    '| a |\n',
    '|---|\n',
    '[a](https://b)',
    '<b>',
    '&',
    '\n',
    '\n\n',
    'word ',
    '\\',
  ];
  const allowed = /^(?:p|br|hr|h[1-6]|b|i|s|code|pre|a|span|blockquote|ul|ol|li|table|thead|tbody|tr|th|td)$/;
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  for (let i = 0; i < 3_000; i++) {
    const text = Array.from({ length: 1 + next(40) }, () => bits[next(bits.length)]).join('');
    const open: string[] = [];
    for (const [, close, tag = ''] of (toHtml(text) ?? '').matchAll(/<(\/?)([a-z0-9]+)[^<>]*>/g)) {
      expect([text, tag]).toEqual([text, expect.stringMatching(allowed)]);
      if (close) expect([text, open.pop()]).toEqual([text, tag]);
      else if (tag !== 'br' && tag !== 'hr') open.push(tag);
    }
    expect([text, open]).toEqual([text, []]);
  }
});
