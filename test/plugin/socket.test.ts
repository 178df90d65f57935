import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { toPxError } from '../../src/error/error.ts';
import type { HeldSocket } from '../../src/plugin/plugin.ts';
import { holds } from '../../src/plugin/socket/pattern.ts';
import { holdSocket, type SocketOptions } from '../../src/plugin/socket/socket.ts';
import type { Json } from '../../src/wire/wire.ts';
import { until } from '../e2e/px.ts';
import { openHome, type TestHome } from './home.ts';
import { type Answer, maskedFrame, type RawServer, rawServer, serverFrame } from './sockets.ts';

let home: TestHome;
const token = 'tok-4711:AAF_x/y+z';
beforeAll(async () => {
  home = await openHome();
  home.secrets.set('TOKEN', token);
});
afterAll(() => home[Symbol.asyncDispose]());

const names: Record<string, string[]> = {
  'chat.test': ['127.0.0.1'],
  'inside.test': ['10.0.0.7'],
  'mixed.test': ['93.184.216.34', '127.0.0.1'],
};

interface Setup {
  egress?: string[];
  privateHosts?: string[];
  secrets?: Record<string, string[]>;
  maxBytes?: number;
  ca?: string;
  kv?: Map<string, string>;
}
const denials: string[] = [];
const resolved: string[] = [];

const nothing = { headers: [], protocols: [], wake: [], cursor: null, send: [] };
const open = (socket: { [key: string]: Json }, port: number, setup: Setup = {}): Promise<HeldSocket> => {
  const kv = setup.kv ?? new Map<string, string>();
  const options: SocketOptions = {
    grants: {
      egress: setup.egress ?? [`GET ws://chat.test:${port}/`],
      private_hosts: setup.privateHosts ?? [`chat.test:${port}`],
      secrets: setup.secrets ?? {},
      files: {},
      schedule: {},
    },
    secrets: home.secrets,
    maxBytes: setup.maxBytes ?? 50_000,
    store: {
      get: (key) => kv.get(key),
      set: (key, value) => void kv.set(key, value),
      delete: (key) => void kv.delete(key),
    },
    denied: (detail) => denials.push(detail),
    async resolve(host) {
      resolved.push(host);
      const found = names[host];
      if (!found) throw new Error('not found');
      return found;
    },
    ...(setup.ca === undefined ? {} : { ca: setup.ca }),
  };
  return holdSocket({ ...nothing, ...socket }, options, AbortSignal.timeout(20_000));
};
const at = (port: number, path = '/') => `ws://chat.test:${port}${path}`;
const refusal = async (opening: Promise<unknown>): Promise<string> => {
  try {
    await opening;
    return 'no refusal';
  } catch (thrown) {
    return toPxError(thrown).message;
  }
};
const answer = (more: { [key: string]: Json } = {}): Json => ({
  ...{ messages: [], keep: [], cursor: null, wake: null, send: [], heartbeat: null, ready: false, reconnect: false },
  ...more,
});
const closed = async (socket: HeldSocket) => {
  for (;;) {
    const event = (await socket.next()) as { closed?: { code: number; reason: string } };
    if (event.closed) return event.closed;
  }
};

describe('a WebSocket of a plugin', () => {
  test('goes to the address that was checked, asked for once, with its headers, and needs a rule of its own', async () => {
    await using server = await rawServer();
    resolved.length = 0;
    const socket = await open(
      { url: at(server.port, '/gw?v=1'), headers: [['x-a', 'b']], send: ['hello'] },
      server.port,
    );
    expect(resolved).toEqual(['chat.test']);
    await until('the message', () => server.texts[0]);
    expect(server.heads[0]).toStartWith('GET /gw?v=1 HTTP/1.1\r\n');
    expect(server.heads[0]).toContain(`Host: chat.test:${server.port}\r\n`);
    expect(server.heads[0]).toContain('x-a: b\r\n');
    expect(server.heads[0]).not.toContain('Extensions');
    socket.close();
    await until('the goodbye', () => server.closes[0]);
    expect(server.closes).toEqual([4000]);
    for (const egress of [
      [],
      [`GET http://chat.test:${server.port}/`],
      [`* https://chat.test:${server.port}/`],
      [`GET wss://chat.test:${server.port}/`],
      [`GET ws://chat.test:${server.port}/other/`],
      [`POST ws://chat.test:${server.port}/`],
    ])
      expect(await refusal(open({ url: at(server.port) }, server.port, { egress }))).toStartWith(
        'denied: no egress rule',
      );
    expect(server.heads).toHaveLength(1);
    expect(denials.at(-1)).toContain('no egress rule');
  });

  test('does not reach a private address that is not granted, whatever the name says', async () => {
    await using server = await rawServer();
    const { port } = server;
    const rules = (host: string) => ({ egress: [`GET ws://${host}:${port}/`], privateHosts: [`chat.test:${port}`] });
    expect(await refusal(open({ url: at(port) }, port, { privateHosts: [] }))).toContain('loopback address');
    for (const host of ['mixed.test', 'inside.test', '127.0.0.1', '[::ffff:7f00:1]', '[::1]', '169.254.169.254'])
      expect(await refusal(open({ url: `ws://${host}:${port}/` }, port, rules(host)))).toStartWith('denied:');
    expect(await refusal(open({ url: `ws://u:p@chat.test:${port}/` }, port))).toStartWith('denied:');
    expect(await refusal(open({ url: `http://chat.test:${port}/` }, port))).toStartWith('denied:');
    expect(server.heads).toEqual([]);
  });

  test('cannot write headers of the connection, line ends, or protocols that are none', async () => {
    await using server = await rawServer();
    const { port } = server;
    for (const header of [
      ['host', 'x'],
      ['Sec-WebSocket-Extensions', 'permessage-deflate'],
      ['upgrade', 'h2c'],
      ['x', 'a\r\nb: c'],
      ['a b', 'c'],
    ])
      expect(await refusal(open({ url: at(port), headers: [header] }, port))).toStartWith('denied:');
    expect(await refusal(open({ url: at(port), protocols: ['a\r\nx: y'] }, port))).toContain('no socket');
    expect(server.heads).toEqual([]);
  });

  test('takes no redirect, no packed connection and no server that does not speak WebSocket', async () => {
    const answers: [Answer, string][] = [
      [() => 'HTTP/1.1 302 Found\r\nLocation: ws://inside.test/\r\n\r\n', 'HTTP 302'],
      [() => 'HTTP/1.1 401 Unauthorized\r\n\r\n', 'unauthorized:'],
      [() => 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n\r\n', 'retry-after:7'],
      [() => 'HTTP/1.1 200 OK\r\n\r\nhello', 'HTTP 200'],
      [() => 'SSH-2.0-OpenSSH\r\n\r\n', 'not HTTP'],
      [
        () => 'HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
        'does not speak',
      ],
      [
        (a) =>
          `HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${a}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
        'not offered',
      ],
      [
        (a) =>
          `HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${a}\r\nSec-WebSocket-Protocol: other\r\n\r\n`,
        'not offered',
      ],
      [() => `HTTP/1.1 101 ${'x'.repeat(20_000)}`, 'too long a head'],
    ];
    for (const [said, expected] of answers) {
      await using server = await rawServer(said);
      expect(await refusal(open({ url: at(server.port) }, server.port))).toContain(expected);
    }
  });

  const broken: [string, Uint8Array[], number][] = [
    ['a message past the bound, by its head alone', [Buffer.from([0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0])], 1009],
    [
      'a message past the bound in pieces',
      [...Array(6)].map((_, i) => serverFrame(i === 0 ? 1 : 0, 'x'.repeat(10_000), { last: false })),
      1009,
    ],
    [
      'a message in endless empty pieces',
      [serverFrame(1, '', { last: false }), Buffer.concat(Array(5_000).fill(serverFrame(0, '', { last: false })))],
      1008,
    ],
    ['a packed message nobody agreed on', [serverFrame(1, deflateRawSync(Buffer.alloc(1_000_000)), { rsv: 4 })], 1002],
    ['a masked message', [maskedFrame('hello')], 1002],
    ['a binary message', [serverFrame(2, 'x')], 1003],
    ['a text that is not UTF-8', [serverFrame(1, Buffer.from([0xff, 0xfe]))], 1007],
    ['a frame of no kind', [serverFrame(5, 'x')], 1002],
    ['a ping that is too long', [serverFrame(9, 'x'.repeat(126))], 1002],
    ['a piece that continues nothing', [serverFrame(0, 'x')], 1002],
  ];
  for (const [what, frames, code] of broken)
    test(`ends at ${what}`, async () => {
      await using server = await rawServer();
      const socket = await open({ url: at(server.port) }, server.port);
      for (const frame of frames) server.raw(frame);
      expect((await closed(socket)).code).toBe(code);
      await until('the goodbye', () => server.closes[0]);
      expect(server.closes[0]).toBe(code);
    });

  test('brings messages whole, however they are cut, with pings between, and says how it ended', async () => {
    await using server = await rawServer();
    const socket = await open({ url: at(server.port) }, server.port);
    const bytes = Buffer.concat([
      serverFrame(1, 'Grü', { last: false }),
      serverFrame(9, 'ping'),
      serverFrame(0, 'ße', { last: true }),
      serverFrame(1, 'x'.repeat(40_000)),
    ]);
    for (const byte of bytes.subarray(0, 20)) server.raw(Buffer.from([byte]));
    server.raw(bytes.subarray(20));
    expect(await socket.next()).toEqual({ messages: ['Grüße'] });
    socket.handled(answer());
    expect(await socket.next()).toEqual({ messages: ['x'.repeat(40_000)] });
    server.raw(serverFrame(8, Buffer.concat([Buffer.from([0x0f, 0xa4]), Buffer.from(`bad token ${token}`)])));
    expect(await closed(socket)).toEqual({ code: 4004, reason: 'bad token [redacted:TOKEN]' });
  });

  test('takes no more off the network than the plugin takes in', async () => {
    await using server = await rawServer();
    const socket = await open({ url: at(server.port) }, server.port);
    const message = serverFrame(1, 'x'.repeat(10_000));
    for (let i = 0; i < 3_000; i++) server.raw(message);
    await Bun.sleep(300);
    // 30 MB were to come: what lies between are buffers of the system.
    expect(server.written).toBeLessThan(15_000_000);
    let count = 0;
    while (count < 3_000) {
      const { messages } = (await socket.next()) as { messages: string[] };
      count += messages.length;
      socket.handled(answer());
    }
    expect(count).toBe(3_000);
    socket.close();
  }, 20_000);
});

describe('a secret in a WebSocket', () => {
  test('goes into URL, headers and messages, only where it is granted, and does not come back', async () => {
    await using server = await rawServer();
    const { port } = server;
    const granted = { secrets: { TOKEN: [`header:authorization,body:d.token ws://chat.test:${port}/`] } };
    const headers = [['authorization', 'Bot {{secret:TOKEN}}']];
    const socket = await open(
      { url: at(port), headers, send: ['{"op":2,"d":{"token":"{{secret:TOKEN}}"}}'] },
      port,
      granted,
    );
    await until('the message', () => server.texts[0]);
    expect(server.heads[0]).toContain(`authorization: Bot ${token}\r\n`);
    expect(JSON.parse(server.texts[0] ?? '')).toEqual({ op: 2, d: { token } });
    server.say(JSON.stringify({ told: token }));
    expect(await socket.next()).toEqual({ messages: ['{"told":"[redacted:TOKEN]"}'] });
    for (const text of [
      '{"d":{"other":"{{secret:TOKEN}}"}}',
      '{{secret:TOKEN}}',
      '{"d":{"token":"{{secret:OTHER}}"}}',
    ]) {
      const again = await open({ url: at(port) }, port, granted);
      expect(() => again.handled(answer({ send: [text] }))).toThrow(/^denied: the secret/);
      expect(await closed(again)).toBeDefined();
    }
    expect(await refusal(open({ url: at(port, '/{{secret:TOKEN}}') }, port, granted))).toStartWith(
      'denied: the secret',
    );
    expect(server.texts).toHaveLength(1);
  });

  test('is not named by what a server sends as the place in the stream', async () => {
    await using server = await rawServer();
    const { port } = server;
    const granted = { secrets: { TOKEN: [`ws://chat.test:${port}/`] } };
    const socket = await open({ url: at(port), cursor: '/s' }, port, granted);
    server.say('{"s":"{{secret:TOKEN}}"}');
    await socket.next();
    socket.handled(answer({ send: ['{"s":"{{cursor}}"}'] }));
    expect(await until('the message', () => server.texts[0])).toBe('{"s":null}');
    socket.close();
  });
});

describe('what a WebSocket wakes a plugin for', () => {
  test('is what it asked for; the rest only moves the place in the stream, once all before it is taken care of', async () => {
    await using server = await rawServer();
    const kv = new Map([['socket:cursor', '4']]);
    const wake = ['{"op":0,"t":"MESSAGE"}'];
    const socket = await open({ url: at(server.port), cursor: '/s', wake, send: ['{{cursor}}'] }, server.port, { kv });
    expect(await until('the first', () => server.texts[0])).toBe('4');
    for (const s of [5, 6]) server.say(JSON.stringify({ op: 0, t: 'TYPING', s }));
    server.say('not JSON');
    server.say(JSON.stringify({ op: 0, t: 'MESSAGE', s: 7 }));
    server.say(JSON.stringify({ op: 0, t: 'TYPING', s: 8 }));
    expect(await socket.next()).toEqual({ messages: ['{"op":0,"t":"MESSAGE","s":7}'] });
    await Bun.sleep(20);
    expect(kv.get('socket:cursor')).toBe('4');
    expect(socket.waiting).toBe(false);
    socket.handled(
      answer({
        keep: [
          ['session', 'abc'],
          ['old', null],
        ],
        send: ['{"seq":"{{cursor}}"}'],
      }),
    );
    expect(await until('the second', () => server.texts[1])).toBe('{"seq":8}');
    expect(Object.fromEntries(kv)).toEqual({ 'socket:cursor': '8', session: 'abc' });
    server.say(JSON.stringify({ s: 9 }));
    server.cut();
    expect((await closed(socket)).code).toBe(1006);
    expect(kv.get('socket:cursor')).toBe('9');
  });

  test('a heartbeat goes on without it, and an unanswered one ends the connection so that it can be resumed', async () => {
    await using server = await rawServer();
    const socket = await open({ url: at(server.port), cursor: '/s', wake: ['{"op":0}'] }, server.port);
    server.say('{"op":0,"s":3}');
    await socket.next();
    const heartbeat = { every_ms: 1_000, message: '{"op":1,"d":"{{cursor}}"}', answer: '{"op":11}' };
    socket.handled(answer({ heartbeat }));
    await until('a beat', () => server.texts[0]);
    server.say('{"op":11}');
    await until('another', () => server.texts[1]);
    expect(server.texts).toEqual(['{"op":1,"d":3}', '{"op":1,"d":3}']);
    expect(socket.waiting).toBe(false);
    const ended = await closed(socket);
    expect(ended).toEqual({ code: 4001, reason: 'a heartbeat was not answered' });
    expect(server.texts).toHaveLength(2);
  }, 15_000);

  test('a flood of its own messages is stopped', async () => {
    await using server = await rawServer();
    const socket = await open({ url: at(server.port) }, server.port);
    const many = answer({ send: Array(60).fill('x') });
    expect(() => {
      for (let i = 0; i < 20; i++) socket.handled(many);
    }).toThrow(/denied: more than 600 messages/);
    await closed(socket);
    expect(() => socket.handled(answer({ heartbeat: { every_ms: 1, message: 'x', answer: null } }))).toThrow(
      'no answer',
    );
  });

  test('a pattern holds fields, entries of lists, and what is not there', () => {
    const message = { op: 0, t: 'M', d: { guild: null, mentions: [{ id: '1' }, { id: '2', bot: true }] } };
    for (const yes of [
      {},
      { op: 0 },
      { d: { guild: null, nothing: null } },
      { d: { mentions: [{ id: '2' }] } },
      { d: { mentions: [] } },
    ])
      expect(holds(message, yes)).toBe(true);
    for (const no of [
      { op: 1 },
      { op: '0' },
      { d: { mentions: [{ id: '3' }] } },
      { d: { mentions: { 0: {} } } },
      { toString: {} },
      [],
      'M',
      { t: null },
    ])
      expect(holds(message, no)).toBe(false);
  });
});

describe('over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'px-tls-'));
  const files = { key: join(folder, 'k.pem'), cert: join(folder, 'c.pem') };
  const made = Bun.spawnSync(
    `openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=secure.test -addext subjectAltName=DNS:secure.test -keyout ${files.key} -out ${files.cert}`.split(
      ' ',
    ),
  );
  test.skipIf(!made.success)('the certificate is checked for the granted name before a word is said', async () => {
    const cert = readFileSync(files.cert, 'utf8');
    await using server: RawServer = await rawServer(undefined, { cert, key: readFileSync(files.key, 'utf8') });
    const { port } = server;
    Object.assign(names, { 'secure.test': ['127.0.0.1'], 'impostor.test': ['127.0.0.1'] });
    const ask = (host: string, ca?: string) =>
      open({ url: `wss://${host}:${port}/`, send: ['hello'] }, port, {
        egress: [`GET wss://${host}:${port}/`],
        privateHosts: [`${host}:${port}`],
        ...(ca === undefined ? {} : { ca }),
      });
    expect(await refusal(ask('impostor.test', cert))).toContain("does not match certificate's altnames");
    expect(await refusal(ask('secure.test'))).toContain('certificate');
    expect(server.heads).toEqual([]);
    const socket = await ask('secure.test', cert);
    await until('the message', () => server.texts[0]);
    socket.close();
  });
});
