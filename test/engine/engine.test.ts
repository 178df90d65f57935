import { describe, expect, test } from 'bun:test';
import { guestError, runScript } from './run.ts';

describe('the script engine', () => {
  test('load tells functions in WIT spelling, tools without their code, and the manifest', async () => {
    const { load } = await runScript(`
      export const manifest = { name: 'up', version: '1.0.0', description: 'Up.' };
      export const tools = [{ name: 'up', description: 'Upper case', parameters: { type: 'object' }, run: () => '' }];
      export function postMessage() {} export const limit = 3;`);
    expect(load()).toEqual({
      functions: ['post-message', 'list-tools', 'call-tool'],
      tools: [{ name: 'up', description: 'Upper case', parameters: { type: 'object' } }],
      manifest: { name: 'up', version: '1.0.0', description: 'Up.' },
    });
  });

  test('tools are listed and called; text stays text, other values become JSON', async () => {
    const { call } = await runScript(`
      export const tools = [
        { name: 'up', description: 'U', parameters: { type: 'object' }, run: ({ text }: { text: string }) => text.toUpperCase() },
        { name: 'all', description: 'A', parameters: {}, run: () => ({ bytes: new Uint8Array([1, 2]), big: 5n }) },
      ];`);
    expect(call('list-tools')).toEqual([
      { name: 'up', description: 'U', input_schema: '{"type":"object"}' },
      { name: 'all', description: 'A', input_schema: '{}' },
    ]);
    expect(call('call-tool', 'up', '{"text":"grün"}')).toBe('GRÜN');
    expect(call('call-tool', 'all', '{}')).toBe('{"bytes":"AQI=","big":"5"}');
    expect(guestError(() => call('call-tool', 'none', '{}'))).toContain('the plugin has no tool none');
  });

  test('what a script throws is the error, with the kind of fault when it is a bug', async () => {
    const { call } = await runScript(`
      export function text() { throw 'plain'; } export function error() { throw new Error('refused: no'); }
      export function bug() { return (missing as { x: 1 }).x; }`);
    expect(guestError(() => call('text'))).toBe('plain');
    expect(guestError(() => call('error'))).toBe('refused: no');
    expect(guestError(() => call('bug'))).toBe('ReferenceError: missing is not defined');
    expect(guestError(() => call('nothing'))).toContain('the plugin has no function nothing');
  });

  test('a script that fails while it starts says so at load', async () => {
    const { load } = await runScript(`throw new Error('no start');`);
    expect(guestError(load)).toBe('no start');
  });

  test("connector values take the contract's JSON form, bytes the script's", async () => {
    const { call, host } = await runScript(`
      import { log, type WaitAnswer } from 'px';
      export const describe = () => ({ platform: 'demo', maxText: 100 });
      export const nextWait = () => ({ url: 'https://x.test/', body: 'hé', timeoutMs: 5000 });
      export function onWait(answer: WaitAnswer) {
        if ('err' in answer) { log('warn', answer.err.kind + ': ' + answer.err.message); return []; }
        return [{ id: 1, sender: { id: 7, displayName: 'Ann' }, text: answer.ok.text(), metadata: { channel: 3 } }];
      }`);
    expect(call('describe')).toEqual({ platform: 'demo', max_text: 100 });
    expect(call('next-wait')).toEqual({
      method: 'POST',
      url: 'https://x.test/',
      headers: [],
      body: 'aMOp',
      timeout_ms: 5000,
    });
    expect(call('on-wait', { ok: { status: 200, headers: [], body: 'aMOp' } })).toEqual([
      { id: '1', sender: { id: '7', display_name: 'Ann' }, text: 'hé', metadata: '{"channel":3}' },
    ]);
    for (const err of ['timeout', { denied: 'GET x' }, { network: 'no route' }, { 'too-large': 10 }])
      expect(call('on-wait', { err })).toEqual([]);
    expect(host.logs).toEqual([
      'warn timeout: the request took too long',
      'warn denied: GET x',
      'warn network: no route',
      'warn too-large: the answer is larger than 10 bytes',
    ]);
  });

  test("a WebSocket and what comes over it take the contract's JSON form", async () => {
    const { call } = await runScript(`
      import type { Socket, SocketAnswer, SocketEvent } from 'px';
      export const nextSocket = (): Socket => ({ url: 'wss://x.test/', wake: [{ op: 0 }, '{"op":1}'], cursor: '/s', send: [{ hi: '{{cursor}}' }] });
      export function onSocket(event: SocketEvent): SocketAnswer {
        if ('closed' in event) return {};
        return {
          messages: [{ id: '1', sender: { id: '7', displayName: 'Ann' }, text: event.messages.join() }],
          keep: { session: 'abc', old: null }, cursor: null, wake: [], send: ['a'], ready: true,
          heartbeat: { everyMs: 41250.4, message: { op: 1 }, answer: { op: 11 } },
        };
      }`);
    expect(call('next-socket')).toEqual({
      url: 'wss://x.test/',
      headers: [],
      protocols: [],
      wake: ['{"op":0}', '{"op":1}'],
      cursor: '/s',
      send: ['{"hi":"{{cursor}}"}'],
    });
    expect(call('on-socket', { messages: ['a', 'b'] })).toEqual({
      messages: [{ id: '1', sender: { id: '7', display_name: 'Ann' }, text: 'a,b', metadata: null }],
      keep: [
        ['session', 'abc'],
        ['old', null],
      ],
      cursor: 'null',
      wake: [],
      send: ['a'],
      heartbeat: { every_ms: 41_250, message: '{"op":1}', answer: '{"op":11}' },
      ready: true,
      reconnect: false,
    });
    const nothing = { messages: [], keep: [], cursor: null, wake: null, send: [], heartbeat: null };
    const closed = { closed: { code: 1006, reason: '' } };
    expect(call('on-socket', closed)).toEqual({ ...nothing, ready: false, reconnect: false });
  });

  test('host functions: kv, settings, requests with typed errors, messages', async () => {
    const { call, host } = await runScript(
      `import * as px from 'px';
      export function kv() { px.kvSet('a', 'ä'); px.kvSet('b', new Uint8Array([1])); px.kvDelete('b');
        return [px.kvGetText('a'), px.kvGet('b') === undefined, px.kvList('a')]; }
      export const settings = () => [px.configGet('x'), px.configGet('y') === undefined, px.secretExists('THERE')];
      export const get = () => { const r = px.httpRequest('https://x.test/'); return [r.status, r.json(), r.header('x-a')]; };
      export const denied = () => { try { px.httpRequest({ url: 'https://no.test/', body: 'q', headers: { a: 'b' } }); }
        catch (e) { return e instanceof px.HttpError && [e.kind, e.message]; } };
      export const emit = () => px.emitMessage({ id: '1', sender: { id: '2', displayName: 'A' }, text: 't', metadata: { g: true } });`,
      'plugin.ts',
      {
        settings: { x: { deep: [1] } },
        http: (request) => {
          if (request.url.includes('no.test')) throw { tag: 'denied', val: 'POST https://no.test' };
          return { status: 201, headers: [['X-A', 'b']], body: '{"a":1}' };
        },
      },
    );
    expect(call('kv')).toEqual(['ä', true, ['a']]);
    expect(call('settings')).toEqual([{ deep: [1] }, true, true]);
    expect(call('get')).toEqual([201, { a: 1 }, 'b']);
    expect(call('denied')).toEqual(['denied', 'POST https://no.test']);
    expect(host.asked[1]).toMatchObject({ method: 'POST', headers: [['a', 'b']] });
    expect(call('emit')).toBeNull();
    expect(host.logs).toEqual([
      'emit {"id":"1","sender_id":"2","sender_name":"A","text":"t","metadata":"{\\"g\\":true}"}',
    ]);
  });

  test('time, randomness and console come from the host', async () => {
    const { call, host } = await runScript(`
      export const time = () => [Date.now(), new Date().toISOString(), new Date(0).getTime(), new Date() instanceof Date];
      export const random = () => [Math.random(), Math.random(), crypto.randomUUID()];
      export const say = () => { console.warn('a', { b: 1 }, new Error('c')); };`);
    expect(call('time')).toEqual([1_790_000_000_123, '2026-09-21T14:13:20.123Z', 0, true]);
    const [a, b, uuid] = call('random') as [number, number, string];
    expect(a !== b && a >= 0 && a < 1).toBe(true);
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    call('say');
    expect(host.logs).toEqual(['warn a {"b":1} Error: c']);
  });

  test('two instances do not get the same random numbers', async () => {
    const script = 'export const random = () => Math.random();';
    expect((await runScript(script)).call('random')).not.toBe((await runScript(script)).call('random'));
  });

  test('TextEncoder, TextDecoder and URL agree with those of Bun', async () => {
    const { call } = await runScript(`
      export const encode = (s: string) => [...new TextEncoder().encode(s)];
      export const decode = (b: number[]) => new TextDecoder().decode(new Uint8Array(b));
      export const url = (u: string, base?: string) => { const x = new URL(u, base); x.searchParams;
        return [x.href, x.origin, x.host, x.pathname, x.search, x.hash]; };
      export const params = (s: string) => { const p = new URLSearchParams(s); p.set('z', 'a b&ü'); return [[...p], p.toString()]; };`);
    for (const text of ['', 'aé€😀', '\ud800x', 'a\udc00'])
      expect(call('encode', text)).toEqual([...new TextEncoder().encode(text)]);
    let seed = 7;
    for (let i = 0; i < 300; i++) {
      const bytes = Array.from({ length: 12 }, () => {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        const n = seed >>> 16;
        return n & 1 ? 0x80 | ((n >> 1) % 0x80) : n % 0x80;
      });
      expect(call('decode', bytes)).toBe(new TextDecoder().decode(new Uint8Array(bytes)));
    }
    const urls: [string, string?][] = [
      ['https://Ex.com:443/a/../b/./c?x=1#h'],
      ['../up?q=ä b', 'http://h:8080/a/b/c'],
      ['?only=1', 'https://h/a?old'],
      ['#frag', 'https://h/a?keep=1'],
      ['//other/x', 'https://h/a'],
      ['/abs', 'https://h/a/b'],
      ['http://[::1]:3000/%7Euser/a|b'],
      ['mailto:a@b.c'],
      ['https://user@MÜNCHEN.de:8443/weiß?ä'],
      ['https://例え.テスト/'],
    ];
    for (const [u, base] of urls) {
      const x = new URL(u, base);
      expect(call('url', u, base ?? 'https://unused/')).toEqual([
        x.href,
        x.origin,
        x.host,
        x.pathname,
        x.search,
        x.hash,
      ]);
    }
    for (const bad of ['nope', 'http://', 'http://a b/', 'http://h:99999/'])
      expect(guestError(() => call('url', bad))).toContain('Invalid URL');
    const p = new URLSearchParams('a=1&b=%20+c&a=2');
    p.set('z', 'a b&ü');
    expect(call('params', 'a=1&b=%20+c&a=2')).toEqual([[...p], p.toString()]);
  });

  test('what a script throws is let go of, however often and large', async () => {
    const { call } = await runScript(
      `export function fails() { throw new Error('x'.repeat(1_000_000)); } export const fine = () => 1;`,
    );
    for (let i = 0; i < 150; i++) expect(guestError(() => call('fails')).length).toBe(1_000_000);
    expect(call('fine')).toBe(1);
  });

  test('an answer of the host that is too large for the memory left is an error the script can catch, and it goes on', async () => {
    const { call } = await runScript(
      `import { httpRequest } from 'px';
       export const get = () => httpRequest('https://x.test/').text().length;
       export const tries = () => { try { return get(); } catch (e) { return String(e.message); } };`,
      'plugin.ts',
      { http: () => ({ status: 200, body: 'x'.repeat(30_000_000) }) },
    );
    for (let i = 0; i < 3; i++) {
      expect(call('tries')).toContain('out of memory');
      expect(guestError(() => call('get'))).toContain('out of memory');
    }
  });

  test('a script reaches nothing but the host: no process, no import, no code beside its own', async () => {
    const { call } = await runScript(`
      export const names = () => ['process', 'Bun', 'require', 'WebAssembly', 'std', 'os', 'import', 'XMLHttpRequest', 'Worker']
        .filter((n) => { try { return new Function('return typeof ' + n)() !== 'undefined'; } catch { return false; } });`);
    expect(call('names')).toEqual([]);
  });
});
