import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PluginConfig } from '../../src/config/config.ts';
import { download } from '../../src/plugin/download.ts';
import { BodyTooLarge, readBody } from '../../src/plugin/http/body.ts';
import { type GuestRequest, guestRequest, type HttpOptions } from '../../src/plugin/http/request.ts';
import { openHome, type TestHome } from './home.ts';

let home: TestHome;
let server: Bun.Server<undefined>;
let other: Bun.Server<undefined>;
let seen: { url: string; headers: Record<string, string>; body: string }[] = [];
const token = 'tok-4711:AAF_x/y+z';

beforeAll(async () => {
  home = await openHome();
  home.secrets.set('TOKEN', token);
  const note = async (request: Request) => {
    seen.push({ url: request.url, headers: Object.fromEntries(request.headers), body: await request.text() });
  };
  other = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      await note(request);
      return new Response('other');
    },
  });
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      await note(request);
      const url = new URL(request.url);
      const to = url.searchParams.get('to');
      if (to !== null)
        return new Response(null, { status: Number(url.searchParams.get('s') ?? 302), headers: { location: to } });
      if (url.pathname === '/echo') return Response.json(seen.at(-1));
      if (url.pathname === '/big') return new Response('x'.repeat(100_000));
      if (url.pathname === '/endless')
        return new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(10_000)) }));
      if (url.pathname === '/bomb')
        return new Response(gzipSync(Buffer.alloc(50_000_000)), { headers: { 'content-encoding': 'gzip' } });
      if (url.pathname === '/packed')
        return new Response(gzipSync('unpacked text'), { headers: { 'content-encoding': 'gzip' } });
      if (url.pathname === '/slow') await Bun.sleep(2000);
      return new Response(`path ${url.pathname}`, { headers: { 'x-token': token } });
    },
  });
});
afterAll(async () => {
  await server.stop(true);
  await other.stop(true);
  await home[Symbol.asyncDispose]();
});

const names: Record<string, string[]> = {
  'api.test': ['127.0.0.1'],
  'other.test': ['127.0.0.1'],
  'inside.test': ['10.0.0.7'],
  'mixed.test': ['93.184.216.34', '127.0.0.1'],
  'meta.test': ['169.254.169.254'],
  'mapped.test': ['::ffff:127.0.0.1'],
};

interface Setup {
  egress?: string[];
  privateHosts?: string[];
  secrets?: Record<string, string[]>;
  maxBytes?: number;
}

async function request(wanted: Partial<GuestRequest> & { url: string }, setup: Setup = {}, resolves?: string[]) {
  seen = [];
  const grants: PluginConfig['grants'] = {
    egress: setup.egress ?? [`GET,POST http://api.test:${server.port}/`],
    private_hosts: setup.privateHosts ?? [`api.test:${server.port}`],
    secrets: setup.secrets ?? {},
    files: {},
    schedule: {},
  };
  const options: HttpOptions = {
    grants,
    secrets: home.secrets,
    maxBytes: setup.maxBytes ?? 50_000,
    async resolve(host) {
      resolves?.push(host);
      const found = names[host];
      if (!found) throw new Error('not found');
      return found;
    },
  };
  const full = { method: 'GET', headers: [], body: undefined, timeoutMs: 5000, ...wanted };
  const answer = await guestRequest(full, options, AbortSignal.timeout(10_000));
  return 'ok' in answer
    ? { ...answer.ok, text: new TextDecoder().decode(answer.ok.body), err: undefined }
    : { err: JSON.stringify(answer.err), status: 0, text: '', headers: [] };
}
const at = (path: string) => `http://api.test:${server.port}${path}`;

describe('a request of a plugin', () => {
  test('goes to the address that was checked, asked for once, under the name that was granted', async () => {
    const resolves: string[] = [];
    const { status, text } = await request({ url: at('/hello?a=b') }, {}, resolves);
    expect([status, text]).toEqual([200, 'path /hello']);
    expect(resolves).toEqual(['api.test']);
    expect(seen[0]?.headers['host']).toBe(`api.test:${server.port}`);
    expect(seen[0]?.url).toBe(at('/hello?a=b'));
  });

  test('does not go through a proxy that the environment of px names', async () => {
    const named = [
      'HTTP_PROXY',
      'http_proxy',
      'HTTPS_PROXY',
      'https_proxy',
      'ALL_PROXY',
      'all_proxy',
      'NO_PROXY',
      'no_proxy',
    ];
    const before = named.map((name) => [name, process.env[name]] as const);
    for (const name of named) process.env[name] = /^no/i.test(name) ? '' : `http://127.0.0.1:${other.port}`;
    try {
      expect((await request({ url: at('/direct') })).text).toBe('path /direct');
      // Bun reads the variables: without the option the same request does go there, so this test tells something.
      const diverted = await fetch(`http://127.0.0.1:${server.port}/diverted`);
      expect(await diverted.text()).toBe('other');
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  test('carries method, headers and body', async () => {
    const body = new TextEncoder().encode('{"n":1}');
    const answer = await request({
      url: at('/echo'),
      method: 'post',
      headers: [
        ['content-type', 'application/json'],
        ['x-one', '1'],
      ],
      body,
    });
    expect(JSON.parse(answer.text)).toMatchObject({ body: '{"n":1}', headers: { 'x-one': '1' } });
  });

  test('without a rule for its method, host, port or path is denied and not sent', async () => {
    const setup = { egress: [`GET http://api.test:${server.port}/v1/`] };
    expect((await request({ url: at('/v1/x') }, setup)).status).toBe(200);
    for (const wanted of [
      { url: at('/v1/x'), method: 'POST' },
      { url: at('/v2/x') },
      { url: at('/v1/../v2/x') },
      { url: at('/v1/..%2fv2/x') },
      { url: at('/v1') },
      { url: `http://other.test:${server.port}/v1/x` },
      { url: `http://api.test:${other.port}/v1/x` },
      { url: `http://api.test@other.test:${server.port}/v1/` },
      { url: `https://api.test:${server.port}/v1/x` },
      { url: 'file:///etc/passwd' },
      { url: `http:\\\\api.test:${server.port}/v1/x` },
      { url: 'nonsense' },
    ]) {
      expect((await request(wanted, setup)).err).toContain('denied');
      expect(seen).toEqual([]);
    }
  });

  test('to a private, loopback, metadata or mixed address is denied unless that very host was granted', async () => {
    const egress = ['GET http://*:80/', `GET http://*:${server.port}/`];
    for (const host of [
      'inside.test',
      'mixed.test',
      'meta.test',
      'mapped.test',
      '127.0.0.1',
      '[::1]',
      '169.254.169.254',
      '2130706433',
      '0x7f.1',
      '[::ffff:7f00:1]',
    ])
      expect((await request({ url: `http://${host}:${server.port}/` }, { egress, privateHosts: [] })).err).toContain(
        'denied',
      );
    expect(seen).toEqual([]);
  });

  test('cannot choose host, connection or framing headers, nor break a line', async () => {
    const bad: [string, string][] = [
      ['host', 'other.test'],
      ['Connection', 'upgrade'],
      ['content-length', '0'],
      ['transfer-encoding', 'chunked'],
      ['x-a', 'b\r\nx-evil: 1'],
      ['x-a\r\nx-evil', '1'],
      ['proxy-authorization', 'x'],
      // What a server behind a proxy may believe: another path, host or sender, and another method than the rule allows.
      ['X-Original-URL', '/admin'],
      ['x-rewrite-url', '/admin'],
      ['X-Forwarded-Host', 'other.test'],
      ['forwarded', 'for=127.0.0.1'],
      ['X-HTTP-Method-Override', 'DELETE'],
      ['x-http-method', 'put'],
      ['x-method-override', 'GET, DELETE'],
    ];
    for (const header of bad) {
      expect((await request({ url: at('/'), headers: [header] })).err).toContain('denied');
      expect(seen).toEqual([]);
    }
    expect((await request({ url: at('/'), headers: [['x-http-method-override', 'post']] })).status).toBe(200);
    expect((await request({ url: at('/?to=/x'), headers: [['x-http-method', 'DELETE']] })).err).toContain('denied');
    for (const method of ['CONNECT', 'TRACE', 'GET / HTTP/1.1'])
      expect(
        (await request({ url: at('/'), method }, { egress: [`* http://api.test:${server.port}/`] })).err,
      ).toContain('denied');
  });

  test('has a bounded answer: long, endless, or a few bytes that unpack to many', async () => {
    for (const path of ['/big', '/endless', '/bomb'])
      expect((await request({ url: at(path) })).err).toBe('{"too-large":50000}');
    expect((await request({ url: at('/packed') })).text).toBe('unpacked text');
  });

  test('has a bounded answer that is whole, whatever length it announces', async () => {
    const says = { '/less': [5, 100_000], '/more': [5_000, 10] } as const;
    using liar = Bun.listen({
      port: 0,
      hostname: '127.0.0.1',
      socket: {
        data(socket, asked) {
          const [announced, sent] = asked.includes('/less') ? says['/less'] : says['/more'];
          socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${announced}\r\n\r\n${'x'.repeat(sent)}`);
        },
      },
    });
    const from = `http://api.test:${liar.port}`;
    const setup = { egress: [`GET ${from}/`], privateHosts: [`api.test:${liar.port}`] };
    // What comes after the end that was announced is no part of the answer; an answer that ends before it is none.
    expect((await request({ url: `${from}/less` }, setup)).text).toBe('xxxxx');
    expect((await request({ url: `${from}/more` }, setup)).err).toContain('network');
    // Nor is the header believed where it does not bound what comes.
    const told = (bytes: number, announced: number) =>
      readBody(
        new Response(new Blob(['x'.repeat(bytes)]).stream(), { headers: { 'content-length': `${announced}` } }),
        50_000,
      );
    expect(await told(1_000_000, 5).catch((thrown) => thrown)).toBeInstanceOf(BodyTooLarge);
    expect(await told(5, 50_001).catch((thrown) => thrown)).toBeInstanceOf(BodyTooLarge);
    expect(await told(5, 40_000)).toHaveLength(5);
  });

  test('ends at its timeout, and a host that does not exist is a network error', async () => {
    const begun = performance.now();
    expect((await request({ url: at('/slow'), timeoutMs: 100 })).err).toBe('"timeout"');
    expect(performance.now() - begun).toBeLessThan(1000);
    const gone = await request({ url: 'http://gone.test/' }, { egress: ['GET http://gone.test/'] });
    expect(gone.err).toContain('network');
  });
});

describe('a redirect', () => {
  test('is followed where it is granted, and is checked like a request of its own', async () => {
    expect((await request({ url: at('/?to=/next') })).text).toBe('path /next');
    const elsewhere = encodeURIComponent(`http://other.test:${other.port}/`);
    expect((await request({ url: at(`/?to=${elsewhere}`) })).err).toContain('denied');
    expect(seen.length).toBe(1);
    const inside = encodeURIComponent('http://inside.test/');
    const egress = [`GET http://api.test:${server.port}/`, 'GET http://inside.test/'];
    expect((await request({ url: at(`/?to=${inside}`) }, { egress })).err).toContain('denied');
    expect((await request({ url: at('/?to=file:///etc/passwd') })).err).toContain('denied');
  });

  test('does not take credentials to another origin', async () => {
    const elsewhere = encodeURIComponent(`http://other.test:${other.port}/`);
    const setup = {
      egress: [`GET http://api.test:${server.port}/`, `GET http://other.test:${other.port}/`],
      privateHosts: [`api.test:${server.port}`, `other.test:${other.port}`],
      secrets: { TOKEN: [`http://api.test:${server.port}/`] },
    };
    const headers: [string, string][] = [
      ['authorization', 'Bearer abc'],
      ['x-custom', '{{secret:TOKEN}}'],
      ['accept', 'text/plain'],
    ];
    expect((await request({ url: at(`/?to=${elsewhere}`), headers }, setup)).text).toBe('other');
    expect(seen[0]?.headers['x-custom']).toBe(token);
    expect(seen[1]?.headers).toMatchObject({ accept: 'text/plain' });
    expect(seen[1]?.headers['authorization']).toBeUndefined();
    expect(seen[1]?.headers['x-custom']).toBeUndefined();
    // In a host's name a URL makes small letters of it, which nobody would know it by.
    const named = { ...setup, egress: [...setup.egress, `GET http://*.other.test:${other.port}/`] };
    home.secrets.set('NAME', 'Tok-4711-AaF');
    const inName = encodeURIComponent(`http://Tok-4711-AaF.other.test:${other.port}/`);
    expect((await request({ url: at(`/?to=${inName}`) }, named)).err).toContain('carries a secret');
    const secretInTarget = encodeURIComponent(`http://other.test:${other.port}/?t=${encodeURIComponent(token)}`);
    expect((await request({ url: at(`/?to=${secretInTarget}`) }, setup)).err).toContain('denied');
  });

  test('that goes round in circles ends', async () => {
    const round = encodeURIComponent('/?s=302&to=/x');
    expect((await request({ url: at(`/?to=${round}`) })).err ?? '').not.toContain('timeout');
    let loop = '/end';
    for (let i = 0; i < 8; i++) loop = `/?to=${encodeURIComponent(loop)}`;
    expect((await request({ url: at(loop) })).err).toContain('redirects');
  });

  test('after a POST becomes a GET without the body, unless the server says to repeat it', async () => {
    const body = new TextEncoder().encode('data');
    await request({ url: at('/?to=/next'), method: 'POST', body });
    expect(seen.map((s) => s.body)).toEqual(['data', '']);
    await request({ url: at('/?s=307&to=/next'), method: 'POST', body });
    expect(seen.map((s) => s.body)).toEqual(['data', 'data']);
  });
});

describe('a secret', () => {
  const prefix = () => `http://api.test:${server.port}/bot`;

  test('is filled into path, query, header and body on the way out, only below its prefix', async () => {
    const setup = { secrets: { TOKEN: [prefix()] } };
    await request(
      {
        url: at('/bot{{secret:TOKEN}}/send?k={{secret:TOKEN}}'),
        method: 'POST',
        headers: [['x-key', 'Bearer {{secret:TOKEN}}']],
        body: new TextEncoder().encode('{"t":"{{secret:TOKEN}}"}'),
      },
      setup,
    );
    const [sent] = seen;
    expect(decodeURIComponent(sent?.url ?? '')).toBe(at(`/bot${token}/send?k=${token}`));
    expect(sent?.headers['x-key']).toBe(`Bearer ${token}`);
    expect(sent?.body).toBe(`{"t":"${token}"}`);
    expect((await request({ url: at('/other?k={{secret:TOKEN}}') }, setup)).err).toContain('denied');
    expect((await request({ url: at('/bot'), headers: [['x', '{{secret:OTHER}}']] }, setup)).err).toContain('denied');
    expect((await request({ url: at('/bot{{secret:TOKEN}}') })).err).toContain('denied');
    expect(seen).toEqual([]);
  });

  test('cannot choose the host, and does not come back in the answer', async () => {
    const setup = { secrets: { TOKEN: [`http://api.test:${server.port}/`] } };
    home.secrets.set('HOST', 'other.test');
    expect(
      (await request({ url: `http://{{secret:HOST}}:${server.port}/` }, { secrets: { HOST: ['http://'] } })).err,
    ).toContain('denied');
    const answer = await request({ url: at('/echo'), headers: [['x-key', '{{secret:TOKEN}}']] }, setup);
    expect(answer.text).toContain('[redacted:TOKEN]');
    expect(answer.text).not.toContain(token);
    // A piece of it would not be known.
    const part: [string, string] = ['Range', 'bytes=20-23'];
    for (const wanted of [
      { url: at('/echo'), headers: [part, ['authorization', `Basic ${btoa('me:{{secret:TOKEN}}')}`]] },
      { url: at('/echo?k=%7B%7Bsecret:TOKEN%7D%7D'), headers: [part] },
      { url: at('/echo'), method: 'POST', headers: [part], body: new TextEncoder().encode('{{secret:TOKEN}}') },
    ] satisfies Parameters<typeof request>[0][])
      expect((await request(wanted, setup)).err).toContain('a part of the answer');
    expect((await request({ url: at('/hello'), headers: [part] }, setup)).status).toBe(200);
    const plain = await request({ url: at('/hello') });
    expect(plain.headers.find(([name]) => name === 'x-token')?.[1]).toBe('[redacted:TOKEN]');
  });
});

describe('over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'px-tls-'));
  const made = Bun.spawnSync([
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=secure.test',
    '-addext',
    'subjectAltName=DNS:secure.test',
    '-keyout',
    join(folder, 'k.pem'),
    '-out',
    join(folder, 'c.pem'),
  ]);
  test.skipIf(!made.success)('the certificate is checked for the granted name, not for the address', async () => {
    const cert = readFileSync(join(folder, 'c.pem'), 'utf8');
    const tls = { cert, key: readFileSync(join(folder, 'k.pem'), 'utf8') };
    const secure = Bun.serve({ port: 0, hostname: '127.0.0.1', tls, fetch: (r) => new Response(new URL(r.url).host) });
    const ask = async (host: string) => {
      const answer = await guestRequest(
        { method: 'GET', url: `https://${host}:${secure.port}/`, headers: [], body: undefined, timeoutMs: 5000 },
        {
          grants: {
            egress: [`GET https://${host}:${secure.port}/`],
            private_hosts: [`${host}:${secure.port}`],
            secrets: {},
            files: {},
            schedule: {},
          },
          secrets: home.secrets,
          maxBytes: 1000,
          ca: cert,
          resolve: async () => ['127.0.0.1'],
        },
        AbortSignal.timeout(5000),
      );
      return 'ok' in answer ? new TextDecoder().decode(answer.ok.body) : JSON.stringify(answer.err);
    };
    expect(await ask('secure.test')).toBe(`secure.test:${secure.port}`);
    expect(await ask('impostor.test')).toContain('network');
    expect(await ask('secure.test')).toBe(`secure.test:${secure.port}`);
    // Nor is a plugin taken from a server that anybody may be.
    const taken = download(`https://127.0.0.1:${secure.port}/x.wasm`, 1000).catch((thrown: unknown) => thrown);
    expect(await taken).toMatchObject({
      message: expect.stringContaining('nobody this machine trusts has signed its certificate'),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    await secure.stop(true);
  });
});
