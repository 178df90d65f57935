import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { carried } from '../../src/plugin/plugin.ts';
import type { Json } from '../../src/wire/wire.ts';
import { codeOf, openHome } from './home.ts';

const token = 'secret-value-4711';
let server: Bun.Server<undefined>;
let asked: { path: string; key: string | null }[] = [];
beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      asked.push({ path: new URL(request.url).pathname, key: request.headers.get('x-key') });
      return new Response(`saw ${request.headers.get('x-key')}`);
    },
  });
});
afterAll(() => server.stop(true));

const source = `
import { configGet, emitMessage, httpRequest, kvDelete, kvGetText, kvList, kvSet, log, now, randomBytes, secretExists } from 'px';
interface Place { name: string; inhabitants: number }
export const manifest = { name: 'demo', version: '1.2.3', description: 'Shows everything.', egress: ['GET https://example.com/'] };
export function greet(place: Place): string { return 'hello ' + place.name + ' ' + place.inhabitants; }
export function fail(): void { throw new Error('on purpose'); }
export function settings(): unknown { return [configGet('api'), configGet('key'), configGet('nothing') ?? null, secretExists('KEY'), secretExists('OTHER')]; }
export function fetchIt(url: string): string {
  const answer = httpRequest({ url, headers: { 'x-key': String(configGet('key')) } });
  return answer.status + ' ' + answer.text();
}
export function store(): unknown {
  kvSet('a/1', 'one'); kvSet('a/2', 'two'); kvSet('b', 'three'); kvDelete('a/2');
  return [kvList('a/'), kvGetText('b'), kvGetText('a/2') ?? null];
}
export function push(): void { emitMessage({ id: '1', sender: { id: 'u', displayName: 'U' }, text: 'hi' }); }
export function clock(): number { return now(); }
export function dice(): number { return new Set(Array.from({ length: 8 }, () => randomBytes(8).join())).size; }
export function talk(): void { log('info', 'the key is ' + 'secret-' + 'value-4711'); console.log('plain'); }
export function spin(): void { for (;;); }
export const tools = [{
  name: 'add', description: 'Adds two numbers.',
  parameters: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] },
  run: ({ a, b }: { a: number; b: number }) => ({ sum: a + b }),
}];
`;

async function demo(emit?: (plugin: string, message: Json) => boolean) {
  const url = `http://127.0.0.1:${server.port}`;
  const home = await openHome(
    {
      plugins: {
        demo: {
          settings: { api: url, key: 'secret:KEY' },
          grants: {
            egress: [`GET ${url}/allowed/`],
            private_hosts: [`127.0.0.1:${server.port}`],
            secrets: { KEY: [`${url}/allowed/`] },
          },
          limits: { cpu_ms: 1000 },
        },
      },
    },
    emit ? { emit } : {},
  );
  home.secrets.set('KEY', token);
  asked = [];
  await home.plugins.add(home.file('demo.ts', source));
  return home;
}

describe('a plain TypeScript file', () => {
  test('has a console as authors know it, whose lines are in its log', async () => {
    await using home = await openHome();
    const talks = `export function talk() {
      console.log('%s is %d, %o; 100%% %z', 'Ada', 36, { a: [1] }, 'and more');
      console.log(new Map([['a', { b: 1n }]]), new Set([1]), new Uint8Array([1, 2]), [undefined, null], new Date(0), /x/);
      const round = { name: 'round' }; round.self = round; console.warn(round);
      console.error(new TypeError('no', { cause: new Error('why') }));
      console.assert(1 === 1, 'quiet'); console.assert(false, 'loud %s', 'x');
      console.group('group'); console.table([{ a: 1 }]); console.groupEnd(); console.groupEnd();
      console.count(); console.count(); console.time('t'); console.timeEnd('t'); console.trace('here'); console.dir({}); console.log();
    }`;
    await home.plugins.add(home.file('talks.js', talks));
    await home.plugins.call('talks', 'talk', []);
    expect(
      home.plugins.logs('talks').map(({ level, message }) => `${level} ${message.replace(/\d+ ms/, 'N ms')}`),
    ).toEqual([
      'info Ada is 36, {"a":[1]}; 100% %z and more',
      'info Map {"a" => {"b":1n}} Set {1} Uint8Array [1,2] [undefined,null] 1970-01-01T00:00:00.000Z /x/',
      'warn {"name":"round","self":[circular]}',
      'error TypeError: no (cause: Error: why)',
      'error Assertion failed: loud x',
      'info group',
      'info   0: {"a":1}',
      'info default: 1',
      'info default: 2',
      'info t: N ms',
      'debug Trace: here',
      'info {}',
      'info ',
    ]);
  });

  test('is installed with its manifest, functions and tools, and its functions take and give JSON', async () => {
    await using home = await demo();
    const info = await home.plugins.inspect('demo');
    expect(info).toMatchObject({
      name: 'demo',
      kind: 'script',
      version: '1.2.3',
      manifest: { egress: ['GET https://example.com/'] },
    });
    expect(info.functions.map((f) => f.name)).toContain('fetch-it');
    expect(await home.plugins.call('demo', 'greet', [{ name: 'Ulm', inhabitants: 3 }])).toBe('hello Ulm 3');
    const [tool] = home.plugins.tools();
    expect(tool).toMatchObject({ name: 'demo_add', description: 'Adds two numbers.' });
    expect(await tool?.call({ a: 2, b: 40 }, AbortSignal.timeout(5000))).toBe('{"sum":42}');
  });

  test('fails with its own error, and a function there is not is named', async () => {
    await using home = await demo();
    expect(home.plugins.call('demo', 'fail', [])).rejects.toThrow('on purpose');
    expect(await codeOf(home.plugins.call('demo', 'fail', []))).toBe('plugin.guest');
    expect(await codeOf(home.plugins.call('demo', 'nothing', []))).toBe('plugin.function');
  });

  test('sees settings with placeholders, and its secret goes out only where it is granted', async () => {
    await using home = await demo();
    const url = `http://127.0.0.1:${server.port}`;
    expect(await home.plugins.call('demo', 'settings', [])).toEqual([url, '{{secret:KEY}}', null, true, false]);
    expect(await home.plugins.call('demo', 'fetch-it', [`${url}/allowed/x`])).toBe('200 saw [redacted:KEY]');
    expect(asked).toEqual([{ path: '/allowed/x', key: token }]);
    expect(home.events.filter((e) => e.type === 'plugin.started').length).toBe(1);
    expect(home.plugins.call('demo', 'fetch-it', [`${url}/secret`])).rejects.toThrow('no egress rule');
    await codeOf(home.plugins.call('demo', 'fetch-it', [`${url}/secret`]));
    expect(asked.length).toBe(1);
    expect(home.events.some((e) => e.type === 'plugin.denied' && e.capability === 'http-request')).toBe(true);
  });

  test('loses a grant at once when px.yaml takes it away', async () => {
    await using home = await demo();
    const url = `http://127.0.0.1:${server.port}/allowed/x`;
    home.configure({ plugins: { demo: { settings: { key: 'none' } } } });
    expect(await codeOf(home.plugins.call('demo', 'fetch-it', [url]))).toBe('plugin.guest');
    expect(asked).toEqual([]);
  });

  test('sees a changed setting from its next call on, and none that was taken away', async () => {
    await using home = await demo();
    await home.plugins.call('demo', 'settings', []);
    home.configure({ plugins: { demo: { settings: { key: 'none' } } } });
    expect(await home.plugins.call('demo', 'settings', [])).toEqual([null, 'none', null, false, false]);
  });

  test('stores, tells the time, rolls dice, logs without its secret and pushes messages', async () => {
    const pushed: Json[] = [];
    await using home = await demo((plugin, message) => pushed.push({ plugin, message }) > 0);
    expect(await home.plugins.call('demo', 'store', [])).toEqual([['a/1'], 'three', null]);
    expect(Math.abs(Number(await home.plugins.call('demo', 'clock', [])) - Date.now())).toBeLessThan(5000);
    expect(await home.plugins.call('demo', 'dice', [])).toBe(8);
    await home.plugins.call('demo', 'talk', []);
    expect(home.plugins.logs('demo').map((l) => l.message)).toEqual(
      expect.arrayContaining(['the key is [redacted:KEY]', 'plain']),
    );
    await home.plugins.call('demo', 'push', []);
    expect(pushed).toEqual([
      { plugin: 'demo', message: { id: '1', sender_id: 'u', sender_name: 'U', text: 'hi', metadata: null } },
    ]);
  });

  test('that hands over half a character, or something of another type, goes on', async () => {
    await using home = await openHome({ plugins: { half: { grants: { egress: ['GET https://a.example/'] } } } });
    await home.plugins.add(
      home.file(
        'half.ts',
        `import * as px from 'px';
         const cut = 'cut 👩'.slice(0, 5);
         export const gives = () => cut;
         export const takes = (text: string) => [text, text.length];
         export const throws = () => { throw new Error(cut); };
         export const typed = () => { throw new TypeError(cut); };
         export async function rejects() { throw cut; }
         export function says() { console.log(cut); px.log('loud' as never, cut as never); px.log('warn', 7 as never); }
         export function keeps() { px.kvSet(cut, cut); px.kvSet(7 as never, 8 as never); return [px.kvGetText(cut), px.kvGetText('7'), px.kvList(cut)]; }
         export const asks = () => [px.configGet(cut) ?? null, px.secretExists(cut)];
         export function fails(which: string) {
           if (which === 'http') px.httpRequest({ url: 'https://b.example/' + cut, headers: { [cut]: cut, n: 1 as never }, timeoutMs: Number.NaN });
           if (which === 'file') px.fileRead(cut, { offset: -1, length: 1e300 });
           if (which === 'emit') px.emitMessage({ id: cut, sender: { id: cut, displayName: cut }, text: cut, metadata: cut });
         }`,
      ),
    );
    const call = (fn: string, ...args: string[]) => home.plugins.call('half', fn, args);
    expect(await call('gives')).toBe('cut \ud83d');
    expect(await call('takes', 'cut \ud83d')).toEqual(['cut \ud83d', 5]);
    for (const fn of ['throws', 'typed', 'rejects'])
      expect([fn, await call(fn).catch((e: unknown) => String(e))]).toEqual([
        fn,
        expect.stringContaining('cut \ufffd'),
      ]);
    await call('says');
    expect(
      home.plugins
        .logs('half')
        .filter(({ level }) => level !== 'debug')
        .map((l) => [l.level, l.message]),
    ).toEqual([
      ['info', 'cut \ufffd'],
      ['info', 'cut \ufffd'],
      ['warn', '7'],
    ]);
    expect(await call('keeps')).toEqual(['cut \ufffd', '8', ['cut \ufffd']]);
    expect(await call('asks')).toEqual([null, false]);
    for (const which of ['http', 'file', 'emit']) expect(await codeOf(call('fails', which))).toBe('plugin.guest');
  }, 30_000);

  test('that loops is stopped and runs again', async () => {
    await using home = await demo();
    expect(await codeOf(home.plugins.call('demo', 'spin', []))).toBe('plugin.cpu');
    expect(await home.plugins.call('demo', 'greet', [{ name: 'Ulm', inhabitants: 3 }])).toBe('hello Ulm 3');
  }, 20_000);

  test('that is allowed less memory than the engine needs to start is refused', async () => {
    await using home = await openHome({ plugins: { tiny: { limits: { memory_mb: 1 } } } });
    const add = (name: string) => home.plugins.add(home.file(`${name}.ts`, 'export const one = () => 1;'), { name });
    expect(await codeOf(add('tiny'))).toBe('plugin.memory');
    home.configure({ plugins: { tiny: { limits: { memory_mb: 2 } } } });
    expect(await codeOf(add('tiny'))).toBe('ok');
    expect(await home.plugins.call('tiny', 'one', [])).toBe(1);
  });

  test('that is no program, imports a file, or throws when loaded is refused', async () => {
    await using home = await openHome();
    for (const text of [
      'export function {',
      "import { x } from './other.ts'; export const y = x;",
      "throw new Error('no');",
    ]) {
      const file = home.file('bad.ts', text);
      expect(await codeOf(home.plugins.add(file))).toBe('plugin.invalid');
    }
    expect(home.plugins.list()).toEqual([]);
  });
});

describe('a script with promises', () => {
  const source = `
    export async function get(url: string) { const answer = await fetch(url); return answer.status + ' ' + (await answer.text()); }
    export async function nap(ms: number) { await new Promise((done) => setTimeout(done, ms)); return 'awake'; }
    export const never = () => new Promise(() => {});
    export const forever = () => new Promise(() => { setInterval(() => {}, 5); });
    export const churn = async () => { for (;;) await null; };`;
  const open = async (limits: { cpu_ms?: number; wall_ms?: number }) => {
    const url = `http://127.0.0.1:${server.port}`;
    const home = await openHome({
      plugins: { later: { grants: { egress: [`GET ${url}/`], private_hosts: [`127.0.0.1:${server.port}`] }, limits } },
    });
    await home.plugins.add(home.file('later.ts', source));
    return home;
  };

  test('fetches under its grants, sleeps without using the processor, and says so when it can never end', async () => {
    await using home = await open({ cpu_ms: 200 });
    expect(await home.plugins.call('later', 'get', [`http://127.0.0.1:${server.port}/x`])).toBe('200 saw null');
    expect(home.plugins.call('later', 'get', ['http://127.0.0.1:1/x'])).rejects.toThrow('fetch failed: denied');
    expect(await home.plugins.call('later', 'nap', [400])).toBe('awake');
    expect(home.plugins.call('later', 'never', [])).rejects.toThrow('never settles');
    expect(await codeOf(home.plugins.call('later', 'never', []))).toBe('plugin.guest');
  });

  test('that goes on for ever is stopped: asleep by the wall clock, busy by the processor', async () => {
    // The other limit of each is far away: on a busy machine processor time passes slower than the clock.
    for (const [fn, limits] of [
      ['forever', { wall_ms: 3000 }],
      ['churn', { cpu_ms: 1000 }],
    ] as const) {
      await using home = await open(limits);
      expect(await codeOf(home.plugins.call('later', fn, []))).toBe(fn === 'churn' ? 'plugin.cpu' : 'plugin.wall');
      expect(await home.plugins.call('later', 'nap', [1])).toBe('awake');
    }
  }, 60_000);
});

describe('a long poll held for a connector', () => {
  test('is done under its grants by the daemon, and no process is started', async () => {
    await using home = await demo();
    home.events.length = 0;
    const get = (path: string) => ({
      method: 'GET',
      url: `http://127.0.0.1:${server.port}${path}`,
      headers: [['x-key', '{{secret:KEY}}']],
      body: null,
      timeout_ms: 1000,
    });
    const answer = await home.plugins.hold('demo', get('/allowed/poll'), AbortSignal.timeout(5000));
    expect(answer).toMatchObject({ ok: { status: 200, body: btoa('saw [redacted:KEY]') } });
    expect(await home.plugins.hold('demo', get('/other'), AbortSignal.timeout(5000))).toMatchObject({
      err: { denied: expect.any(String) },
    });
    expect(home.events.some((e) => e.type === 'plugin.started')).toBe(false);
  });
});

describe('where a plugin comes from', () => {
  test('a folder with plugin.yaml', async () => {
    await using home = await openHome();
    const folder = join(home.root, 'weather');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'plugin.yaml'),
      'name: weather\nversion: 2\ndescription: Rain or sun.\negress: ["GET https://api.example.com/"]\nsecrets: { KEY: ["https://api.example.com/"] }\n',
    );
    writeFileSync(join(folder, 'plugin.ts'), 'export function rain(): boolean { return true; }');
    const info = await home.plugins.add(folder);
    expect(info).toMatchObject({
      name: 'weather',
      version: '2',
      manifest: { secrets: { KEY: ['https://api.example.com/'] } },
    });
    expect(await home.plugins.call('weather', 'rain', [])).toBe(true);
  });

  test('a URL on this machine; one without encryption elsewhere is refused', async () => {
    await using home = await openHome();
    const script = (n: number) => `export const manifest = { name: 'one' }; export const one = () => ${n};`;
    let now = 1;
    const files = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const { pathname, searchParams } = new URL(request.url);
        if (pathname === '/away') return Response.redirect('http://example.com/x.js');
        if (pathname === '/page.js') return new Response('\n<!DOCTYPE html><title>Sign in</title>');
        if (pathname === '/get.js' && searchParams.get('id') === '7') return new Response(script(now));
        return new Response(null, { status: 404 });
      },
    });
    const from = `http://127.0.0.1:${files.port}`;
    const info = await home.plugins.add(`${from}/get.js?id=7`);
    expect([info.source, await home.plugins.call('one', 'one', [])]).toEqual([`${from}/get.js?id=7`, 1]);
    now = 2;
    expect((await home.plugins.update('one')).updated).toBe(true);
    expect(await home.plugins.call('one', 'one', [])).toBe(2);
    const said = (source: string) => home.plugins.add(source).catch((thrown: unknown) => String(thrown));
    expect(await said(`${from}/page.js`)).toContain(`${from}/page.js is a web page and no plugin`);
    expect(await said(`${from}/away`)).toContain('sends on to http://example.com, without encryption');
    expect(await said(`${from}/gone.js`)).toContain(`${from}/gone.js is answered with 404`);
    await files.stop(true);
    expect(await said(`${from}/get.js`)).toContain('nothing listens there');
    expect(await codeOf(home.plugins.add('http://example.com/x.wasm'))).toBe('plugin.invalid');
  });

  test('px itself: every plugin it carries installs and says what it asks for', async () => {
    await using home = await openHome();
    for (const { name, sha256 } of await carried()) {
      const info = await home.plugins.add(name);
      expect(info).toMatchObject({ name, sha256, source: `px:${name}` });
    }
    expect(home.plugins.tools().map((t) => t.name)).toContain('clock_now');
    const now = home.plugins.tools().find((t) => t.name === 'clock_now');
    expect(await now?.call({}, AbortSignal.timeout(5000))).toContain(String(new Date().getUTCFullYear()));
  }, 90_000);
});
