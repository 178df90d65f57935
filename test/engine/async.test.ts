import { describe, expect, test } from 'bun:test';
import { guestError, runScript } from './run.ts';

const now = () => Date.now();

describe('promises', () => {
  test('an async function, an async tool and a returned promise give their value', async () => {
    const { call } = await runScript(`
      export async function add(a: number, b: number) { await null; const all = await Promise.all([a, Promise.resolve(b)]); return all[0] + all[1]; }
      export const chained = () => Promise.resolve(1).then((n) => n + 1).finally(() => {});
      export async function* numbers() { yield 1; yield 2; }
      export async function collect() { const out = []; for await (const n of numbers()) out.push(n); return out; }
      export const tools = [{ name: 'up', description: 'U', parameters: {}, run: async ({ text }: { text: string }) => { await null; return text.toUpperCase(); } }];`);
    expect(call('add', 1, 2)).toBe(3);
    expect(call('chained')).toBe(2);
    expect(call('collect')).toEqual([1, 2]);
    expect(call('call-tool', 'up', '{"text":"grün"}')).toBe('GRÜN');
  });

  test('what is thrown after an await is the error', async () => {
    const { call } = await runScript(`
      export async function fail() { await null; throw new Error('refused: no'); }
      export async function bug() { await null; return (missing as { x: 1 }).x; }
      export async function text() { await null; throw 'plain'; }
      export async function circle() { const a: any = {}; a.a = a; return a; }`);
    expect(guestError(() => call('fail'))).toBe('refused: no');
    expect(guestError(() => call('bug'))).toBe('ReferenceError: missing is not defined');
    expect(guestError(() => call('text'))).toBe('plain');
    expect(guestError(() => call('circle'))).toContain('TypeError');
    expect(guestError(() => call('fail'))).toBe('refused: no');
  });

  test('one that can never settle is an error at once, and the next call is not disturbed', async () => {
    const { call } = await runScript(`
      export const never = () => new Promise(() => {});
      export const fine = async () => { await null; return 1; };`);
    expect(guestError(() => call('never'))).toContain('never settles');
    expect(call('fine')).toBe(1);
  });

  test('a value with a then of its own is waited for, and host functions work after an await', async () => {
    const { call, host } = await runScript(`
      import { httpRequest, kvSet, kvGetText } from 'px';
      export const thenable = () => ({ then(done: (n: number) => void) { done(7); } });
      export async function work() { await null; kvSet('k', 'v'); await null; return [kvGetText('k'), httpRequest('https://x.test/').status]; }`);
    expect(call('thenable')).toBe(7);
    expect(call('work')).toEqual(['v', 200]);
    expect(host.asked.length).toBe(1);
  });
});

describe('timers', () => {
  test('run in the order they are due, with their arguments, and time really passes', async () => {
    const { call } = await runScript(
      `export async function order() {
        const out: unknown[] = []; const begin = Date.now();
        await new Promise<void>((done) => {
          setTimeout((a: string, b: number) => { out.push(a, b); done(); }, 30, 'last', 1);
          setTimeout(() => out.push('first'), 5);
          setTimeout(() => out.push('never'), 1) === 0 || clearTimeout(3);
          queueMicrotask(() => out.push('now'));
        });
        return [...out, Date.now() - begin >= 30];
      }
      export async function every() {
        let n = 0;
        return new Promise((done) => { const id = setInterval(() => { if (++n === 3) { clearInterval(id); done(n); } }, 2); });
      }`,
      'plugin.ts',
      { now },
    );
    expect(call('order')).toEqual(['now', 'first', 'last', 1, true]);
    expect(call('every')).toBe(3);
  });

  test('what is left when a call ends is dropped', async () => {
    const { call } = await runScript(
      `let hits = 0;
      export async function leave() { setTimeout(() => { hits++; }, 1); return hits; }
      export async function look() { await new Promise((done) => setTimeout(done, 10)); return hits; }`,
      'plugin.ts',
      { now },
    );
    expect(call('leave')).toBe(0);
    expect(call('look')).toBe(0);
  });

  test('a callback that throws ends the call with its error', async () => {
    const { call } = await runScript(
      `export const boom = () => new Promise(() => setTimeout(() => { throw new Error('in a timer'); }, 1));
       export const fine = () => 1;`,
      'plugin.ts',
      { now },
    );
    expect(guestError(() => call('boom'))).toBe('in a timer');
    expect(call('fine')).toBe(1);
  });
});

describe('fetch', () => {
  test('sends method, headers and body as the host wants them, and reads the answer in every way', async () => {
    const { call, host } = await runScript(
      `export async function post() {
        const response = await fetch(new URL('https://x.test/a?b=1#c'), {
          method: 'post', headers: { 'X-One': ' 1 ' }, body: JSON.stringify({ a: 'ä' }) });
        return [response.ok, response.status, response.url, response.headers.get('content-type'), [...response.headers], await response.json(), response.bodyUsed];
      }
      export async function forms() { await fetch('https://x.test/', { method: 'PUT', body: new URLSearchParams({ q: 'a b' }) }); }
      export async function again() {
        const r = await fetch('https://x.test/'); const c = r.clone();
        const parts = []; for await (const part of r.body!) parts.push(part.length);
        try { await r.text(); } catch (e) { return [parts, await c.text(), (e as Error).message]; }
      }
      export async function request() {
        const r = new Request('https://x.test/r', { method: 'POST', body: new Uint8Array([1, 2]), headers: [['a', 'b']] });
        return (await fetch(r)).status;
      }`,
      'plugin.ts',
      {
        http: () => ({
          status: 201,
          headers: [
            ['Content-Type', 'application/json'],
            ['x-b', '2'],
            ['X-B', '3'],
          ],
          body: '{"a":1}',
        }),
      },
    );
    expect(call('post')).toEqual([
      true,
      201,
      'https://x.test/a?b=1',
      'application/json',
      [
        ['content-type', 'application/json'],
        ['x-b', '2, 3'],
      ],
      { a: 1 },
      true,
    ]);
    expect(host.asked[0]).toMatchObject({ method: 'POST', url: 'https://x.test/a?b=1#c', timeoutMs: undefined });
    expect(Object.fromEntries(host.asked[0]?.headers ?? [])).toEqual({
      'content-type': 'text/plain;charset=UTF-8',
      'x-one': '1',
    });
    expect(new TextDecoder().decode(host.asked[0]?.body)).toBe('{"a":"ä"}');
    call('forms');
    expect(new TextDecoder().decode(host.asked[1]?.body)).toBe('q=a+b');
    expect(host.asked[1]?.headers).toEqual([['content-type', 'application/x-www-form-urlencoded;charset=UTF-8']]);
    expect(call('again')).toEqual([[7], '{"a":1}', 'the body has been read already']);
    expect(call('request')).toBe(201);
    expect(host.asked[3]).toMatchObject({ method: 'POST', headers: [['a', 'b']], body: new Uint8Array([1, 2]) });
  });

  test('what the host refuses is a TypeError that says why', async () => {
    const { call } = await runScript(
      `import { HttpError } from 'px';
      export async function get() {
        try { await fetch('https://no.test/'); }
        catch (e) { return [e instanceof TypeError, (e as Error).message, (e as Error).cause instanceof HttpError]; }
      }
      export const bad = () => fetch('nowhere');
      export const both = () => fetch('https://x.test/', { method: 'GET', body: 'x' });
      export const header = () => fetch('https://x.test/', { headers: { a: 'b\\r\\nc: d' } });`,
      'plugin.ts',
      {
        http: () => {
          throw { tag: 'denied', val: 'no egress rule' };
        },
      },
    );
    expect(call('get')).toEqual([true, 'fetch failed: denied: no egress rule', true]);
    expect(guestError(() => call('bad'))).toContain('Invalid URL');
    expect(guestError(() => call('both'))).toContain('has no body');
    expect(guestError(() => call('header'))).toContain('no line breaks');
  });

  test('is given up when its signal says so: before, by a timeout, by a timer', async () => {
    const { call, host } = await runScript(
      `export async function before() { const c = new AbortController(); c.abort(); return fails(fetch('https://x.test/', { signal: c.signal })); }
      export async function timeout() { return fails(fetch('https://x.test/', { signal: AbortSignal.timeout(20) })); }
      export async function timer() { const c = new AbortController(); setTimeout(() => c.abort(new Error('enough')), 30); return fails(fetch('https://x.test/', { signal: c.signal })); }
      const fails = (p: Promise<unknown>) => p.then(() => 'answered', (e) => e.name + ': ' + e.message);`,
      'plugin.ts',
      {
        now,
        http: ({ timeoutMs = 0 }) => {
          Bun.sleepSync(timeoutMs);
          throw { tag: 'timeout' };
        },
      },
    );
    expect(call('before')).toBe('AbortError: The operation was aborted.');
    expect(host.asked).toEqual([]);
    expect(call('timeout')).toBe('TimeoutError: The operation timed out.');
    expect(host.asked[0]?.timeoutMs).toBeLessThanOrEqual(20);
    expect(call('timer')).toBe('Error: enough');
    expect(host.asked[1]?.timeoutMs).toBeLessThanOrEqual(30);
  });
});

describe('what authors expect to find', () => {
  test('a stream of UTF-8 in pieces, other encodings, encodeInto', async () => {
    const { call } = await runScript(`
      export function pieces(bytes: number[], size: number) {
        const d = new TextDecoder(); let out = '';
        for (let i = 0; i < bytes.length; i += size) out += d.decode(new Uint8Array(bytes.slice(i, i + size)), { stream: true });
        return out + d.decode();
      }
      export const latin = () => new TextDecoder('latin1').decode(new Uint8Array([0xe4, 0x62]));
      export const wide = () => new TextDecoder('utf-16le').decode(new Uint8Array([0xe4, 0, 0x3d, 0xd8, 0, 0xde]));
      export const into = () => { const b = new Uint8Array(4); return [new TextEncoder().encodeInto('aé😀', b), [...b]]; };
      export const bom = () => [new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])), new TextDecoder('utf8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])).length];`);
    const bytes = [...new TextEncoder().encode('aé€😀\uFEFFz')];
    for (const size of [1, 2, 3, 5]) expect(call('pieces', bytes, size)).toBe('aé€😀\uFEFFz');
    expect(call('pieces', [0xe2, 0x82], 1)).toBe('\uFFFD');
    expect(call('latin')).toBe('äb');
    expect(call('wide')).toBe('ä😀');
    expect(call('into')).toEqual([{ read: 2, written: 3 }, [97, 0xc3, 0xa9, 0]]);
    expect(call('bom')).toEqual(['a', 2]);
  });

  test('the parts of a URL can be set, and its parameters listed', async () => {
    const { call } = await runScript(`
      export function set(part: string, value: string) { const u: any = new URL('https://u:p@h.test:8080/a?b=1#c'); u[part] = value; return u.href; }
      export function list() { const p = new URL('https://h/?b=1&a=2&b=3').searchParams; p.sort(); const out: string[] = []; p.forEach((v, k) => out.push(k + v));
        return [out, [...p.keys()], [...p.values()], p.size, p.has('b', '3'), URL.parse('nope')]; }`);
    const own = (
      part:
        | 'protocol'
        | 'host'
        | 'hostname'
        | 'port'
        | 'username'
        | 'password'
        | 'pathname'
        | 'search'
        | 'hash'
        | 'href',
      value: string,
    ) => {
      const u = new URL('https://u:p@h.test:8080/a?b=1#c');
      u[part] = value;
      return u.href;
    };
    const changes = [
      ['protocol', 'http'],
      ['host', 'other.test'],
      ['hostname', 'other.test'],
      ['port', ''],
      ['port', '443'],
      ['username', 'me'],
      ['password', ''],
      ['pathname', 'x y'],
      ['search', 'q=ä'],
      ['hash', ''],
      ['href', 'https://n/'],
    ] as const;
    for (const [part, value] of changes) expect([part, call('set', part, value)]).toEqual([part, own(part, value)]);
    expect(call('list')).toEqual([['a2', 'b1', 'b3'], ['a', 'b', 'b'], ['2', '1', '3'], 3, true, null]);
  });

  test('events, abort signals joined, random values in any integer array', async () => {
    const { call } = await runScript(`
      export function events() {
        const t = new EventTarget(); const out: string[] = [];
        t.addEventListener('a', { handleEvent: (e) => out.push('object ' + e.type) });
        t.addEventListener('a', () => out.push('once'), { once: true });
        t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a'));
        return out;
      }
      export function joined() { const a = new AbortController(); const s = AbortSignal.any([a.signal, new AbortController().signal]);
        a.abort('why'); return [s.aborted, s.reason, AbortSignal.name, new DOMException('m', 'N').name]; }
      export const random = () => crypto.getRandomValues(new Uint32Array(4)).some((n) => n > 0);
      export const much = () => crypto.getRandomValues(new Uint8Array(70000));`);
    expect(call('events')).toEqual(['object a', 'once', 'object a']);
    expect(call('joined')).toEqual([true, 'why', 'AbortSignal', 'N']);
    expect(call('random')).toBe(true);
    expect(guestError(() => call('much'))).toContain('65536');
  });
});
